from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import STANDARD_FIELDS, filter_values, kinds_of, product_from_row
from schemas import Product, widen_kind


def product(**columns: Any) -> Product:
    return product_from_row({"id": "1", "title": "Chair"} | columns).product


def test_standard_fields_have_their_kinds_whatever_their_values() -> None:
    found = product(price=10, color=["red"], tags="new", in_stock=True, brand="A", group_id="g")
    assert kinds_of(found) == {
        "id": "keyword",
        "price": "float",
        "color": "keyword",
        "tags": "keyword",
        "in_stock": "bool",
        "brand": "keyword",
        "group_id": "keyword",
    }
    assert filter_values(found, STANDARD_FIELDS) == {
        "id": "1",
        "price": 10.0,
        "color": "red",
        "tags": ["new"],
        "in_stock": True,
        "brand": "A",
        "group_id": "g",
    }


@pytest.mark.parametrize(
    ("value", "kind", "stored"),
    [
        ("oak", "keyword", "oak"),
        (True, "bool", True),
        (3, "integer", 3),
        (2**53, "integer", 2**53),
        (2**53 + 1, "float", float(2**53 + 1)),
        (-(10**30), "float", -1e30),
        (1.5, "float", 1.5),
        ([1, 2], "integer", [1, 2]),
        ([1, 2.5], "float", [1, 2.5]),
        (["a", 1, True], "keyword", ["a", "1", "true"]),
        ([True, 1], "keyword", ["true", "1"]),
        ([None, "", "a"], "keyword", ["a"]),
    ],
)
def test_attributes_have_the_kind_of_their_value(value: Any, kind: str, stored: Any) -> None:
    found = product(size=value)
    kinds = kinds_of(found)
    assert kinds["size"] == kind
    values = filter_values(found, kinds)
    assert values["size"] == stored
    assert type(values["size"]) is type(stored)


@pytest.mark.parametrize("value", [[], [None], {}, [{"a": 1}], [[1]], [1, [2]], ["a", {"b": 1}]])
def test_what_is_neither_scalar_nor_list_of_scalars_is_kept_but_no_field(value: Any) -> None:
    found = product(size=value)
    assert "size" not in kinds_of(found)
    assert found.to_row()["size"] == value


def test_nested_objects_are_fields_by_their_full_names() -> None:
    found = product(nutrition={"protein": 3, "per": {"unit": "g", "note": " "}, "rows": [{"a": 1}]})
    kinds = kinds_of(found)
    assert {name for name in kinds if name != "id"} == {"nutrition.protein", "nutrition.per.unit"}
    assert filter_values(found, kinds) == {"id": "1", "nutrition.protein": 3, "nutrition.per.unit": "g"}


def test_values_follow_the_kinds_of_the_catalog() -> None:
    found = product(size=3, legs=4, other="x")
    assert filter_values(found, {"size": "keyword", "legs": "float"}) == {"size": "3", "legs": 4}


def test_names_that_a_payload_path_cannot_quote() -> None:
    found = product(**{'6" \\ 100%': 1})
    assert filter_values(found, kinds_of(found)) == {"id": "1", "6%22 %5C 100%25": 1}


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b", "c"]),
            st.text(st.characters(exclude_categories=["Cs"])) | st.booleans() | st.integers() | st.floats(-9, 9),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_every_value_fits_the_kind_of_the_whole_catalog(rows: list[dict[str, Any]]) -> None:
    products = [product(**row) for row in rows]
    kinds = dict(STANDARD_FIELDS)
    for found in products:
        for name, kind in kinds_of(found).items():
            kinds[name] = widen_kind(kinds.get(name), kind)
    fits = {"keyword": str, "bool": bool, "integer": int, "float": int | float}
    for found in products:
        values = filter_values(found, kinds)
        assert json.loads(json.dumps(values)) == values
        for name, value in values.items():
            assert isinstance(value, fits[kinds[name]])
            assert isinstance(value, bool) == (kinds[name] == "bool")
