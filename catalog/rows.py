"""A row of a catalog becomes a product, or an error that names the column and says what it should hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from catalog.fields import flatten
from catalog.inline import check_bytes, from_data_uri, source_of
from catalog.pictures import with_scheme
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


_KNOWN_SHAPES = 512
_MAX_KNOWN = 10_000
"""Characters of the column names that are remembered as a shape."""


class ParsedRow(NamedTuple):
    """A product, and what is wrong with those of its pictures that had to be left out.

    ``inline`` has the bytes of those that the row itself holds, by their sources: ``picture:HASH``.
    """

    product: Product
    picture_errors: tuple[PictureError, ...]
    inline: Mapping[str, bytes] = {}


def product_from_row(row: Mapping[str, Any], *, typed_ids: bool = False) -> ParsedRow:
    """The product that a row describes.

    Blank text and nulls are absent. A value in place of a picture's path that is no path costs the
    row only this picture, where it has a title, a description or another picture.

    Args:
        typed_ids: The catalog's format has types of its own, so whole numbers are ids as good as text.

    Raises:
        RowError: what is wrong with the first column that is, ``field``.
    """
    attributes = _attribute_columns(row)
    product_id = _id(row.get("id"), "id", typed_ids)
    if product_id is None:
        raise RowError("the row has no id; it needs some text that no other product has", field="id")
    if len(product_id) > MAX_ID:
        raise RowError(f"id is longer than {MAX_ID:,} characters", field="id")
    images, picture_errors, inline = _images(row)
    product = Product(
        id=product_id,
        title=_text(row, "title"),
        description=_text(row, "description"),
        images=images,
        category=_text(row, "category"),
        brand=_text(row, "brand"),
        price=_price(row.get("price")),
        currency=_text(row, "currency"),
        color=_texts(row, "color"),
        in_stock=_in_stock(row.get("in_stock")),
        tags=_texts(row, "tags"),
        group_id=_id(row.get("group_id"), "group_id", typed_ids),
        language=_text(row, "language"),
        attributes=_attributes(row, attributes),
    )
    if not (product.title or product.description or product.images):
        if picture_errors:
            wrong = picture_errors[0]
            raise RowError(f"{wrong.message}; and there is no title or description", field=wrong.field)
        raise RowError("the row needs at least one of title, description and image", field="title")
    return ParsedRow(product, tuple(picture_errors), inline)


def readable_id(row: object, *, typed_ids: bool = False) -> str | None:
    """The id of a row that may be wrong in every other way; None where it has none that can be read."""
    try:
        return _id(row.get("id"), "id", typed_ids) if isinstance(row, Mapping) else None
    except RowError:
        return None


def _attribute_columns(row: object) -> tuple[str, ...]:
    """The columns of a row that are attributes. Raises RowError where the row or one of its names is none."""
    if not isinstance(row, Mapping):
        raise RowError(f"a row is an object of columns, not {shown(row)}")
    if len(row) > MAX_COLUMNS:
        raise RowError(f"the row has {len(row):,} columns; at most {MAX_COLUMNS:,} are read")
    try:
        return _shape(tuple(row)) if len("".join(row)) <= _MAX_KNOWN else _checked(tuple(row))
    except TypeError:  # a name that is no text
        return _checked(tuple(row))


def _checked(columns: tuple[Any, ...]) -> tuple[str, ...]:
    for name in columns:
        if not isinstance(name, str) or not name.strip():
            raise RowError(f"a column's name is text, not {shown(name)}")
        if not _is_unicode(name):
            raise RowError(f"the column {name!a} has a name that is not valid Unicode")
        if name in RESERVED:
            raise RowError(f"{name!r} is a word of the filter language; give the column another name", field=name)
    return tuple(name for name in columns if name not in STANDARD_COLUMNS)


# Rows of one catalog have few shapes between them.
_shape = lru_cache(_KNOWN_SHAPES)(_checked)


def _is_absent(value: object) -> bool:
    return value is None or (isinstance(value, str) and (not value or value.isspace()))


def _is_unicode(text: str) -> bool:
    """False for lone surrogates, which JSON can escape but nothing can store."""
    if text.isascii():
        return True
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


def _text(row: Mapping[str, Any], column: str) -> str | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _wrong(column, value, "text")
    if value.isspace():
        return None
    return value if value.isascii() else _unicode(value, column)


def _texts(row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    values = row.get(column)
    if values is None:
        return ()
    texts: dict[str, None] = {}
    for value in values if isinstance(values, list | tuple) else (values,):
        if isinstance(value, str):
            if value and not value.isspace():
                texts[value if value.isascii() else _unicode(value, column)] = None
        elif value is not None:
            raise _wrong(column, value, "text or a list of texts")
    return tuple(texts)


def _price(value: object) -> float | None:
    if _is_absent(value):
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
    if _is_absent(value):
        return None
    if not isinstance(value, bool):
        raise _wrong("in_stock", value, "true or false")
    return value


def _images(row: Mapping[str, Any]) -> tuple[tuple[str, ...], list[PictureError], dict[str, bytes]]:
    """Sources in their order without repeats, an error for each value that can be none, and what the row itself has."""
    sources: dict[str, None] = {}
    errors: list[PictureError] = []
    inline: dict[str, bytes] = {}
    for column in ("image", "images"):
        given = row.get(column)
        if given is None:
            continue
        for value in given if isinstance(given, list | tuple) and column == "images" else [given]:
            try:
                source = _source(value, column, inline)
            except PictureError as error:
                errors.append(error)
            else:
                if source is not None:
                    sources[source] = None
    return tuple(sources), errors, inline


def _source(value: object, column: str, inline: dict[str, bytes]) -> str | None:
    """A path, a URL or ``picture:HASH``; None for an absent one. What the row itself has is put into ``inline``."""
    if _is_absent(value):
        return None
    if isinstance(value, dict) and value.keys() <= {"bytes", "path"}:  # as Hugging Face datasets have them
        value = value.get("path") if value.get("bytes") is None else value["bytes"]
        if _is_absent(value):
            return None
    if isinstance(value, str) and _is_unicode(value):
        if not value.startswith(("data:", "Data:", "DATA:")):
            return with_scheme(value)
        data = from_data_uri(value, column)
    elif isinstance(value, bytes | bytearray | memoryview):
        data = check_bytes(bytes(value), column)
    else:
        expected = "a path beside the catalog file, a URL, a data: URI, or bytes"
        raise PictureSourceUnsupported(f"{column} is {shown(value)}, expected {expected}", field=column)
    source = source_of(data)
    inline[source] = data
    return source


def _attributes(row: Mapping[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    attributes = {}
    nested = False
    for name in columns:
        value = row[name]
        if not _is_absent(value):
            attributes[name] = value = _json(value, name)
            nested = nested or isinstance(value, dict)
    names = set(attributes)
    if nested:
        names = set()
        for name, _ in flatten(attributes):
            if name in names:
                raise RowError(f"{name!r} is there twice: as a column, and as a part of a nested one", field=name)
            names.add(name)
    for name in names:
        if len(name) > MAX_NAME:
            raise RowError(f"the column {name[:40]}… has a name of more than {MAX_NAME} characters")
    if len(names) > MAX_COLUMNS:
        raise RowError(f"the row has {len(names):,} columns with nested ones; at most {MAX_COLUMNS:,} are read")
    return attributes


def _json(value: Any, column: str, depth: int = 0) -> Any:
    """A value as JSON has it. Raises RowError for what JSON cannot hold."""
    if depth > MAX_NESTING:
        raise RowError(f"{column} is nested deeper than {MAX_NESTING} levels", field=column)
    if isinstance(value, str):
        return value if value.isascii() else _unicode(value, column)
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
