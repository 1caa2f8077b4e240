"""Finding by words, by photo, by both, and by a product."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import OpenPage
from tests.browser.driver import Page, expect
from tests.browser.looks import cards, facet, first, hand_over, ids, record_uploads, uploads
from tests.browser.service import Catalog

pytestmark = pytest.mark.browser


def test_the_first_visit_offers_words_and_images_of_the_catalog(
    open_page: OpenPage, catalog: Catalog, keep: Callable[[Page, str], Path]
) -> None:
    page = open_page()
    expect(page.get_by_text("Find it by words, by a photo, or by both.")).to_be_visible()
    expect(page.get_by_text("not CLIP")).to_be_visible()
    expect(page.locator("#provenance")).to_contain_text("CC0")
    keep(page, "start")

    page.get_by_role("button", name="Round cushions", exact=True).click()
    assert cards(page).count() > 0
    assert "q=Round+cushions" in page.url

    page.get_by_role("link", name="StoreLens").click()
    page.locator(".samples button").first.click()
    expect(page.locator("#token")).to_contain_text("Your photo")
    assert cards(page).count() > 0


def test_typing_finds_without_enter(open_page: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    page.get_by_role("searchbox").press_sequentially("Plain blue star cushion", delay=20)
    first(page, "star-plain-blue")
    expect(cards(page).first.get_by_role("heading")).to_have_text("Plain blue star cushion")
    expect(cards(page).first).to_contain_text("€")
    expect(cards(page).first.locator(".why")).to_have_text("Why: Exact title")
    assert cards(page).first.locator("mark").all_text_contents() == ["Plain", "blue", "star", "cushion"]
    expect(page.get_by_text("Similar meaning")).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="found")).to_have_count(1)
    keep(page, "results")


@pytest.mark.parametrize("how", ["choose", "paste", "drop"])
def test_a_photo_finds_however_it_comes(
    how: str, open_page: OpenPage, catalog: Catalog, keep: Callable[[Page, str], Path]
) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    photo = catalog.image("triangle-plain-red")
    if how == "choose":
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose a photo").click()
        chooser.value.set_files(photo)
    else:
        if how == "drop":
            hand_over(page, "dragenter", photo)
            expect(page.get_by_text("Drop the photo to search by it")).to_be_visible()
        hand_over(page, how, photo)
    first(page, "triangle-plain-red")
    expect(page.get_by_text("Drop the photo to search by it")).to_be_hidden()
    expect(cards(page).first.locator(".why")).to_contain_text("Looks like your photo")
    if how == "drop":
        keep(page, "photo")


def test_words_and_a_photo_together(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page("/?q=yellow")
    cards(page)
    record_uploads(page)
    hand_over(page, "paste", catalog.image("star-plain-red"))
    expect(page.locator("#token")).to_be_visible()
    assert cards(page).count() > 0
    assert [upload["request"]["text"] for upload in uploads(page)] == ["yellow"]

    page.keyboard.press("Escape")
    expect(page.locator("#token")).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_have_value("yellow")


def test_a_large_photo_is_made_smaller_before_it_is_sent(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    noise = np.random.default_rng(0).integers(0, 255, (1500, 2400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "large.png")
    assert (tmp_path / "large.png").stat().st_size > 4_000_000
    record_uploads(page)
    page.locator("#photo-file").set_input_files(tmp_path / "large.png")
    expect(page.locator("#total")).to_contain_text("result")
    [sent] = uploads(page)
    assert sent["type"] == "image/jpeg"
    assert sent["size"] < 4_000_000


def test_what_is_not_a_image_is_refused_in_words(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(fails=True)
    expect(page.locator(".welcome")).to_be_visible()
    (tmp_path / "list.txt").write_text("milk")
    hand_over(page, "drop", tmp_path / "list.txt", "text/plain")
    expect(page.get_by_text("not an image")).to_be_visible()

    hand_over(page, "drop", tmp_path / "list.txt", "image/jpeg")
    expect(page.get_by_role("heading", name=re.compile("That photo can.t be read"))).to_be_visible()


def test_more_like_this(open_page: OpenPage) -> None:
    page = open_page("/?q=Plain+blue+star+cushion")
    first(page, "star-plain-blue")
    page.get_by_role("button", name="Similar to Plain blue star cushion").click()
    expect(page.locator("#token")).to_contain_text("Like Plain blue star cushion")
    expect(page.locator('[data-id="star-plain-blue"]')).to_have_count(0)
    assert cards(page).count() > 0
    assert "like=star-plain-blue" in page.url

    page.reload()
    expect(page.locator("#token")).to_contain_text("Like Plain blue star cushion")


def test_the_details_of_a_product(open_page: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_page("/?q=Striped+green+star+cushion")
    first(page, "star-striped-green")
    page.get_by_role("button", name="Striped green star cushion", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Striped green star cushion")).to_be_visible()
    expect(dialog).to_contain_text("A cushion in the shape of a star")
    expect(dialog).to_contain_text("Exact title")
    expect(dialog).to_contain_text("CC0")
    expect(dialog.get_by_text("+3 variants")).to_be_visible()
    keep(page, "detail")

    dialog.get_by_role("button", name="Variant star-striped-red").click()
    expect(dialog.get_by_role("heading", name="Striped red star cushion")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?q=[^&]*$"))
    first(page, "star-striped-green")


def test_a_photo_outlives_a_reload_and_the_way_back(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    page.locator("#photo-file").set_input_files(catalog.image("circle-plain-red"))
    first(page, "circle-plain-red")
    page.get_by_role("searchbox").fill("blue")
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(re.compile("q=blue"))
    found = ids(page)
    page.reload()
    assert ids(page) == found
    expect(page.locator("#token")).to_contain_text("Your photo")
    expect(page.locator("#token img")).to_have_js_property("complete", True)
    assert page.locator("#token img").evaluate("(img) => img.naturalWidth") > 0
    page.get_by_role("link", name="Skip to the results").focus()
    page.keyboard.press("Enter")  # Moves the focus and nothing else.
    expect(page.locator("#main")).to_be_focused()
    expect(page.locator("#token")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.locator("#token")).to_be_visible()
    first(page, "circle-plain-red")
    expect(page.get_by_text("a photo that this browser does not have")).to_have_count(0)


def test_a_photo_that_is_gone_is_missed(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page()
    # As in a private window.
    page.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('', 'InvalidStateError') }")
    page.reload()
    expect(page.locator(".welcome")).to_be_visible()
    page.locator("#photo-file").set_input_files(catalog.image("circle-plain-red"))
    first(page, "circle-plain-red")
    gone = page.get_by_text("a photo that this browser does not have")
    page.reload()
    expect(page.locator(".welcome")).to_be_visible()
    expect(gone).to_be_visible()

    shared = open_page("/?q=red&photo=1")
    assert cards(shared).count() > 0
    gone = shared.get_by_text("a photo that this browser does not have")
    expect(gone).to_be_visible()
    facet(shared, "Color").get_by_role("checkbox", name="green").check()
    expect(gone).to_be_hidden()
    assert "photo" not in shared.url


def test_what_was_done_to_the_words_is_said_and_undone(open_page: OpenPage) -> None:
    page = open_page("/?q=plain+red+cirlce")
    first(page, "circle-plain-red")
    expect(page.locator("#understood")).to_contain_text("plain red circle")
    assert "circle" in cards(page).first.locator("h3 mark").all_text_contents()
    page.get_by_role("button", name="as written").click()
    expect(page.locator("#understood")).to_contain_text("as they are written")
    assert "literal=1" in page.url
    page.get_by_role("button", name="Allow them").click()
    expect(page.locator("#understood")).to_contain_text("plain red circle")
    assert "literal" not in page.url
    page.go_back()
    expect(page.locator("#understood")).to_contain_text("as they are written")
    page.get_by_role("searchbox").fill("star")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("#understood")).to_be_hidden()
    assert "literal" not in page.url


def test_words_that_the_title_lacks_are_marked_where_the_description_has_them(open_page: OpenPage) -> None:
    page = open_page("/?q=linen+star+bench")
    card = cards(page).filter(has=page.locator(".snippet")).first
    assert "star" in card.locator("h3 mark").all_text_contents()
    assert {"linen", "bench"} & set(card.locator(".snippet mark").all_text_contents())


def test_groups_show_as_swatches_and_each_leads_to_its_variant(
    open_page: OpenPage, catalog: Catalog, keep: Callable[[Page, str], Path]
) -> None:
    page = open_page("/?q=striped+cushion")
    card = cards(page).filter(has=page.locator(".swatches button")).first
    group = next(row["group_id"] for row in catalog.rows if row["id"] == card.get_attribute("data-id"))
    swatches = card.locator(".swatches button")
    expect(swatches).to_have_count(3)
    shown = {str(card.get_attribute("data-id"))}
    named = {str(swatch.get_attribute("aria-label")) for swatch in swatches.all()}
    others = [row for row in catalog.rows if row.get("group_id") == group and row["id"] not in shown]
    assert named == {", ".join([row["title"], *row["color"]]) for row in others}
    expect(swatches.first.locator("img")).to_have_js_property("complete", True)
    keep(page, "swatches")

    wanted = str(swatches.nth(1).get_attribute("aria-label"))
    swatches.nth(1).press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=2)).to_have_text(wanted.split(",", maxsplit=1)[0])
    # From there the others are as near.
    expect(dialog.get_by_role("button", name=f"Variant {card.get_attribute('data-id')}")).to_be_visible()
    page.go_back()
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("path", ["/?q=striped&f.price=56..60", "/?browse=1&f.price=56..60"])
def test_a_group_that_is_all_there_is_shows_its_members(path: str, open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page(path)
    members = {row["id"] for row in catalog.rows if row.get("group_id") == "star-striped"}
    expect(page.locator("#grid > .card:not(.skeleton)")).to_have_count(len(members))
    assert set(ids(page)) == members
    expect(page.locator("#total")).to_contain_text(f"{len(members)} results")
    assert cards(page).locator(".swatches").count() == 0
