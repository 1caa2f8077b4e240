"""Sorting and grouping by fields that hold lists, mixed numbers and nothing at all, against a plain loop, on every
engine: every product is there once, whatever the field, the direction, the second key, the group and the page size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.protocols import IndexBuild, IndexStore, Point, all_points
from schemas import FieldKind, Hit, SearchRequest, SearchResponse, Sort, stored_name
from search import Searcher
from tests.integration.index.conftest import engine, store
from tests.support.encoders import HashEncoder
from tests.support.points import index_record

__all__ = ["engine", "store"]  # the fixtures

ODD = 'a "b"[0].c'
FIELDS: dict[str, FieldKind] = {
    "sizes": "integer",
    "weight": "float",
    "sold": "bool",
    "tags": "keyword",
    ODD: "integer",
    "nowhere": "integer",
}
SORTABLE = [name for name, kind in FIELDS.items() if kind != "keyword"]
GROUPABLE = [name for name, kind in FIELDS.items() if kind != "float"]
Fields = dict[str, Any]

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "sizes": st.integers(36, 40) | st.sampled_from([-(2**53), 2**53]),
    "weight": st.sampled_from([0.0, -0.0, 0, 1, 1.0, 0.1, -2.5, 3e300, -3e300, 5e-324, 1e19]),
    "sold": st.booleans(),
    "tags": st.sampled_from(["red", "green", "blue", 'ünï "x"', "true", "0"]),
    ODD: st.integers(0, 1),
}
_PRODUCTS = st.lists(
    st.fixed_dictionaries(
        {}, optional={name: value | st.lists(value, min_size=1, max_size=4) for name, value in _VALUES.items()}
    ),
    min_size=1,
    max_size=14,
)
_SORTS = st.lists(
    st.builds(
        lambda field, order: {"field": field, "order": order},
        st.sampled_from(SORTABLE),
        st.sampled_from(["asc", "desc"]),
    ),
    max_size=3,
)
_FILTERS = st.sampled_from([{"id": [f"p{n}" for n in range(14)]}, {"sizes": {"gt": 37}}, {"tags": [None, "green"]}])


@dataclass(frozen=True)
class Shelf:
    """Products behind a search, written anew for each example."""

    build: IndexBuild
    searcher: Searcher

    def put(self, products: list[Fields]) -> None:
        self.build.delete(list(all_points(self.build.index)))
        self.build.upsert([_point(number, fields) for number, fields in enumerate(products)])

    def ask(self, **request: Any) -> SearchResponse:
        return self.searcher.search(SearchRequest.model_validate(request)).response

    def pages(self, limit: int, **request: Any) -> tuple[list[Hit], set[int]]:
        """The hits of all pages, and the totals that they told."""
        hits: list[Hit] = []
        totals: set[int] = set()
        cursor = None
        while cursor or not totals:
            page = self.ask(**request, limit=limit, cursor=cursor)
            hits += page.hits
            totals.add(page.total.value)
            cursor = page.next_cursor
            assert len(page.hits) == limit or not cursor
            assert len(hits) <= 100, "pages without end"
        return hits, totals


def _point(number: int, fields: Fields) -> Point:
    id, title = f"p{number}", f"thing number{number}"
    payload = {
        "id": id,
        "product": {"id": id, "title": title},
        "fields": {"id": id, **{stored_name(name): value for name, value in fields.items()}},
        "title_key": title,
        "root": "",
        "hashes": {},
    }
    return Point(UUID(int=number), payload, {"title": HashEncoder().encode_texts([title])[0]}, title)


@pytest.fixture
def shelf(store: IndexStore) -> Iterator[Shelf]:
    with store.lock():
        build = store.begin(index_record({"id": "keyword", **FIELDS}, HashEncoder.spec))
        yield Shelf(build, Searcher(build.index, HashEncoder()))


def _held(fields: Fields, name: str) -> list[Any]:
    value = fields.get(name, [])
    return value if isinstance(value, list) else [value]


def _in_order(ids: list[str], products: list[Fields], sort: list[dict[str, str]]) -> list[str]:
    """By the keys in turn, of a list the value that comes first; what lacks one last; ties as they were."""
    for key in reversed(sort):
        descending = key["order"] == "desc"
        first: dict[str, Any] = {
            id: (max if descending else min)(_held(products[int(id[1:])], key["field"]), default=None) for id in ids
        }
        have = [id for id in ids if first[id] is not None]
        ids = sorted(have, key=first.__getitem__, reverse=descending) + [id for id in ids if first[id] is None]
    return ids


def _grouped(ids: list[str], products: list[Fields], field: str | None) -> list[list[str]]:
    groups: dict[Any, list[str]] = {}
    for id in ids:
        held = _held(products[int(id[1:])], field) if field else []
        groups.setdefault((held[0],) if held else id, []).append(id)
    return list(groups.values())


def _passing(products: list[Fields], filter: dict[str, Any]) -> list[str]:
    def passes(fields: Fields) -> bool:
        if "sizes" in filter:
            return any(size > 37 for size in _held(fields, "sizes"))
        return "tags" not in filter or "green" in _held(fields, "tags") or not _held(fields, "tags")

    return [f"p{number}" for number, fields in enumerate(products) if passes(fields)]


def _assert_pages(shelf: Shelf, limit: int, expected: list[list[str]], **request: Any) -> None:
    hits, totals = shelf.pages(limit, **request)
    assert [[hit.id, *(hit.group.sibling_ids if hit.group else [])] for hit in hits] == expected
    assert all(hit.group is None or hit.group.siblings == len(hit.group.sibling_ids) for hit in hits)
    assert totals == {len(expected)}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_PRODUCTS, _FILTERS, _SORTS, st.none() | st.sampled_from(GROUPABLE), st.integers(1, 5))
def test_a_browse_has_every_product_once_and_in_order(
    shelf: Shelf,
    products: list[Fields],
    filter: dict[str, Any],
    sort: list[dict[str, str]],
    group_by: str | None,
    limit: int,
) -> None:
    shelf.put(products)
    expected = _grouped(_in_order(_passing(products, filter), products, sort), products, group_by)
    _assert_pages(shelf, limit, expected, filter=filter, sort=sort, group_by=group_by)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_PRODUCTS, _FILTERS, _SORTS, st.none() | st.sampled_from(GROUPABLE), st.integers(1, 5))
def test_a_search_has_every_product_once_and_in_order(
    shelf: Shelf,
    products: list[Fields],
    filter: dict[str, Any],
    sort: list[dict[str, str]],
    group_by: str | None,
    limit: int,
) -> None:
    shelf.put(products)
    ranked = [hit.id for hit in shelf.ask(text="thing", filter=filter, limit=100).hits]
    assert sorted(ranked) == sorted(_passing(products, filter))
    expected = _grouped(_in_order(ranked, products, sort), products, group_by)
    _assert_pages(shelf, limit, expected, text="thing", filter=filter, sort=sort, group_by=group_by)


def test_pages_by_a_list_end(shelf: Shelf) -> None:
    shelf.put([{"sizes": [36 + i % 4, 40 + i % 3]} for i in range(9)])
    hits, totals = shelf.pages(2, filter={"sizes": {"gt": 0}}, sort=[{"field": "sizes"}])
    assert [hit.id for hit in hits] == ["p0", "p4", "p8", "p1", "p5", "p2", "p6", "p3", "p7"]
    assert totals == {9}


def test_a_number_that_a_list_repeats_loses_nobody(shelf: Shelf) -> None:
    shelf.put([{"sizes": 37}, {"sizes": [36, 36, 36]}])
    hits, totals = shelf.pages(2, filter={"id": ["p0", "p1"]}, sort=[{"field": "sizes"}])
    assert ([hit.id for hit in hits], totals) == (["p1", "p0"], {2})


def test_a_product_whose_every_value_leads_a_group_is_not_lost(shelf: Shelf) -> None:
    shelf.put([{"tags": ["red", "green"]}, {"tags": ["green"]}, {"tags": "blue"}, {}])
    hits, totals = shelf.pages(2, filter={"id": ["p0", "p1", "p2", "p3"]}, group_by="tags")
    assert [(hit.id, hit.group and hit.group.value) for hit in hits] == [
        ("p0", "red"),
        ("p1", "green"),
        ("p2", "blue"),
        ("p3", None),
    ]
    assert totals == {4}


@pytest.mark.parametrize("several", [False, True], ids=["one value", "lists"])
def test_groups_cost_the_same_however_large_they_are(shelf: Shelf, several: bool) -> None:
    """What is left of a group that was shown is not looked at product by product."""
    shelf.put([{"tags": [f"t{n % 2}", *(["more"] if several else [])], "sizes": n % 7} for n in range(400)])
    index, asked = shelf.build.index, 0

    class Counting:
        def __getattr__(self, name: str) -> Any:
            nonlocal asked
            asked += 1
            return getattr(index, name)

    found = Searcher(Counting(), HashEncoder()).search(
        SearchRequest(sort=[Sort(field="sizes")], group_by="tags", limit=5)
    )
    assert [(hit.group and hit.group.siblings) for hit in found.response.hits] == [199, 199]
    assert asked < 100
