"""Every kind of filter on generated products, compared with the meaning spelled out in ``tests.support.points``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.protocols import IndexBuild, IndexStore, all_points
from schemas import All, AnyOf, Decided, FieldKind, Filter, First, HasId, HasWord, Match, Missing, Not, Range
from tests.support.points import index_record, make_point, matches

TITLES = ("red shoes", "red boots", "blue shoes")
ODD = 'odd "name" [0].ünï\\%22\n'
FIELDS: dict[str, FieldKind] = {
    "brand": "keyword",
    "price": "float",
    "stock": "integer",
    "sold": "bool",
    ODD: "keyword",
}

_SCALARS: dict[FieldKind, st.SearchStrategy[Any]] = {
    "keyword": st.sampled_from(["a", "b", "", "true", "1", "ünï 😀"]),
    "integer": st.integers(-3, 3) | st.just(2**40),
    "float": st.sampled_from([-1.5, 0.0, 0.1, 2.0, 1e12]) | st.integers(-2, 2),
    "bool": st.booleans(),
}


def _values(kind: FieldKind) -> st.SearchStrategy[Any]:
    return _SCALARS[kind] | st.lists(_SCALARS[kind], max_size=3)


_PRODUCTS = st.lists(
    st.fixed_dictionaries({}, optional={name: _values(kind) for name, kind in FIELDS.items()}), min_size=1, max_size=20
)


def _matches(name: str, kind: FieldKind) -> st.SearchStrategy[Filter]:
    values = st.lists(_SCALARS[kind], min_size=1, max_size=3).map(tuple)
    return st.builds(lambda matching, values: matching(name, kind, values), st.sampled_from([Match, First]), values)


def _ranges(name: str, kind: FieldKind) -> st.SearchStrategy[Filter]:
    bounds = st.fixed_dictionaries(
        {}, optional={bound: _SCALARS[kind].map(float) for bound in ("gt", "gte", "lt", "lte")}
    )
    return bounds.filter(bool).map(lambda given: Range(name, **given))


_LEAVES = st.one_of(
    *(_matches(name, kind) for name, kind in FIELDS.items()),
    *(_ranges(name, kind) for name, kind in FIELDS.items() if kind in ("integer", "float")),
    st.sampled_from([*FIELDS]).map(Missing),
    st.lists(st.integers(0, 20).map(lambda number: UUID(int=number)), max_size=5).map(lambda ids: HasId(tuple(ids))),
    st.sampled_from([("block",), ("review", "block"), ("allow",)]).map(Decided),
    st.builds(HasWord, st.sampled_from([("red",), ("boots", "shoes"), ("wool", "red"), ("none",)]), st.booleans()),
)
_FILTERS: st.SearchStrategy[Filter] = st.recursive(
    _LEAVES,
    lambda part: st.one_of(
        part.map(Not),
        st.lists(part, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(part, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
    ),
    max_leaves=6,
)


@pytest.fixture
def build(store: IndexStore) -> Iterator[IndexBuild]:
    with store.lock():
        yield store.begin(index_record(FIELDS))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(products=_PRODUCTS, filters=st.lists(_FILTERS, min_size=5, max_size=20))
def test_filters_mean_what_they_say(build: IndexBuild, products: list[dict[str, Any]], filters: list[Filter]) -> None:
    build.delete(list(all_points(build.index)))
    points = [
        make_point(n, fields, vectors=("title",), words=f"{TITLES[n % 3]} of wool", title_key=TITLES[n % 3])
        for n, fields in enumerate(products)
    ]
    for point in points[::3]:
        point.payload["moderation"] = {"action": ("block", "review")[point.id.int % 2]}
    build.upsert(points)
    for filter in filters:
        expected = [point.id for point, fields in zip(points, products, strict=True) if matches(filter, fields, point)]
        assert build.index.scan(filter, 100) == expected, filter
        assert build.index.count(filter) == len(expected), filter


def test_of_two_bounds_on_a_side_the_tighter_counts(build: IndexBuild) -> None:
    build.upsert([make_point(1, {"price": -1.5}, vectors=("title",))])
    assert build.index.count(Range("price", gt=-2.0, gte=0.0)) == 0
    assert build.index.count(Range("price", gt=-2.0, gte=-5.0, lt=0.0, lte=9.0)) == 1
    assert build.index.count(Range("price", lt=9.0, lte=-3.0)) == 0
