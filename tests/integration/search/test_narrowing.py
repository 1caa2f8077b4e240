"""Filters, facets, sorting and groups against a plain loop over the rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from schemas import Facet, SearchResponse, UnknownField, WrongType
from tests.integration.search.conftest import Shop
from tests.support.calibrated import calibrated

FILTERS: list[dict[str, Any]] = [
    {},
    {"brand": "Kissenwerk"},
    {"brand": ["Kissenwerk", "Northlight", "nobody"]},
    {"color": "white"},
    {"tags": ["garden", "indoor"]},
    {"in_stock": True},
    {"in_stock": False},
    {"rating": 2},
    {"rating": {"gt": 1}},
    {"corners": [0, 6]},
    {"price": {"gte": 11.5, "lt": 14.5}},
    {"price": 12.5},
    {"weight_kg": {"lte": 0.6}},
    {"id": "star-plain-red"},
    {"not": {"color": "white"}},
    {"not": {"price": {"gte": 0}}},
    {"not": {"brand": "Kissenwerk", "in_stock": True}},
    {"any": [{"material": "wool"}, {"price": {"gt": 14}}]},
    {"all": [{"any": [{"rating": 1}, {"rating": 3}]}, {"not": {"not": {"color": "red"}}}]},
    {"brand": "Soft & Co", "price": {"gte": 11}, "in_stock": True, "not": {"color": "red"}},
    {"brand": "nobody"},
    {"brand": None},
    {"in_stock": None, "category": "Round cushions"},
    {"price": [None, 12.5]},
    {"not": {"group_id": None}},
    {"any": [{"rating": None}, {"not": {"brand": [None, "Kissenwerk"]}}]},
    {"all": [{"group_id": [None]}, {"any": [{"corners": [None, 5]}, {"material": None}]}]},
    {"id": None},
]
SORTS: list[list[dict[str, str]]] = [
    [{"field": "price"}],
    [{"field": "price", "order": "desc"}],
    [{"field": "in_stock"}],
    [{"field": "in_stock", "order": "desc"}],
    [{"field": "rating", "order": "desc"}, {"field": "price"}],
    [{"field": "in_stock", "order": "desc"}, {"field": "price"}, {"field": "rating"}],
]
FACETS = ["brand", "color", "tags", "in_stock", "rating", "price", "group_id"]


def facet_of(name: str, kind: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    held = [row[name] if isinstance(row.get(name), list) else [row[name]] for row in rows if row.get(name) is not None]
    values = [value for several in held for value in several]
    numeric = kind in ("integer", "float") and values
    return {
        "values": {} if kind == "float" else dict(Counter(values)),
        "min": min(values) if numeric else None,
        "max": max(values) if numeric else None,
        "missing": len(rows) - len(held),
    }


def without(filter: dict[str, Any], name: str) -> dict[str, Any]:
    """A filter less its conditions on a field, as far as they must hold."""
    rest = {key: value for key, value in filter.items() if key != name}
    return rest | ({"all": [without(part, name) for part in filter["all"]]} if "all" in filter else {})


def as_counted(facet: Facet) -> dict[str, Any]:
    counts = [value.count for value in facet.values]
    assert counts == sorted(counts, reverse=True)
    return {
        "values": {value.value: value.count for value in facet.values},
        **facet.model_dump(include={"min", "max", "missing"}),
    }


@pytest.mark.parametrize("filter", FILTERS, ids=str)
def test_a_filter_means_the_same_in_every_kind_of_request(shop: Shop, filter: dict[str, Any]) -> None:
    expected = sorted(row["id"] for row in shop.matching(filter))
    asked: list[dict[str, Any]] = [
        {"sort": [{"field": "price"}]},
        {"text": "striped cushion"},
        {"photo": shop.photo("star-plain-red")},
    ]
    for request in asked:
        found = shop.search(**request, filter=filter, limit=100)
        assert sorted(hit.id for hit in found.hits) == expected
        assert (found.total.value, found.total.relation) == (len(expected), "eq")


@pytest.mark.parametrize("filter", FILTERS, ids=str)
@pytest.mark.parametrize("text", [None, "red cushion"])
def test_facets_count_everything_that_matches(shop: Shop, filter: dict[str, Any], text: str | None) -> None:
    found = shop.search(text=text, filter=filter, facets=FACETS, sort=None if text else [{"field": "price"}], limit=1)
    assert found.facets is not None
    kinds = shop.searcher.index.record.fields
    assert {name: as_counted(facet) for name, facet in found.facets.items()} == {
        name: facet_of(name, kinds[name], shop.matching(without(filter, name))) for name in FACETS
    }


@pytest.mark.parametrize("text", [None, "red cushion"])
def test_what_a_facet_counts_as_missing_can_be_asked_for(shop: Shop, text: str | None) -> None:
    request: dict[str, Any] = {"text": text} if text else {"sort": [{"field": "price"}]}
    facets = shop.search(**request, facets=FACETS, limit=1).facets
    assert facets is not None
    for name, facet in facets.items():
        assert shop.search(**request, filter={name: None}, limit=1).total.value == facet.missing


@pytest.mark.parametrize("sort", SORTS, ids=str)
@pytest.mark.parametrize("filter", [{}, {"color": "white"}], ids=str)
def test_a_browse_is_in_order_with_what_lacks_a_value_last(
    shop: Shop, sort: list[dict[str, str]], filter: dict[str, Any]
) -> None:
    assert shop.ids(filter=filter, sort=sort) == [row["id"] for row in shop.ordered(filter, sort)]


def test_a_sorted_search_is_sorted_among_what_has_every_word(shop: Shop) -> None:
    found = shop.search(text="striped star", sort=[{"field": "price", "order": "desc"}], facets=["color"])
    prices = [hit.product.get("price") for hit in found.hits]
    assert len(prices) == 4
    assert prices == sorted(prices, key=lambda price: (price is None, -(price or 0)))
    assert found.facets is not None
    assert {value.value: value.count for value in found.facets["color"].values}["white"] == 4
    assert found.notices[:1] == ["sorted among the 4 products that have every word of the request"]


def test_a_sorted_photo_search_is_all_of_it_in_order_ties_by_rank(shop: Shop) -> None:
    photo = shop.photo("circle-plain-red")
    ranked = shop.ids(photo=photo)
    rows = [shop.row(id) for id in ranked]
    expected = sorted(rows, key=lambda row: (row.get("rating") is None, row.get("rating", 0)))
    assert shop.ids(photo=photo, sort=[{"field": "rating"}]) == [row["id"] for row in expected]


class TestGroups:
    def test_show_the_first_of_each_and_say_who_the_others_are(self, shop: Shop) -> None:
        found = shop.search(text="striped star", group_by="group_id", limit=100)
        first = found.hits[0]
        assert first.group is not None
        assert (first.group.value, first.group.siblings) == ("star-striped", 3)
        assert {first.id, *first.group.sibling_ids} == {f"star-striped-{c}" for c in ("red", "green", "blue", "yellow")}
        assert found.total.value == len(found.hits) == 6 + 24

    def test_of_a_browse_are_led_by_the_first_in_order(self, shop: Shop) -> None:
        sort = [{"field": "price", "order": "desc"}]
        groups: dict[str, list[str]] = {}
        for row in shop.ordered({}, sort):
            groups.setdefault(row.get("group_id", row["id"]), []).append(row["id"])
        found = shop.search(sort=sort, group_by="group_id", limit=100)
        assert found.total.value == len(groups)
        assert [[hit.id, *(hit.group.sibling_ids if hit.group else [])] for hit in found.hits] == list(groups.values())
        assert all(hit.group and hit.group.siblings == len(hit.group.sibling_ids) for hit in found.hits)

    @pytest.mark.parametrize("request_", [{"text": "cushion"}, {"sort": [{"field": "price"}]}])
    def test_count_only_members_that_match(self, shop: Shop, request_: dict[str, Any]) -> None:
        found = shop.search(**request_, filter={"color": ["red", "blue"], "tags": "garden"}, group_by="group_id")
        assert [hit.group.siblings for hit in found.hits if hit.group] == [1] * 6


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"filter": {"colour": "red"}}, "filter.colour"),
        ({"text": "x", "facets": ["colour"]}, "facets"),
        ({"text": "x", "sort": [{"field": "colour"}]}, "sort"),
        ({"sort": [{"field": "colour"}]}, "sort"),
        ({"text": "x", "group_by": "colour"}, "group_by"),
        ({"sort": [{"field": "price"}], "group_by": "colour"}, "group_by"),
    ],
)
def test_an_unknown_field_is_named_with_those_there_are(shop: Shop, request_: dict[str, Any], field: str) -> None:
    with pytest.raises(UnknownField, match=r"there is no field 'colour'.*in_stock") as refused:
        shop.search(**request_)
    assert refused.value.field == field


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("field", ["title", "brand", "color"])
@pytest.mark.parametrize("text", [None, "star"])
def test_text_is_sorted_by_its_letters(shop: Shop, text: str | None, field: str, order: str) -> None:
    pages = shop.pages(7, text=text, sort=[{"field": field, "order": order}])
    rows = [shop.row(hit.id) for page in pages for hit in page.hits]
    values = [row.get(field) for row in rows]
    firsts = [value[0].lower() if isinstance(value, list) else value.lower() for value in values if value]
    assert firsts == sorted(firsts, reverse=order == "desc")
    assert values[len(firsts) :] == [None] * (len(values) - len(firsts))
    assert len({row["id"] for row in rows}) == len(rows) == pages[0].total.value


def test_at_most_so_many_of_a_value_on_all_pages_together(shop: Shop) -> None:
    sorted_too: dict[str, Any] = {"text": "cushion", "sort": [{"field": "price"}]}
    requests: list[dict[str, Any]] = [{"text": "cushion"}, {"filter": {}}, sorted_too]
    for request in requests:
        pages = shop.pages(4, max_per={"brand": 2}, **request)
        brands = Counter(shop.row(hit.id).get("brand") for page in pages for hit in page.hits)
        assert all(count == 2 for brand, count in brands.items() if brand)
        assert sum(brands.values()) == pages[0].total.value


@pytest.mark.parametrize(
    "more", [{}, {"sort": [{"field": "price"}]}, {"diversity": 0.5}, {"group_by": "corners"}], ids=str
)
@pytest.mark.parametrize("words", ["good", "none"])
def test_at_most_so_many_of_a_value_in_the_tail_as_well(shop: Shop, words: str, more: dict[str, Any]) -> None:
    judged = replace(shop, searcher=calibrated(shop.searcher.index, words, floor=0.95))
    pages = judged.pages(4, text="red star", tail=True, max_per={"brand": 2}, **more)
    hits = [hit for page in pages for hit in page.hits]
    brands = Counter(brand for hit in hits if (brand := shop.row(hit.id).get("brand")))
    assert len({hit.id for hit in hits}) == len(hits) > pages[0].total.value
    assert [bool(hit.tail) for hit in hits] == [at >= pages[0].total.value for at in range(len(hits))]
    assert max(brands.values()) <= 2
    if "group_by" not in more:
        assert set(brands.values()) == {2} and len(brands) == len({row.get("brand") for row in shop.rows} - {None})


def test_a_group_without_a_value_is_sent_as_it_is_described(shop: Shop) -> None:
    for text in (None, "star"):
        found = shop.search(text=text, filter={"brand": None}, group_by="brand")
        assert found.hits and all(hit.group and hit.group.value is None for hit in found.hits)
        sent = found.model_dump_json(exclude_none=True)
        assert SearchResponse.model_validate_json(sent) == found


def test_of_a_list_the_first_value_counts_as_in_groups(shop: Shop) -> None:
    colors = [shop.row(id)["color"] for id in shop.ids(filter={}, max_per={"color": 1})]
    firsts = [color[0] if isinstance(color, list) else color for color in colors]
    grouped = shop.search(filter={}, group_by="color", limit=100).hits
    assert firsts == [hit.group.value for hit in grouped if hit.group]
    assert any(isinstance(color, list) for color in colors)


def test_pages_by_number_are_those_of_cursors(shop: Shop) -> None:
    grouped: dict[str, Any] = {"text": "cushion", "group_by": "brand"}
    requests: list[dict[str, Any]] = [{"text": "red cushion"}, {"filter": {}}, grouped]
    for request in requests:
        pages = shop.pages(5, **request)
        by_number = [shop.search(limit=5, page=number, **request) for number in range(1, len(pages) + 1)]
        assert [page.hits for page in by_number] == [page.hits for page in pages]
        assert shop.search(limit=5, page=len(pages) + 1, **request).hits == []


def test_no_hits_are_asked_for_where_counts_are_wanted(shop: Shop) -> None:
    counts = shop.search(filter={}, facets=["brand"], limit=0)
    assert (counts.hits, counts.next_cursor, counts.total.value) == ([], None, len(shop.rows))
    assert counts.facets is not None and counts.facets["brand"].values


def test_hits_that_differ_come_forward(shop: Shop) -> None:
    request: dict[str, Any] = {"text": "plain red star cushion", "limit": 4}
    plain, diverse = shop.ids(**request), shop.ids(**request, diversity=0.9)
    assert plain[0] == diverse[0] and plain != diverse
    assert sorted(shop.ids(text="plain red star cushion", diversity=0.9)) == sorted(
        shop.ids(text="plain red star cushion")
    )


@pytest.mark.parametrize("text", [None, "star"])
def test_fractions_are_not_grouped_by(shop: Shop, text: str | None) -> None:
    with pytest.raises(WrongType, match="'price' is a number with fractions"):
        shop.search(text=text, filter={"in_stock": True}, group_by="price")
