from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import All, AnyOf, FacetValue, Match, Not, Range, UnknownField
from search.facets import BUCKETS, bucket_edges, check_facets, count_values, without
from search.groups import collapse

A, B, C = (UUID(int=n) for n in (1, 2, 3))
RED, CHEAP = Match("color", "keyword", ("red",)), Range("price", lt=9.0)


def test_a_list_counts_once_for_each_of_its_values() -> None:
    facet = count_values("tags", "keyword", [[{"tags": ["s", "s", "t"]}], [{"tags": ["s"]}], [{}]])
    assert facet.values == [FacetValue(value="s", count=2), FacetValue(value="t", count=1)]
    assert facet.missing == 1


def test_a_group_counts_once_for_each_value_of_its_members() -> None:
    facet = count_values("size", "keyword", [[{"size": "s"}, {"size": "m"}, {"size": "s"}, {}], [{"size": "m"}]])
    assert facet.values == [FacetValue(value="m", count=2), FacetValue(value="s", count=1)]
    assert facet.missing == 0


def test_numbers_have_a_range_and_buckets() -> None:
    price = count_values("p", "float", [[{"p": 2.5}], [{"p": 9}], [{"p": 12.0}]])
    assert (price.min, price.max, price.values) == (2.5, 12, [])
    assert price.histogram and sum(bucket.count for bucket in price.histogram) == 3
    count = count_values("n", "integer", [[{"n": 3}], [{"n": 3}]])
    assert (count.min, count.max, count.values) == (3, 3, [FacetValue(value=3, count=2)])
    assert count.histogram is None


@given(st.floats(-1e9, 1e9, allow_subnormal=False), st.floats(1e-6, 1e9))
def test_buckets_are_equal_and_hold_everything(low: float, span: float) -> None:
    edges = bucket_edges(low, low + span)
    if edges:
        assert edges[0] <= low + 1e-9 * abs(low) and low + span <= edges[-1]
        assert 1 <= len(edges) - 1 <= BUCKETS + 2


def test_a_field_is_counted_without_its_own_part_of_the_filter() -> None:
    assert without(All((RED, CHEAP)), "color") == All((CHEAP,))
    assert without(All((AnyOf((RED, Match("color", "keyword", ("blue",)))), CHEAP)), "color") == All((CHEAP,))
    assert without(All((Not(RED), All((RED, CHEAP)))), "color") == All((All((CHEAP,)),))
    mixed = All((AnyOf((RED, CHEAP)),))
    assert without(mixed, "color") == mixed


def test_an_unknown_facet_lists_the_known() -> None:
    with pytest.raises(UnknownField, match=r"known are brand \(text\)"):
        check_facets(["nope"], {"brand": "keyword"})


def test_groups_stand_in_the_order_of_their_best_and_what_has_no_group_stands_alone() -> None:
    values = {A: {"g": "one"}, C: {"g": "one"}}
    assert collapse([A, B, C], values, "g") == [("one", [A, C]), (None, [B])]
