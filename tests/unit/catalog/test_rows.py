from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalog import older_id, product_from_row, readable_id
from catalog.attributes import MAX_COLUMNS
from catalog.markup import decoded
from schemas import (
    MAX_ID,
    MAX_NAME,
    RESERVED,
    STANDARD_COLUMNS,
    ImageSourceUnsupported,
    Product,
    RowError,
    ValueUnusable,
    clean_code,
    clean_line,
)

GOOD: dict[str, Any] = {"id": "1", "title": "Chair"}

unicode = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
scalars = st.one_of(
    unicode, st.booleans(), st.integers(-(2**80), 2**80), st.floats(allow_nan=False, allow_infinity=False)
)
json_values = st.recursive(
    scalars | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(unicode, inner, max_size=3),
    max_leaves=8,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def product(**columns: Any) -> Product:
    return product_from_row(GOOD | columns).product


def test_every_column() -> None:
    row = {
        "id": "1",
        "title": "Chair",
        "description": "To sit on",
        "image": "a.jpg",
        "images": ["b.jpg", "a.jpg", "b.jpg"],
        "category": "Furniture",
        "brand": "Acme",
        "price": 10,
        "currency": "EUR",
        "color": ["red", "blue"],
        "in_stock": True,
        "tags": ["new", "wood"],
        "group_id": "chairs",
        "language": "en",
        "legs": 4,
        "size": {"height": 1.5, "unit": "m"},
        "parts": [{"name": "leg"}],
    }
    parsed, errors, _, unusable = product_from_row(row)
    assert errors == ()
    assert unusable == ()
    assert parsed == Product(
        id="1",
        title="Chair",
        description="To sit on",
        images=("a.jpg", "b.jpg"),
        category="Furniture",
        brand="Acme",
        price=10.0,
        currency="EUR",
        color=("red", "blue"),
        in_stock=True,
        tags=("new", "wood"),
        group_id="chairs",
        language="en",
        attributes={"legs": 4, "size": {"height": 1.5, "unit": "m"}, "parts": [{"name": "leg"}]},
    )
    assert parsed.to_row() == row | {"images": ["b.jpg"]}


def test_blank_and_null_are_absent() -> None:
    blanks = dict.fromkeys((*STANDARD_COLUMNS, "size"), " ") | {"price": None, "in_stock": None, "weight": None}
    assert product(**blanks | GOOD) == Product(id="1", title="Chair")
    assert product(tags=["", None, "a"], color=[], images=[None, " "]) == Product(id="1", title="Chair", tags=("a",))


def test_a_single_text_is_a_list_of_one() -> None:
    found = product(tags="new", color="red", images="a.jpg")
    assert (found.tags, found.color, found.images) == (("new",), ("red",), ("a.jpg",))
    assert found.to_row()["color"] == "red"


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("//cdn.example.com/mug.jpg", "https://cdn.example.com/mug.jpg"),
        ("//cdn.example.com:8443/mug.jpg?v=2", "https://cdn.example.com:8443/mug.jpg?v=2"),
        ("//shop@127.0.0.1/mug.jpg", "https://shop@127.0.0.1/mug.jpg"),
        ("//localhost:9/mug.jpg", "https://localhost:9/mug.jpg"),
        ("//m\u00fcnchen.de/mug.jpg", "https://m\u00fcnchen.de/mug.jpg"),
        *((path, path) for path in ("//mnt/photos/mug.jpg", "///cdn.example.com/x", "//../mug.jpg", "a//b.c/mug.jpg")),
    ],
)
def test_a_url_without_a_scheme_is_https(written: str, source: str) -> None:
    assert product(image=written).images == product(image=None, images=[written]).images == (source,)


@pytest.mark.parametrize("part", [{"title": "x"}, {"description": "x"}, {"image": "x"}, {"images": ["x"]}])
def test_one_of_title_description_and_image_is_enough(part: dict[str, Any]) -> None:
    assert product_from_row({"id": "1"} | part).product.id == "1"


@pytest.mark.parametrize(
    ("columns", "field", "says"),
    [
        ({"id": None}, "id", "no id"),
        ({"id": "  "}, "id", "no id"),
        ({"id": 7}, "id", "a number (7), expected text"),
        ({"id": True}, "id", "true or false"),
        ({"id": ["a"]}, "id", "a list"),
        ({"id": "x" * (MAX_ID + 1)}, "id", "1,024"),
        ({"id": "a\ud800"}, "id", "Unicode"),
        ({"title": None}, "title", "at least one of"),
        ({"title": 7}, "title", "a number (7), expected text"),
        ({"title": "\udfff"}, "title", "Unicode"),
        ({f"c{i}": 1 for i in range(MAX_COLUMNS)}, None, "1,000"),
        ({"size": {f"c{i}": 1 for i in range(MAX_COLUMNS + 1)}}, None, "1,000"),
    ],
)
def test_what_makes_no_product_is_named(columns: dict[str, Any], field: str | None, says: str) -> None:
    with pytest.raises(RowError) as raised:
        product_from_row(GOOD | columns)
    assert (raised.value.field, raised.value.code) == (field, "row-invalid")
    assert says in raised.value.message
    raised.value.message.encode()
    assert len(raised.value.message) < 400


@pytest.mark.parametrize(
    ("columns", "field", "says"),
    [
        ({"description": ["a"]}, "description", "a list (['a']), expected text"),
        ({"category": {"a": 1}}, "category", "an object"),
        ({"brand": False}, "brand", "true or false (False), expected text"),
        ({"currency": 1.5}, "currency", "a number"),
        ({"language": 1}, "language", "a number"),
        ({"group_id": 1}, "group_id", "a number"),
        ({"price": "10"}, "price", "text ('10'), expected a number"),
        ({"price": True}, "price", "true or false"),
        ({"price": float("nan")}, "price", "number"),
        ({"price": float("inf")}, "price", "number"),
        ({"price": 10**400}, "price", "number"),
        ({"price": 10**5000}, "price", "number"),
        ({"in_stock": 1}, "in_stock", "a number (1), expected true or false"),
        ({"in_stock": "yes"}, "in_stock", "text ('yes')"),
        ({"color": 3}, "color", "a list of texts"),
        ({"color": ["red", 3]}, "color", "a number (3)"),
        ({"tags": {"a": 1}}, "tags", "an object"),
        ({"tags": [["a"]]}, "tags", "a list (['a'])"),
        ({"tags": ["\ud800"]}, "tags", "Unicode"),
        ({"size": float("nan")}, "size", "number"),
        ({"size": {"a": [1.0, float("-inf")]}}, "size", "number"),
        ({"size": 10**400}, "size", "number"),
        ({"size": b"abc"}, "size", "bytes (b'abc'), expected"),
        ({"size": ["\ud800"]}, "size", "Unicode"),
        ({"size": {"\ud800": 1}}, "size", "key"),
        ({"size": {1: 1}}, "size", "key a number (1)"),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", "twice"),
        ({"": 1}, None, "name"),
        ({" ": 1}, None, "name"),
        ({"\ud800": 1}, None, "Unicode"),
        ({7: 1}, None, "name is text, not a number (7)"),
        ({"x" * (MAX_NAME + 1): 1}, None, "256"),
        ({"a": {"x" * MAX_NAME: 1}}, None, "256"),
        *(({word: 1}, word, "filter language") for word in sorted(RESERVED)),
    ],
)
def test_a_value_that_cannot_be_used_costs_that_value_alone(
    columns: dict[str, Any], field: str | None, says: str
) -> None:
    parsed = product_from_row(GOOD | columns)
    assert (parsed.product.id, parsed.product.title) == ("1", "Chair")
    (error,) = parsed.value_errors
    assert (error.field, error.code) == (field, "value-unusable")
    assert says in error.message
    assert field is None or field in error.message
    error.message.encode()
    assert len(error.message) < 400


def test_nested_too_deep() -> None:
    nested: Any = 1
    for _ in range(500):
        nested = [nested]
    parsed = product_from_row(GOOD | {"size": nested})
    assert "size" not in parsed.product.attributes
    assert "nested deeper than 16" in parsed.value_errors[0].message


def test_of_a_list_the_good_values_stay() -> None:
    parsed = product_from_row(GOOD | {"color": ["red", 3, "blue"], "tags": [["a"], "b"]})
    assert (parsed.product.color, parsed.product.tags) == (("red", "blue"), ("b",))
    assert [error.field for error in parsed.value_errors] == ["color", "tags"]


def test_what_is_known_to_be_of_no_use_is_left_out() -> None:
    wrong = ValueUnusable("no price", field="price")
    parsed = product_from_row(GOOD | {"price": 7}, {"price": wrong})
    assert parsed.product.price is None
    assert parsed.value_errors == (wrong,)
    with pytest.raises(RowError, match="no title; and there is no other title"):
        product_from_row(GOOD, {"title": ValueUnusable("no title", field="title")})


@pytest.mark.parametrize("row", [None, 7, "text", ["id"], [("id", "1")]])
def test_what_is_no_object_is_no_row(row: Any) -> None:
    with pytest.raises(RowError, match="object of columns"):
        product_from_row(row)
    assert readable_id(row) is None


@pytest.mark.parametrize("value", [3, True, {"url": "a.jpg"}, b"", {"bytes": 3}, "\ud800.jpg", [["a.jpg"]]])
@pytest.mark.parametrize("column", ["image", "images"])
def test_a_bad_image_value_costs_only_the_image(column: str, value: Any) -> None:
    parsed, errors, *_ = product_from_row(GOOD | {column: value})
    assert parsed == Product(id="1", title="Chair")
    assert [type(error) for error in errors] == [ImageSourceUnsupported]
    assert errors[0].field == column and column in errors[0].message
    with pytest.raises(RowError) as raised:
        product_from_row({"id": "1", column: value})
    assert raised.value.field == column


def test_of_several_images_the_good_ones_stay() -> None:
    parsed, errors, *_ = product_from_row({"id": "1", "image": 3, "images": ["a.jpg", {"url": "b.jpg"}, "c.jpg"]})
    assert parsed.images == ("a.jpg", "c.jpg")
    assert [error.field for error in errors] == ["image", "images"]


def test_the_id_of_a_bad_row_can_be_read() -> None:
    assert readable_id({"id": "1", "price": "x"}) == "1"
    assert readable_id({"price": "x"}) is None


def test_tuples_are_lists() -> None:
    assert product(size=(1, 2), tags=("a",)).attributes == {"size": [1, 2]}


@given(unicode, unicode)
def test_ids_and_titles_of_any_script_are_kept_but_for_their_form(id: str, title: str) -> None:
    assume(clean_code(id) and clean_line(decoded(title)))
    found = product_from_row({"id": id, "title": title}).product
    assert (found.id, found.title) == (clean_code(id), clean_line(decoded(title)))


def test_text_is_trimmed_and_of_one_form_wherever_it_enters() -> None:
    nfd = unicodedata.normalize("NFD", "Café")
    row = {
        " id\u200b": f"\ufeff {nfd}-1\u00a0",
        "title": f" {nfd}\u00a0\u00a0Küche ",
        "brand": f"{nfd}\u200e",
        "tags": ["a ", " a", nfd, "Café"],
        "color": " red ",
        "image": " pics/ref.jpg\u3000",
        "images": [f"\u200b{nfd}.jpg", " https://cdn.example/a.jpg "],
        nfd: f" {nfd} ",
        "Café": "the first one counts",
        "care": {f"{nfd} ": [f"{nfd} ", {" x": " y "}]},
        "sku": " AB  12 ",
        "lines": " one \n two ",
        "blank": "\u2003\u200b",
    }
    assert product_from_row(row).product.to_row() == {
        "id": "Café-1",
        "title": "Café Küche",
        "brand": "Café",
        "tags": ["a", "Café"],
        "color": "red",
        "image": "pics/ref.jpg",
        "images": ["Café.jpg", "https://cdn.example/a.jpg"],
        "Café": "Café",
        "care": {"Café": ["Café", {"x": "y"}]},
        "sku": "AB  12",
        "lines": "one \n two",
    }
    assert readable_id(row) == "Café-1"
    assert older_id(row) == row[" id\u200b"]
    assert older_id({"id": "Café"}) is older_id({"id": 7}) is older_id({}) is None


@given(
    st.dictionaries(unicode.filter(lambda name: name not in RESERVED | set(STANDARD_COLUMNS)), json_values, max_size=4)
)
def test_a_product_as_a_row_is_the_same_product(attributes: dict[str, Any]) -> None:
    row = GOOD | {"images": ["a", "b"], "color": "red", "price": 2} | attributes
    try:
        found = product_from_row(row).product
    except RowError as error:
        assert "twice" in error.message
        return
    again = json.loads(json.dumps(found.to_row()))
    assert product_from_row(again) == (found, (), {}, ())


@given(anything | st.fixed_dictionaries({}, optional=dict.fromkeys((*STANDARD_COLUMNS, "size", "not"), anything)))
def test_a_row_of_anything_is_a_product_or_an_error(row: Any) -> None:
    try:
        found = product_from_row(row).product
    except RowError as error:
        error.message.encode()
    else:
        json.dumps(found.to_row(), allow_nan=False, ensure_ascii=False).encode()
