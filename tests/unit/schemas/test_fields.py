from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import FieldKind, field_values, fit, number_in, one_number, stored_fields, stored_name, unfit_values


@pytest.mark.parametrize(
    ("value", "kind", "stored"),
    [
        (True, "keyword", "true"),
        (7, "keyword", "7"),
        (7.0, "keyword", "7"),
        (7.5, "keyword", "7.5"),
        (-0.0, "keyword", "0"),
        ("x", "keyword", "x"),
        ("90.750", "keyword", "90.750"),
        ([1, True, "x", 42.0], "keyword", ["1", "true", "x", "42"]),
        (7, "float", 7),
        (7.0, "float", 7),
        ("7.50", "float", 7.5),
        (7.0, "integer", 7),
        (" 42 ", "integer", 42),
        ("42.0", "integer", 42),
        (False, "bool", False),
        ("TRUE", "bool", True),
        (0, "bool", False),
        (float(2**53 + 2), "float", float(2**53 + 2)),
    ],
)
def test_values_as_stored(value: Any, kind: FieldKind, stored: Any) -> None:
    fitted = fit(value, kind)
    assert (fitted.value, fitted.unfit) == (stored, ())
    assert type(fitted.value) is type(stored)


@pytest.mark.parametrize(
    ("value", "kind", "left", "unfit"),
    [
        ("n/a", "float", None, ("n/a",)),
        ("007", "integer", None, ("007",)),
        ("1e3", "float", None, ("1e3",)),
        (True, "float", None, (True,)),
        (2.5, "integer", None, (2.5,)),
        ("yes", "bool", None, ("yes",)),
        (2, "bool", None, (2,)),
        ([1, "S", 2], "integer", [1, 2], ("S",)),
        (["S"], "float", None, ("S",)),
    ],
)
def test_what_does_not_fit_is_named(value: Any, kind: FieldKind, left: Any, unfit: tuple[Any, ...]) -> None:
    assert fit(value, kind) == (left, unfit)


ROW = {
    "id": "1",
    "title": "Chair",
    "image": "a.jpg",
    "price": 10.0,
    "color": ["red"],
    "legs": 4.0,
    "weight": "heavy",
    "nutrition": {"protein": 3, "per": {"unit": "g", "note": " "}, "rows": [{"a": 1}]},
    "empty": [None, ""],
    '6" \\ 100%': 1,
}


def test_fields_of_a_row_are_its_scalars_and_lists_of_them_by_full_names() -> None:
    assert dict(field_values(ROW)) == {
        "id": "1",
        "price": 10.0,
        "color": ["red"],
        "legs": 4.0,
        "weight": "heavy",
        "nutrition.protein": 3,
        "nutrition.per.unit": "g",
        '6" \\ 100%': 1,
    }


def test_a_value_that_does_not_fit_loses_that_value_alone() -> None:
    kinds: dict[str, FieldKind] = {"id": "keyword", "legs": "integer", "weight": "float", '6" \\ 100%': "integer"}
    assert stored_fields(ROW, kinds) == {"id": "1", "legs": 4, "6%22 %5C 100%25": 1}
    assert unfit_values(ROW, kinds) == {"weight": ("heavy",)}


@given(st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_has_one_form(number: int | float) -> None:
    one = one_number(number)
    assert one == number
    assert json.dumps(one_number(float(one))) == json.dumps(one) or abs(number) > 2**53
    if (read := number_in(json.dumps(one))) is not None:
        assert read == one


@given(st.text(), st.text())
def test_stored_names_are_as_different_as_the_names_and_quotable(a: str, b: str) -> None:
    assert (stored_name(a) == stored_name(b)) == (a == b)
    assert not set(stored_name(a)) & {'"', "\\"}
