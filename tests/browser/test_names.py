"""Columns that are called as what every object of JavaScript has."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.driver import Page, expect
from tests.browser.looks import cards, facet, ids
from tests.browser.service import Catalog

pytestmark = pytest.mark.browser


def _tick(page: Page, field: str, value: str) -> None:
    facet(page, field).get_by_role("checkbox", name=re.compile(rf"^{value}\b")).check()


def test_they_are_filtered_sorted_shown_and_kept_in_the_address(open_page: OpenPage, catalog: Catalog) -> None:
    page = open_page("/?browse=1")
    cards(page)
    _tick(page, "Proto", "beta")
    _tick(page, "Proto", "gamma")
    _tick(page, "Constructor", "oak")
    _tick(page, "HasOwnProperty", "No")
    facet(page, "ToString")
    page.get_by_label("ToString, from").fill("1")
    page.get_by_label("ToString, from").press("Enter")
    facet(page, "ValueOf")
    page.get_by_label("ValueOf, to").fill("11")
    page.get_by_label("ValueOf, to").press("Enter")
    expect(page.locator(".chip")).to_have_count(6)
    page.get_by_label("Sort").select_option("ToString: high to low")
    expect(page).to_have_url(re.compile("sort=toString%3Adesc"))

    def passes(row: dict[str, Any]) -> bool:
        in_proto = {"beta", "gamma"}.intersection(
            row["__proto__"] if isinstance(row["__proto__"], list) else [row["__proto__"]]
        )
        whole = row["constructor"] == "oak" and not row["hasOwnProperty"]
        return bool(in_proto) and whole and row["toString"] >= 1 and row["valueOf"] <= 11

    by_id = {row["id"]: row for row in catalog.rows}
    groups = {row.get("group_id", row["id"]) for row in catalog.rows if passes(row)}
    assert 3 < len(groups) < 20

    def assert_shown() -> None:
        expect(page.locator("#grid > .card:not(.skeleton)")).to_have_count(len(groups))
        shown = [by_id[product_id] for product_id in ids(page)]
        assert all(passes(row) for row in shown)
        numbers = [row["toString"] for row in shown]
        assert numbers == sorted(numbers, reverse=True)

    assert_shown()
    # What is not ticked is still counted, to be added.
    pine = facet(page, "Constructor").locator("li").filter(has_text="pine")
    expect(pine.locator(".count")).not_to_have_text("0")
    page.reload()
    expect(page.locator(".chip")).to_have_count(6)
    assert_shown()

    cards(page).first.locator(".card-open").click()
    details = page.get_by_role("dialog").locator("dl > div")
    for name in ("Constructor", "Proto", "HasOwnProperty", "ToString", "ValueOf"):
        expect(details.filter(has=page.get_by_text(name, exact=True))).to_have_count(1)
    page.keyboard.press("Escape")
    for left in range(5, -1, -1):
        page.locator(".chip").first.click()
        expect(page.locator(".chip")).to_have_count(left)
    expect(page.locator("#chips")).to_be_hidden()
