"""What a test sees of the page, and how it hands it a photo."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any, Literal

from tests.browser.driver import Axe, Locator, Page, expect

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


def assert_accessible(page: Page) -> None:
    """axe finds nothing as the page is now, in the light, nor of its colours in the dark; it stays dark."""
    schemes: list[tuple[Literal["light", "dark"], dict[str, Any]]] = [
        ("light", {"resultTypes": ["violations"]}),
        ("dark", {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}),
    ]
    for scheme, options in schemes:
        # Colours that are fading in have another contrast.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = Axe().run(page, options=options)
        assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"


def cards(page: Page) -> Locator:
    """The hits on the screen, once the search that was asked for is over."""
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".skeleton")).to_have_count(0)
    return page.locator("#grid > .card")


def ids(page: Page) -> list[str]:
    return [card.get_attribute("data-id") or "" for card in cards(page).all()]


def first(page: Page, product_id: str) -> None:
    """Waits until this product is the first hit."""
    expect(page.locator("#grid > .card").first).to_have_attribute("data-id", product_id)


def scroll_to_the_end(page: Page) -> None:
    """As the layout is now: a wheel is turned over what was painted last, which may be before the list came."""
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")


def facet(page: Page, name: str) -> Locator:
    """The facet of a field, unfolded, among the further ones too."""
    cards(page)  # Facets are put in order by the answer.
    folded = page.locator("details.facet").filter(
        has=page.locator("summary", has_text=re.compile(f"^{re.escape(name)}$"))
    )
    for outer in (page.locator("details.more-filters").filter(has=folded), folded):
        if outer.count() and not outer.evaluate("(it) => it.open"):
            outer.locator("> summary").click()
    return page.get_by_role("group", name=name, exact=True)


def open_all(page: Page) -> None:
    """Opens what is folded, also what lies in it."""
    closed = page.locator("details:not([open]) > summary")
    while closed.count():
        closed.first.click()


def search(page: Page, words: str) -> None:
    page.get_by_role("searchbox").fill(words)
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("#total")).to_contain_text("result")


_RECORD = """() => {
  window.uploads = [];
  const fetch = window.fetch;
  window.fetch = (address, init) => {
    if (init?.body instanceof FormData) {
      const file = init.body.get("file");
      window.uploads.push({ request: JSON.parse(init.body.get("request")), type: file.type, size: file.size });
    }
    return fetch(address, init);
  };
}"""


def record_uploads(page: Page) -> None:
    """From now on ``uploads`` knows what is sent with photos: the driver does not see the bodies of such requests."""
    page.evaluate(_RECORD)


def uploads(page: Page) -> list[dict[str, Any]]:
    return list(page.evaluate("window.uploads"))


_HAND_OVER = """([how, name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type }));
  const event = how === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
    : new DragEvent(how, { dataTransfer: data, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
}"""


def hand_over(page: Page, how: str, photo: Path, media_type: str = "image/png") -> None:
    """``how``: paste, dragenter, drop."""
    page.evaluate(_HAND_OVER, [how, photo.name, media_type, base64.b64encode(photo.read_bytes()).decode()])
