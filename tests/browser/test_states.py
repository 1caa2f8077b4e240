"""Waiting, nothing found, something wrong, a key wanted, and data that would like to be code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.driver import Page, Route, expect
from tests.browser.looks import PHONE, cards, facet, search
from tests.browser.service import Catalog, serve

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def test_waiting_is_shown(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    held: list[Route] = []
    page.route("**/v1/search", lambda route: held.append(route))  # noqa: PLW0108 - the driver marks what it is given
    page.get_by_role("searchbox").fill("red")
    expect(page.locator(".skeleton").first).to_be_visible()
    expect(page.locator("#results")).to_have_attribute("aria-busy", "true")
    for route in held:
        route.continue_()
    page.unroute("**/v1/search")
    assert cards(page).count() > 0


def test_words_typed_before_the_page_is_ready_are_searched_for(open_page: OpenPage) -> None:
    page = open_page("/?browse=1")
    cards(page)
    held: list[Route] = []
    page.route("**/v1/catalog", lambda route: held.append(route))  # noqa: PLW0108 - the driver marks what it is given
    with page.expect_request("**/v1/catalog"):
        page.reload(wait_until="commit")
    page.get_by_role("searchbox").fill("circle")
    for route in held:
        route.continue_()
    expect(page).to_have_url(re.compile("q=circle"))
    expect(page.get_by_role("searchbox")).to_have_value("circle")
    assert cards(page).count() > 0


def test_an_answer_that_was_overtaken_is_not_shown(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()
    held: list[Route] = []
    page.route("**/v1/search", lambda r: held.append(r) if "circle" in (r.request.post_data or "") else r.continue_())
    page.get_by_role("searchbox").fill("circle")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".skeleton").first).to_be_visible()
    search(page, "Plain green star cushion")
    expect(page.locator("#grid > .card").first).to_have_attribute("data-id", "star-plain-green")
    for route in held:
        route.continue_()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#grid > .card").first).to_have_attribute("data-id", "star-plain-green")


def test_what_does_not_fit_is_told_from_what_does(open_page: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()

    def judged(route: Route, match: str, fitting: int) -> None:
        answer = route.fetch().json()
        for hit in answer["hits"][fitting:]:
            hit["tail"] = True
        route.fulfill(json={**answer, "match": match, "total": {"value": fitting, "relation": "eq"}})

    page.route("**/v1/search", lambda route: judged(route, "good", 3))
    search(page, "red")
    line = page.locator("#grid > .tail-line")
    expect(line).to_have_text("Less certain")
    assert line.evaluate("line => [...line.parentElement.children].indexOf(line)") == 3
    expect(page.locator("#total")).to_contain_text("3 results")
    page.unroute("**/v1/search")
    page.route("**/v1/search", lambda route: judged(route, "none", 0))
    page.get_by_role("searchbox").fill("laptop")
    nothing = page.get_by_role("region", name="Nothing here matches “laptop”")
    expect(nothing).to_contain_text("Nearest, though none of these fits")
    expect(page.locator("#total")).to_contain_text("No match")
    assert cards(page).count() > 0
    expect(line).to_have_count(0)
    # It is said before the list, not below it.
    assert nothing.evaluate("(it) => it.compareDocumentPosition(document.getElementById('grid')) & 4")
    keep(page, "nothing-fits")
    page.unroute("**/v1/search")
    nothing.get_by_role("button", name="Round cushions", exact=True).click()
    expect(page.locator("#total")).to_contain_text("result")
    expect(nothing).to_have_count(0)
    page.route("**/v1/search", lambda route: judged(route, "weak", 3))
    search(page, "blue")
    expect(page.locator("#message")).to_contain_text("No clear match for “blue”")


def test_nothing_found_says_what_to_try(open_page: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_page("/?q=cushion&f.price=5000..6000")
    expect(page.get_by_role("heading", name="Nothing found for “cushion”")).to_be_visible()
    keep(page, "empty")
    page.get_by_role("button", name="Remove the filters").click()
    assert cards(page).count() > 0
    expect(page.locator("#chips")).to_be_hidden()


def test_a_problem_is_shown_in_the_servers_words(open_page: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_page(fails=True)
    expect(page.locator(".welcome")).to_be_visible()
    problem = {"status": 503, "title": "Service Unavailable", "detail": "the index is being mended", "errors": []}
    answer = json.dumps(problem)
    page.route("**/v1/search", lambda r: r.fulfill(status=503, content_type="application/problem+json", body=answer))
    page.get_by_role("searchbox").fill("red")
    expect(page.get_by_role("heading", name=re.compile("can.t be searched right now"))).to_be_visible()
    expect(page.get_by_text("the index is being mended")).to_be_visible()
    keep(page, "error")
    page.unroute("**/v1/search")
    page.get_by_role("button", name="Try again").click()
    assert cards(page).count() > 0


@pytest.mark.parametrize("body", ["<h1>Bad gateway</h1>", "[]", '{"hits": 7}'])
def test_a_wrong_answer_is_an_error_and_not_a_crash(body: str, open_page: OpenPage) -> None:
    page = open_page(fails=True)
    expect(page.locator(".welcome")).to_be_visible()
    page.route("**/v1/search", lambda r: r.fulfill(status=200, content_type="application/json", body=body))
    page.get_by_role("searchbox").fill("red")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_server_that_is_gone(open_page: OpenPage) -> None:
    page = open_page(fails=True)
    expect(page.locator(".welcome")).to_be_visible()
    page.route("**/v1/**", lambda route: route.abort())
    page.get_by_role("searchbox").fill("red")
    expect(page.get_by_role("heading", name=re.compile("The server can.t be reached"))).to_be_visible()


def test_a_start_that_fails_can_be_tried_again(open_page: OpenPage, address: str) -> None:
    page = open_page("/page/icon.svg", fails=True)
    page.route("**/v1/catalog", lambda route: route.abort())
    page.goto(address)
    expect(page.get_by_role("heading", name=re.compile("The server can.t be reached"))).to_be_visible()
    page.unroute("**/v1/catalog")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".welcome")).to_be_visible()


def test_notices_and_at_least(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()

    def change(route: Route) -> None:
        answer = route.fetch().json()
        answer.update(notices=["some words are unknown"], total={"value": 1000, "relation": "gte"})
        route.fulfill(json=answer)

    page.route("**/v1/search", change)
    page.get_by_role("searchbox").fill("red")
    expect(page.get_by_text("some words are unknown")).to_be_visible()
    expect(page.locator("#total")).to_contain_text("At least 1,000 results")


def test_data_stays_data(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator(".welcome")).to_be_visible()

    def change(route: Route) -> None:
        answer = route.fetch().json()
        answer["notices"] = [HOSTILE]
        for hit in answer["hits"]:
            hit["product"].update(title=HOSTILE, brand=HOSTILE, category=HOSTILE, description=HOSTILE, note=HOSTILE)
            hit["highlights"] = {
                "title": [{"text": HOSTILE, "marked": True}],
                "description": [{"text": f"{HOSTILE} again", "marked": True}],
            }
            if "explain" in hit:
                hit["explain"]["matched_terms"] = [HOSTILE]
        for its in (answer.get("facets") or {}).values():
            for value in its["values"]:
                value["value"] = HOSTILE if isinstance(value["value"], str) else value["value"]
        route.fulfill(json=answer)

    page.route("**/v1/search", change)
    page.get_by_role("searchbox").fill("red")
    expect(page.locator("#grid h3").first).to_have_text(HOSTILE)
    cards(page).first.locator(".card-open").click()
    expect(page.get_by_role("dialog").get_by_role("heading", name=HOSTILE)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert "owned" not in page.title()
    assert page.locator("img[onerror], main script, dialog script").count() == 0


def test_an_id_of_any_characters(open_page: OpenPage) -> None:
    page = open_page(fails=True)
    expect(page.locator(".welcome")).to_be_visible()
    with page.expect_request(re.compile("/v1/products/[^/]*$")) as asked:
        page.goto(page.url + "?product=" + "..%2F..%2Fv1%2Fcatalog%3F%23%20%E2%82%AC")
    assert asked.value.url.endswith("/v1/products/..%2F..%2Fv1%2Fcatalog%3F%23%20%E2%82%AC")
    expect(
        page.get_by_role("dialog").get_by_role("heading", name=re.compile("This product can.t be shown"))
    ).to_be_visible()


def test_a_key_is_asked_for_and_sent_with_images_too(open_page: OpenPage, catalog: Catalog, python: Path) -> None:
    with serve(python, catalog.data, STORELENS_API_KEYS="open-sesame") as address:
        page = open_page("/", at=address, fails=True)
        field = page.get_by_label("API key")
        field.fill("wrong")
        field.press("Enter")
        expect(page.get_by_text("That key was not accepted.")).to_be_visible()
        field.fill("open-sesame")
        field.press("Enter")
        expect(page.locator(".welcome")).to_be_visible()
        search(page, "red")
        # One without an address is complete: its width tells.
        expect(page.locator("#grid img").first).not_to_have_js_property("naturalWidth", 0)
        assert str(page.locator("#grid img").first.get_attribute("src")).startswith("blob:")
        page.reload()
        expect(page.locator("#total")).to_contain_text("result")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_long_values_and_credits_do_not_push_the_page_down(device: str, open_page: OpenPage) -> None:
    long = "long " * 500 + "x" * 2500

    def lengthen(value: object) -> object:
        return long + value if isinstance(value, str) else value

    def answer(route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}")
        asked.pop("filter", None)  # Of values that the page alone knows.
        found = route.fetch(post_data=json.dumps(asked | {"text": "red"})).json()
        found["notices"] = [long]
        for hit in found["hits"]:
            hit["product"] |= {
                name: lengthen(hit["product"][name]) for name in ("title", "brand", "category", "currency")
            }
            hit.pop("highlights", None)
            if "explain" in hit:
                hit["explain"]["matched_terms"] = [long]
        for its in (found.get("facets") or {}).values():
            for value in its["values"]:
                value["value"] = lengthen(value["value"])
        route.fulfill(json=found)

    def catalog(route: Route) -> None:
        told = route.fetch().json()
        told["attribution"] = "\n".join([long, long])
        route.fulfill(json=told)

    options = PHONE if device == "phone" else {}
    page = open_page("/page/icon.svg", fails=True, **options)
    page.route("**/v1/search", answer)
    page.route("**/v1/catalog", catalog)
    page.goto(page.url.replace("page/icon.svg", f"?q=red&f.brand={long}&f.category=b{long}"))
    cards(page)
    window = page.viewport_size
    assert window is not None
    grid, card = page.locator("#grid").bounding_box(), page.locator("#grid > .card").first.bounding_box()
    assert grid is not None
    assert card is not None
    assert grid["y"] < window["height"]
    assert card["height"] < window["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= window["width"]
    page.locator("#grid .card-open").first.click()
    more = page.get_by_role("dialog").get_by_role("button", name="More like this").bounding_box()
    assert more is not None
    assert more["y"] < 2 * window["height"]
    page.go_back()
    # Nothing is lost: the whole stands where one points, and under the credits.
    if device == "phone":
        page.get_by_role("button", name="Filters").tap()
    brand = facet(page, "Brand")
    heights = [row.bounding_box() for row in brand.locator("li").all()]
    assert all(box is not None and box["height"] < 80 for box in heights)
    assert brand.locator("li .value").first.get_attribute("title") == long
    page.keyboard.press("Escape")
    page.get_by_text("All credits").click()
    expect(page.locator("#provenance details p")).to_have_text([long.strip(), long.strip()])
