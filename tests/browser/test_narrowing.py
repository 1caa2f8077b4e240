"""Facets, ranges, sorting, paging, and the address that keeps them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.driver import Locator, Page, expect, stop_the_clock
from tests.browser.looks import PHONE, cards, facet, first, ids, scroll_to_the_end
from tests.browser.service import Catalog

pytestmark = pytest.mark.browser


def count_of(page: Page, field: str, value: str) -> Locator:
    return facet(page, field).locator("li").filter(has_text=value).locator(".count")


def rows_of(page: Page, catalog: Catalog) -> list[dict[str, Any]]:
    by_id = {row["id"]: row for row in catalog.rows}
    return [by_id[product_id] for product_id in ids(page)]


def test_facets_narrow_and_chips_widen(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page("/?browse=1")
    everything = page.locator("#total").inner_text()
    brand = facet(page, "Brand")
    brand.get_by_role("checkbox", name="Northlight").check()
    expect(page.get_by_role("button", name="Remove filter Northlight")).to_be_visible()
    expect(page.locator("#total")).not_to_have_text(everything)
    assert {row["brand"] for row in rows_of(page, catalog)} == {"Northlight"}

    # The values that are not ticked keep their counts, so that they can be added: of cards, which stand for groups.
    kissenwerk = len({row.get("group_id", row["id"]) for row in catalog.rows if row["brand"] == "Kissenwerk"})
    expect(count_of(page, "Brand", "Kissenwerk")).to_have_text(str(kissenwerk))
    brand.get_by_role("checkbox", name="Kissenwerk").check()
    expect(page.locator(".chip")).to_have_count(2)
    expect(brand.get_by_role("checkbox", name="Kissenwerk")).to_be_focused()
    assert {row["brand"] for row in rows_of(page, catalog)} == {"Northlight", "Kissenwerk"}

    page.get_by_role("button", name="Remove filter Northlight").click()
    expect(page.locator(".chip")).to_have_count(1)
    expect(brand.get_by_role("checkbox", name="Northlight")).not_to_be_checked()
    assert {row["brand"] for row in rows_of(page, catalog)} == {"Kissenwerk"}


def test_facets_follow_each_other(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page("/?browse=1")
    facet(page, "Category").get_by_role("checkbox", name="Fancy cushions").check()
    expect(page.locator(".chip")).to_have_count(1)
    cards(page)
    red = sum("red" in row["color"] for row in catalog.rows if row["category"] == "Fancy cushions")
    expect(count_of(page, "Color", "red")).to_have_text(str(red))


def test_a_facet_of_yes_and_no(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page("/?browse=1")
    facet(page, "In stock").get_by_role("checkbox", name="No").check()
    expect(page.get_by_role("button", name="Remove filter In stock: No")).to_be_visible()
    assert {row["in_stock"] for row in rows_of(page, catalog)} == {False}


def test_facets_are_in_the_order_of_the_answer_and_ranges_folded_until_wanted(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    with page.expect_response("**/v1/search") as answered:
        page.get_by_role("searchbox").fill("striped cushion")
        page.get_by_role("searchbox").press("Enter")
    cards(page)
    told = answered.value.json()
    names = {"price": "Price", "in_stock": "In stock", "weight_kg": "Weight (kg)"}
    order = [names.get(name, name.capitalize()) for name in told["facets"]]
    shown = [name.strip() for name in page.locator("details.facet:not([hidden]) > summary").all_text_contents()]
    assert len(shown) > 3
    known = [name for name in shown if name in order]
    assert known == sorted(known, key=order.index)
    # What all hits have alike, or none, is no filter; of what is one the first few stand open, and no range does.
    for field, its in told["facets"].items():
        if its["values"] and not its["missing"] and all(v["count"] == told["total"]["value"] for v in its["values"]):
            assert names.get(field, field.capitalize()) not in shown
    assert 1 <= page.locator("details.facet[open]").count() <= 3
    assert page.locator("details.facet[open] .range").count() == 0

    price = facet(page, "Price")
    bars = price.locator(".histogram span")
    assert bars.count() == len(told["facets"]["price"]["histogram"])
    counts = [bucket["count"] for bucket in told["facets"]["price"]["histogram"]]
    heights = bars.evaluate_all("(all) => all.map((bar) => bar.getBoundingClientRect().height)")
    assert counts.index(max(counts)) == heights.index(max(heights))
    assert price.locator(".within").count() == bars.count()
    order_before = page.locator("details.facet > summary").all_text_contents()
    page.get_by_label("Price, from").fill("40")
    page.get_by_label("Price, from").press("Enter")
    expect(page.locator(".chip")).to_have_count(1)
    cards(page)
    assert 0 < price.locator(".within").count() < bars.count()
    # The others follow, but nothing moves under the hand that narrows, and what was opened stays open.
    assert page.locator("details.facet > summary").all_text_contents() == order_before
    expect(price).to_be_visible()


def test_a_range_by_its_boxes_and_by_its_slider(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page("/?browse=1")
    cards(page)
    facet(page, "Price")
    page.get_by_label("Price, from").fill("50")
    page.get_by_label("Price, from").press("Enter")
    expect(page.get_by_role("button", name="Remove filter Price: from 50")).to_be_visible()
    assert all(row["price"] >= 50 for row in rows_of(page, catalog))
    assert "f.price=50.." in page.url

    slider = page.get_by_role("slider", name="Highest Price")
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    expect(page.get_by_role("button", name="Remove filter Price: 50 to 58.5")).to_be_visible()
    assert all(50 <= row["price"] <= 58.5 for row in rows_of(page, catalog))

    page.get_by_role("button", name="Remove filter Price").click()
    expect(page.locator("#chips")).to_be_hidden()
    expect(page.get_by_label("Price, from")).to_have_value("")


def test_words_that_are_taken_for_filters_are_chips(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page("/?q=red+cushion+under+30")
    taken = page.locator(".chip.taken")
    expect(taken.filter(has_text="Price: below 30")).to_be_visible()
    expect(taken.filter(has_text=re.compile("^red"))).to_be_visible()
    assert all("red" in row["color"] and row["price"] < 30 for row in rows_of(page, catalog))
    # Without one of them words are words, and the others stay, as filters that can be changed.
    page.get_by_role("button", name="Remove filter red").click()
    expect(page.get_by_role("button", name="Remove filter Price: up to 30")).to_be_visible()
    expect(taken).to_have_count(0)
    expect(page).to_have_url(re.compile(r"f\.price=\.\.30&plain=1"))
    assert any("red" not in row["color"] for row in rows_of(page, catalog))
    page.go_back()
    expect(taken.filter(has_text="Price: below 30")).to_be_visible()

    # New words are understood anew; negations are told as well.
    page.goto(page.url.replace("q=red+cushion+under+30", "q=cushion+without+stripes&plain=1"))
    page.get_by_role("searchbox").fill("cushion not red")
    page.get_by_role("searchbox").press("Enter")
    expect(taken.filter(has_text="without red")).to_be_visible()
    assert not any("red" in row["color"] for row in rows_of(page, catalog))
    page.get_by_role("button", name="Remove filter without red").click()
    expect(page.locator("#understood")).to_contain_text("as they are written")
    expect(taken).to_have_count(0)


def test_many_small_steps_are_one_step_back(open_page: OpenPage) -> None:
    page = open_page("/?browse=1")
    cards(page)
    facet(page, "Price")
    slider = page.get_by_role("slider", name="Highest Price")
    for _ in range(5):
        slider.press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"f\.price=\.\.\d"))
    first_time = page.url
    box = page.get_by_label("Price, from")
    box.fill("12")
    for _ in range(3):
        box.press("ArrowUp")
    expect(page).to_have_url(re.compile(r"f\.price=15\.\."))
    second_time = page.url
    sort = page.get_by_label("Sort")
    sort.focus()
    for _ in range(3):
        sort.press("ArrowDown")
    expect(page).to_have_url(re.compile("sort="))
    page.get_by_role("slider", name="Highest Price").press("ArrowLeft")
    page.get_by_role("slider", name="Highest Price").press("ArrowLeft")
    expect(page).not_to_have_url(re.compile(re.escape(second_time[-12:])))

    page.go_back()
    page.go_back()
    expect(page).to_have_url(second_time)
    page.go_back()
    expect(page).to_have_url(first_time)
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?browse=1$"))
    # Going back ends an adjustment, though the focus never left the control.
    slider.press("ArrowLeft")
    expect(page.locator(".chip")).to_have_count(1)
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?browse=1$"))
    expect(page.locator("#chips")).to_be_hidden()


def test_words_that_are_the_same_keep_the_entry_that_has_them(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    box = page.get_by_role("searchbox")
    box.fill("red")
    box.press("Enter")
    expect(page).to_have_url(re.compile("q=red$"))
    stop_the_clock(page)
    box.press_sequentially(" ")
    page.clock.run_for(1000)
    box.press_sequentially("star")
    page.clock.run_for(1000)
    expect(page).to_have_url(re.compile("q=red[+]star"))
    page.go_back()
    expect(page).to_have_url(re.compile("q=red$"))


def test_sorting(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page("/?browse=1")
    page.get_by_label("Sort").select_option("Price: high to low")
    dearest = max(catalog.rows, key=lambda row: row["price"])
    first(page, dearest["id"])
    prices = [row["price"] for row in rows_of(page, catalog)]
    assert prices == sorted(prices, reverse=True)
    page.get_by_label("Sort").select_option("Catalog order")
    expect(page).to_have_url(re.compile(r"browse=1$"))


@pytest.mark.parametrize("path", ["/?browse=1", "/?q=cushion", "/?browse=1&sort=price%3Adesc"])
def test_scrolling_shows_everything_once(path: str, open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page(path)
    cards(page)
    scroll_to_the_end(page)
    expect(page.locator("#grid > .card")).to_have_count(catalog.shown)
    expect(page.get_by_role("button", name="More", exact=True)).to_have_count(0)
    assert len(set(ids(page))) == catalog.shown


def test_paging_a_photo(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    page.locator("#photo-file").set_input_files(catalog.image("circle-plain-red"))
    first(page, "circle-plain-red")
    scroll_to_the_end(page)
    expect(page.locator("#grid > .card")).to_have_count(catalog.shown)
    assert len(set(ids(page))) == catalog.shown


def test_a_page_that_fails_can_be_asked_for_again(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page(fails=True)
    expect(page.locator(".welcome")).to_be_visible()
    page.route(
        "**/v1/search",
        lambda route: route.abort() if '"cursor"' in (route.request.post_data or "") else route.continue_(),
    )
    page.get_by_role("button", name="Browse everything").click()
    expect(cards(page)).to_have_count(24)
    scroll_to_the_end(page)
    expect(page.get_by_role("alert")).to_contain_text("More could not be loaded")
    page.unroute("**/v1/search")
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.locator("#grid > .card")).to_have_count(catalog.shown)


def test_back_forward_and_a_shared_address(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    page.get_by_role("searchbox").press_sequentially("Plain red star cushion", delay=20)
    first(page, "star-plain-red")
    facet(page, "Color").get_by_role("checkbox", name="green").check()
    expect(page.get_by_role("button", name="Remove filter green")).to_be_visible()
    hand = catalog.image("square-plain-green")
    page.locator("#photo-file").set_input_files(hand)
    expect(page.locator("#token")).to_be_visible()

    page.go_back()
    expect(page.locator("#token")).to_be_hidden()
    expect(page.get_by_role("button", name="Remove filter green")).to_be_visible()
    page.go_forward()
    expect(page.locator("#token")).to_be_visible()  # Not in the address, and still of this visit.
    page.go_back()
    page.go_back()
    expect(page.locator("#chips")).to_be_hidden()
    first(page, "star-plain-red")
    page.go_back()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("")

    shared = open_page("/?q=red&f.color=red&f.price=20..40&sort=price%3Aasc")
    expect(shared.get_by_role("button", name="Remove filter red")).to_be_visible()
    expect(shared.get_by_role("button", name="Remove filter Price: 20 to 40")).to_be_visible()
    expect(shared.get_by_label("Sort")).to_have_value("price:asc")
    assert all("red" in row["color"] and 20 <= row["price"] <= 40 for row in rows_of(shared, catalog))


def test_going_back_closes_the_details(open_page: OpenPage) -> None:
    page = open_page("/?q=red")
    cards(page).first.locator(".card-open").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?q=red$"))


def test_closing_what_a_shared_address_opened_stays_on_the_page(open_page: OpenPage) -> None:
    sender = open_page("/?q=striped+cushion")
    grouped = cards(sender).filter(has=sender.locator(".swatches button")).first
    page = open_page(f"/?q=striped+cushion&product={grouped.get_attribute('data-id')}")
    dialog = page.get_by_role("dialog")
    cards(page)
    dialog.get_by_role("button", name="Close").click()
    expect(page).to_have_url(re.compile(r"\?q=striped\+cushion$"))
    page.go_back()
    dialog.get_by_role("button", name="Variant").first.click()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?q=striped\+cushion$"))
    page.get_by_role("searchbox").fill("Plain red star cushion")
    first(page, "star-plain-red")


def test_what_is_asked_before_the_browser_has_gone_back_is_kept(open_page: OpenPage) -> None:
    page = open_page("/?q=Plain+red+star+cushion")
    first(page, "star-plain-red")
    page.evaluate("window.back = history.back.bind(history), history.back = () => {}")
    cards(page).first.locator(".card-open").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    cards(page).first.get_by_role("button", name="Similar to").click()
    page.evaluate("window.back()")
    expect(page.locator("#token")).to_contain_text("Like Plain red star cushion")
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?q=Plain\+red\+star\+cushion$"))
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize("way", ["back", "reload"])
def test_the_place_in_a_list_is_found_again(way: str, device: str, open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page("/?browse=1", **(PHONE if device == "phone" else {}))
    cards(page)
    scroll_to_the_end(page)
    expect(page.locator("#grid > .card")).to_have_count(catalog.shown)
    opener = page.locator("#grid > .card").nth(27)
    opener.scroll_into_view_if_needed()
    page.evaluate("window.scrollBy(0, 37)")
    product, top = opener.get_attribute("data-id"), opener.bounding_box()
    assert top is not None
    if way == "back":
        opener.get_by_role("button", name="Similar to").click()
        expect(page.locator("#token")).to_be_visible()
        cards(page)
        assert page.evaluate("scrollY") == 0
        page.go_back()
        expect(page.locator("#token")).to_be_hidden()
        expect(opener.locator(".card-open")).to_be_focused()
    else:
        page.reload()
    expect(page.locator("#grid > .card")).to_have_count(catalog.shown)
    cards(page)
    again = page.locator(f'[data-id="{product}"]').bounding_box()
    assert again is not None
    assert abs(again["y"] - top["y"]) <= 2

    # Details that are opened and closed leave the list alone.
    opener.locator(".card-open").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    after = page.locator(f'[data-id="{product}"]').bounding_box()
    assert after is not None
    assert abs(after["y"] - top["y"]) <= 2
    # What is new begins at its start.
    page.goto(page.url.split("?")[0] + "?q=red")
    cards(page)
    assert page.evaluate("scrollY") == 0
