"""A row of a catalog becomes a product, or an error that names the column and says what it should hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from catalog.fields import flatten
from schemas import (
    MAX_ID,
    MAX_NAME,
    RESERVED,
    STANDARD_COLUMNS,
    PictureError,
    PictureSourceUnsupported,
    Product,
    RowError,
    shown,
)

MAX_COLUMNS = 1_000
"""Columns of one row, the parts of nested ones counted."""
MAX_NESTING = 16


class ParsedRow(NamedTuple):
    """A product, and what is wrong with those of its pictures that had to be left out."""

    product: Product
    picture_errors: tuple[PictureError, ...]


def product_from_row(row: Mapping[str, Any], *, typed_ids: bool = False) -> ParsedRow:
    """The product that a row describes.

    Blank text and nulls are absent. A value in place of a picture's path that is no path costs the
    row only this picture, where it has a title, a description or another picture.

    Args:
        typed_ids: The catalog's format has types of its own, so whole numbers are ids as good as text.

    Raises:
        RowError: what is wrong with the first column that is, ``field``.
    """
    _check_shape(row)
    given = {name: value for name, value in row.items() if not _is_absent(value)}
    product_id = _id(given.get("id"), "id", typed_ids)
    if product_id is None:
        raise RowError("the row has no id; it needs some text that no other product has", field="id")
    if len(product_id) > MAX_ID:
        raise RowError(f"id is longer than {MAX_ID:,} characters", field="id")
    images, picture_errors = _images(given)
    product = Product(
        id=product_id,
        title=_text(given, "title"),
        description=_text(given, "description"),
        images=images,
        category=_text(given, "category"),
        brand=_text(given, "brand"),
        price=_price(given.get("price")),
        currency=_text(given, "currency"),
        color=_texts(given, "color"),
        in_stock=_in_stock(given.get("in_stock")),
        tags=_texts(given, "tags"),
        group_id=_id(given.get("group_id"), "group_id", typed_ids),
        language=_text(given, "language"),
        attributes=_attributes(given),
    )
    if not (product.title or product.description or product.images):
        if picture_errors:
            wrong = picture_errors[0]
            raise RowError(f"{wrong.message}; and there is no title or description", field=wrong.field)
        raise RowError("the row needs at least one of title, description and image", field="title")
    return ParsedRow(product, tuple(picture_errors))


def readable_id(row: object, *, typed_ids: bool = False) -> str | None:
    """The id of a row that may be wrong in every other way; None where it has none that can be read."""
    try:
        return _id(row.get("id"), "id", typed_ids) if isinstance(row, Mapping) else None
    except RowError:
        return None


def _check_shape(row: object) -> None:
    if not isinstance(row, Mapping):
        raise RowError(f"a row is an object of columns, not {shown(row)}")
    if len(row) > MAX_COLUMNS:
        raise RowError(f"the row has {len(row):,} columns; at most {MAX_COLUMNS:,} are read")
    for name in row:
        if not isinstance(name, str) or not name.strip():
            raise RowError(f"a column's name is text, not {shown(name)}")
        if not _is_unicode(name):
            raise RowError(f"the column {name!a} has a name that is not valid Unicode")
        if name in RESERVED:
            raise RowError(f"{name!r} is a word of the filter language; give the column another name", field=name)


def _is_absent(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _is_unicode(text: str) -> bool:
    """False for lone surrogates, which JSON can escape but nothing can store."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unicode(text: str, column: str) -> str:
    if not _is_unicode(text):
        raise RowError(f"{column} is not valid Unicode: {shown(text)}", field=column)
    return text


def _wrong(column: str, value: object, expected: str) -> RowError:
    return RowError(f"{column} is {shown(value)}, expected {expected}", field=column)


def _id(value: object, column: str, typed: bool) -> str | None:
    if _is_absent(value):
        return None
    if typed and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise _wrong(column, value, "text or a whole number" if typed else "text")
    return _unicode(value, column)


def _text(given: Mapping[str, Any], column: str) -> str | None:
    value = given.get(column)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong(column, value, "text")
    return _unicode(value, column)


def _texts(given: Mapping[str, Any], column: str) -> tuple[str, ...]:
    values = given.get(column, [])
    values = values if isinstance(values, list | tuple) else [values]
    for value in values:
        if value is not None and not isinstance(value, str):
            raise _wrong(column, value, "text or a list of texts")
    return tuple(dict.fromkeys(_unicode(value, column) for value in values if not _is_absent(value)))


def _price(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong("price", value, "a number")
    return float(_finite(value, "price"))


def _finite(value: float, column: str) -> float:
    try:
        finite = math.isfinite(value)
    except OverflowError:  # a whole number beyond any float
        finite = False
    if not finite:
        raise _wrong(column, value, "a number within ±1.8e308")
    return value


def _in_stock(value: object) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise _wrong("in_stock", value, "true or false")
    return value


def _images(given: Mapping[str, Any]) -> tuple[tuple[str, ...], list[PictureError]]:
    """Paths in their order without repeats, and an error for each value that can be none."""
    listed = given.get("images", [])
    values = [("image", given.get("image"))]
    values += [("images", value) for value in (listed if isinstance(listed, list | tuple) else [listed])]
    paths: dict[str, None] = {}
    errors: list[PictureError] = []
    for column, value in values:
        if isinstance(value, str) and _is_unicode(value):
            if value.strip():
                paths[value] = None
        elif value is not None:
            found = f"{column} is {shown(value)}, expected the path of a picture beside the catalog file"
            errors.append(PictureSourceUnsupported(found, field=column))
    return tuple(paths), errors


def _attributes(given: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {name: _json(given[name], name) for name in given if name not in STANDARD_COLUMNS}
    names: set[str] = set()
    for name, _ in flatten(attributes):
        if len(name) > MAX_NAME:
            raise RowError(f"the column {name[:40]}… has a name of more than {MAX_NAME} characters")
        if name in names:
            raise RowError(f"{name!r} is there twice: as a column, and as a part of a nested one", field=name)
        names.add(name)
    if len(names) > MAX_COLUMNS:
        raise RowError(f"the row has {len(names):,} columns with nested ones; at most {MAX_COLUMNS:,} are read")
    return attributes


def _json(value: Any, column: str, depth: int = 0) -> Any:
    """A value as JSON has it. Raises RowError for what JSON cannot hold."""
    if depth > MAX_NESTING:
        raise RowError(f"{column} is nested deeper than {MAX_NESTING} levels", field=column)
    if isinstance(value, str):
        return _unicode(value, column)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _finite(value, column)
    if isinstance(value, list | tuple):
        return [_json(item, column, depth + 1) for item in value]
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str) or not _is_unicode(name):
                raise RowError(f"{column} holds the key {shown(name)}, expected text", field=column)
        return {name: _json(item, column, depth + 1) for name, item in value.items()}
    raise _wrong(column, value, "text, a number, true or false, a list or an object")
