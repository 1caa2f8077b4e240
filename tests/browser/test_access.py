"""By keyboard, on a phone, in the dark, and for those who do not see the screen."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.driver import Page, expect
from tests.browser.looks import PHONE, assert_accessible, cards, facet, first, hand_over
from tests.browser.service import Catalog

pytestmark = pytest.mark.browser

SCREENS = ["start", "results", "photo", "detail", "empty"]


def test_everything_by_keyboard(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("Plain red star cushion")
    page.keyboard.press("Enter")
    first(page, "star-plain-red")

    opener = cards(page).first.locator(".card-open")
    for _ in range(80):
        page.keyboard.press("Tab")
        if opener.evaluate("(button) => button === document.activeElement"):
            break
    expect(opener).to_be_focused()
    assert opener.evaluate("(e) => getComputedStyle(e, '::after').outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("/")  # Types nothing behind the dialog.
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(opener).to_be_focused()

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#token")).to_contain_text("Like Plain red star cushion")
    page.keyboard.press("Escape")
    expect(page.locator("#token")).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_more_by_keyboard(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page(fails=True)
    # Without the observer, the button is what is left.
    page.add_init_script("window.IntersectionObserver = class { observe() {} disconnect() {} }")
    page.goto(page.url + "?browse=1")
    expect(page.locator("#grid > .card")).to_have_count(24)
    page.get_by_role("button", name="More", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#grid > .card")).to_have_count(catalog.shown)
    expect(page.locator("#grid > .card").nth(24).locator(".card-open")).to_be_focused()


def test_on_a_phone(open_page: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_page(**PHONE)
    expect(page.get_by_role("button", name="Take a photo")).to_be_visible()
    expect(page.locator(".welcome")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep(page, "phone-start")

    page.get_by_role("searchbox").fill("star")
    page.get_by_role("searchbox").press("Enter")
    cards(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep(page, "phone")

    page.get_by_role("button", name="Filters").tap()
    drawer = page.get_by_role("dialog", name="Filters")
    facet(page, "Color").get_by_role("checkbox", name="red").tap()
    expect(drawer.get_by_role("button", name="Show")).to_be_visible()
    keep(page, "phone-filters")
    drawer.get_by_role("button", name="Show").tap()
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("button", name="Filters (1)")).to_be_visible()

    cards(page).first.locator(".card-open").tap()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep(page, "phone-detail")


def test_in_the_dark(open_page: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_page("/?q=star&f.color=red", color_scheme="dark")
    cards(page)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 20)"
    keep(page, "dark")


def test_less_motion(open_page: OpenPage) -> None:
    page = open_page("/?q=star", reduced_motion="reduce")
    cards(page)
    assert page.locator(".card .frame").first.evaluate("(e) => getComputedStyle(e).transitionDuration") in ("0s", "")


@pytest.mark.parametrize(
    ("screen", "device"), [*itertools.product(SCREENS, ["desktop", "phone"]), ("filters", "phone")]
)
def test_axe_finds_nothing(screen: str, device: str, open_page: OpenPage, catalog: Catalog) -> None:
    paths = {"start": "/", "photo": "/", "empty": "/?q=cushion&f.price=5000..6000"}
    options = PHONE if device == "phone" else {}
    page = open_page(paths.get(screen, "/?q=star&f.color=red"), **options)
    page.locator(".welcome, #grid .card:not(.skeleton), .message").first.wait_for()
    if screen == "photo":
        hand_over(page, "paste", catalog.image("star-plain-red"))
        expect(page.locator("#token")).to_be_visible()
    elif screen == "detail":
        cards(page).first.locator(".card-open").click()
        expect(page.get_by_role("dialog")).to_be_visible()
    elif screen == "filters":
        page.get_by_role("button", name="Filters").tap()
    cards(page)
    page.wait_for_load_state("networkidle")
    assert_accessible(page)
