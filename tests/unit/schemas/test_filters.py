from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import (
    All,
    AnyOf,
    FieldKind,
    Filter,
    Match,
    Missing,
    Not,
    Range,
    RequestTooLarge,
    StoreLensError,
    UnknownField,
    WrongType,
    known,
    parse_filter,
)
from schemas.filters import MAX_CONDITIONS, MAX_DEPTH

FIELDS: dict[str, FieldKind] = {"brand": "keyword", "price": "float", "legs": "integer", "in_stock": "bool"}


def test_every_form() -> None:
    written = {
        "brand": ["A", "B"],
        "price": {"gte": 10, "lt": 50},
        "in_stock": True,
        "not": {"legs": 3},
        "any": [{"brand": "C"}, {}],
        "all": [{"legs": {"gt": 1, "lte": 4}}],
    }
    assert parse_filter(written, FIELDS) == All(
        (
            Match("brand", "keyword", ("A", "B")),
            Range("price", gte=10.0, lt=50.0),
            Match("in_stock", "bool", (True,)),
            Not(All((Match("legs", "integer", (3,)),))),
            AnyOf((All((Match("brand", "keyword", ("C",)),)), All(()))),
            All((All((Range("legs", gt=1.0, lte=4.0),)),)),
        )
    )
    assert parse_filter({}, FIELDS) == All(())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"brand": None}, Missing("brand")),
        ({"price": [None]}, Missing("price")),
        ({"legs": [None, 3, None]}, AnyOf((Match("legs", "integer", (3,)), Missing("legs")))),
        (
            {"not": {"in_stock": [True, None]}},
            Not(All((AnyOf((Match("in_stock", "bool", (True,)), Missing("in_stock"))),))),
        ),
        (
            {"any": [{"brand": None}, {"legs": 0}]},
            AnyOf((All((Missing("brand"),)), All((Match("legs", "integer", (0,)),)))),
        ),
    ],
    ids=str,
)
def test_null_asks_for_what_lacks_the_field(written: Any, meant: Filter) -> None:
    assert parse_filter(written, FIELDS) in (meant, All((meant,)))


@pytest.mark.parametrize(
    ("written", "error", "field", "says"),
    [
        ({"colour": "red"}, UnknownField, "filter.colour", "known are brand (text), in_stock (true or false)"),
        ({"not": {"x": 1}}, UnknownField, "filter.not.x", "no field 'x'"),
        ({"any": [{}, {"x": 1}]}, UnknownField, "filter.any[1].x", "no field 'x'"),
        ({"\ud800": 1}, UnknownField, "filter.\\ud800", "no field"),
        ({"brand": 7}, WrongType, "filter.brand", "is text, not a number (7)"),
        ({"not": None}, WrongType, "filter.not", "not null"),
        ({"any": [None]}, WrongType, "filter.any[0]", "not null"),
        ({"brand": True}, WrongType, "filter.brand", "true or false"),
        ({"brand": ["A", ["B"]]}, WrongType, "filter.brand", "a list (['B'])"),
        ({"brand": []}, WrongType, "filter.brand", "empty list"),
        ({"brand": "\ud800"}, WrongType, "filter.brand", "Unicode"),
        ({"brand": {"gte": "a"}}, WrongType, "filter.brand", "numbers are legs (a whole number), price (a number)"),
        ({"in_stock": {"gt": 0}}, WrongType, "filter.in_stock", "only numbers have ranges"),
        ({"in_stock": 1}, WrongType, "filter.in_stock", "is true or false, not a number (1)"),
        ({"in_stock": "yes"}, WrongType, "filter.in_stock", "text ('yes')"),
        ({"price": "10"}, WrongType, "filter.price", "is a number, not text"),
        ({"price": True}, WrongType, "filter.price", "true or false"),
        ({"price": float("nan")}, WrongType, "filter.price", "finite"),
        ({"price": 10**400}, WrongType, "filter.price", "finite"),
        ({"price": {}}, WrongType, "filter.price", "gt, gte, lt, lte"),
        ({"price": {"min": 1}}, WrongType, "filter.price", "gt, gte, lt, lte"),
        ({"price": {"gte": "a"}}, WrongType, "filter.price.gte", "text ('a')"),
        ({"price": {"gte": float("inf")}}, WrongType, "filter.price.gte", "finite"),
        ({"price": {"gte": None}}, WrongType, "filter.price.gte", "null"),
        ({"not": []}, WrongType, "filter.not", "object of fields"),
        ({"any": {}}, WrongType, "filter.any", "at least one filter"),
        ({"all": []}, WrongType, "filter.all", "at least one filter"),
        ({"any": [1]}, WrongType, "filter.any[0]", "object of fields"),
        ({"legs": list(range(MAX_CONDITIONS + 1))}, RequestTooLarge, "filter", "256"),
        ({"any": [{"legs": 1}] * (MAX_CONDITIONS // 2 + 1)}, RequestTooLarge, "filter", "256"),
        ({"all": [{}] * (MAX_CONDITIONS + 1)}, RequestTooLarge, "filter", "256"),
    ],
)
def test_what_is_wrong_is_named(written: Any, error: type[StoreLensError], field: str, says: str) -> None:
    with pytest.raises(error) as raised:
        parse_filter(written, FIELDS)
    assert raised.value.field == field
    assert says in raised.value.message
    raised.value.message.encode()


@pytest.mark.parametrize("written", [None, 7, "brand", [{"brand": "A"}]])
def test_what_is_no_object_is_no_filter(written: Any) -> None:
    with pytest.raises(WrongType, match="object of fields"):
        parse_filter(written, FIELDS)


def nested(depth: int, word: str = "not") -> dict[str, Any]:
    written: dict[str, Any] = {}
    for _ in range(depth):
        written = {word: written if word == "not" else [written]}
    return written


@pytest.mark.parametrize("word", ["not", "any", "all"])
def test_depth(word: str) -> None:
    parse_filter(nested(MAX_DEPTH, word), FIELDS)
    for depth in (MAX_DEPTH + 1, 5_000):
        with pytest.raises(RequestTooLarge, match="16 levels"):
            parse_filter(nested(depth, word), FIELDS)


def test_a_value_nested_beyond_any_stack() -> None:
    value: Any = 1
    for _ in range(50_000):
        value = [value]
    with pytest.raises(WrongType):
        parse_filter({"brand": [value]}, FIELDS)


def test_an_index_without_fields() -> None:
    with pytest.raises(UnknownField, match="known are none"):
        parse_filter({"brand": "A"}, {})
    assert known({}) == "known are none"


names = st.sampled_from([*FIELDS, "not", "any", "all", "gt", "gte", "lt", "lte", "x", ""]) | st.text(st.characters())
written_filters = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(written_filters)
def test_whatever_is_written_is_a_filter_or_an_error_that_can_be_said(written: Any) -> None:
    try:
        parse_filter(written, FIELDS)
    except StoreLensError as error:
        error.message.encode()
        assert error.field is not None
        error.field.encode()
