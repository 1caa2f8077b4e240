from __future__ import annotations

from uuid import UUID

import pytest

from schemas import FacetValue, UnknownField
from search.facets import check_facets, of_candidates
from search.groups import collapse

A, B, C = (UUID(int=n) for n in (1, 2, 3))


def test_values_are_counted_over_the_candidates_and_no_others() -> None:
    values = {A: {"brand": "x"}, B: {"brand": "y"}, C: {"brand": "x"}}
    facet = of_candidates(["brand"], {"brand": "keyword"}, values, [A, B])["brand"]
    assert facet.values == [FacetValue(value="x", count=1), FacetValue(value="y", count=1)]


def test_a_list_counts_once_for_each_of_its_values() -> None:
    facet = of_candidates(["tags"], {"tags": "keyword"}, {A: {"tags": ["s", "s", "t"]}, B: {"tags": ["s"]}}, [A, B, C])[
        "tags"
    ]
    assert facet.values == [FacetValue(value="s", count=2), FacetValue(value="t", count=1)]
    assert facet.missing == 1


def test_numbers_have_a_range() -> None:
    facets = of_candidates(
        ["p", "n"], {"p": "float", "n": "integer"}, {A: {"p": 2.5, "n": 3}, B: {"p": 9, "n": 3}}, [A, B]
    )
    assert (facets["p"].min, facets["p"].max, facets["p"].values) == (2.5, 9, [])
    assert (facets["n"].min, facets["n"].max, facets["n"].values) == (3, 3, [FacetValue(value=3, count=2)])


def test_an_unknown_facet_lists_the_known() -> None:
    with pytest.raises(UnknownField, match=r"known are brand \(text\)"):
        check_facets(["nope"], {"brand": "keyword"})


def test_groups_stand_in_the_order_of_their_best_and_what_has_no_group_stands_alone() -> None:
    values = {A: {"g": "one"}, C: {"g": "one"}}
    assert collapse([A, B, C], values, "g") == [("one", [A, C]), (None, [B])]
