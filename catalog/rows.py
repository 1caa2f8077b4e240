"""A row of a catalog becomes a product; a value that its column cannot have is left out, with an error that says so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from catalog.codes import is_code_name
from catalog.markup import decoded
from images.inline import check_bytes, from_data_uri, source_of
from images.limits import with_scheme
from schemas import (
    MAX_ID,
    MAX_NAME,
    MAX_NESTING,
    RESERVED,
    STANDARD_COLUMNS,
    ImageError,
    ImageSourceUnsupported,
    Product,
    RowError,
    ValueUnusable,
    clean_code,
    clean_line,
    clean_prose,
    clean_value,
    describe_value,
    flatten,
    one_number,
)

MAX_COLUMNS = 1_000
"""Columns of one row, the parts of nested ones counted."""


_KNOWN_SHAPES = 512
_MAX_ERRORS = 64
_MAX_KNOWN = 10_000
"""Characters of the column names that are remembered as a shape."""


_Value = TypeVar("_Value")


class ParsedRow(NamedTuple):
    """A product, and what is wrong with those of its images and values that had to be left out.

    ``inline`` has the bytes of those images that the row itself holds, by their sources: ``picture:HASH``.
    """

    product: Product
    image_errors: tuple[ImageError, ...]
    inline: Mapping[str, bytes] = {}
    value_errors: tuple[ValueUnusable, ...] = ()


def product_from_row(row: Mapping[str, Any], unusable: Mapping[str, ValueUnusable] | None = None) -> ParsedRow:
    """The product that a row describes.

    Text is brought into one form (``schemas.text``) and out of HTML (``catalog.markup``), here and nowhere else; ids
    keep what looks like HTML. Blank text and nulls are absent. A value that its column cannot have costs the row this
    value and no more.

    Args:
        unusable: Columns whose values are known to be of no use, and why; they are left out.

    Raises:
        RowError: there is no id, or neither title, description nor image; ``field`` is the column that is wrong.
    """
    row = with_clean_names(row)
    errors: list[ValueUnusable] = []
    if unusable:
        row = {name: value for name, value in row.items() if name not in unusable}
        errors += unusable.values()
    attributes = _attribute_columns(row, errors)
    try:
        product_id = _id(row.get("id"), "id")
    except ValueUnusable as error:
        raise RowError(error.message, field="id") from error
    if product_id is None:
        if unusable and "id" in unusable:
            raise RowError(unusable["id"].message, field="id")
        raise RowError("the row has no id; it needs some text that no other product has", field="id")
    if len(product_id) > MAX_ID:
        raise RowError(f"id is longer than {MAX_ID:,} characters", field="id")
    images, image_errors, inline = _images(row)
    product = Product(
        id=product_id,
        title=_usable(errors, _text, row, "title"),
        description=_usable(errors, _text, row, "description", clean_prose),
        images=images,
        category=_usable(errors, _text, row, "category"),
        brand=_usable(errors, _text, row, "brand"),
        price=_usable(errors, _price, row.get("price")),
        currency=_usable(errors, _text, row, "currency"),
        color=_texts(row, "color", errors),
        in_stock=_usable(errors, _in_stock, row.get("in_stock")),
        tags=_texts(row, "tags", errors),
        group_id=_usable(errors, _id, row.get("group_id"), "group_id"),
        language=_usable(errors, _text, row, "language"),
        attributes=_attributes(row, attributes, errors),
    )
    if not (product.title or product.description or product.images):
        wrong = next((e for e in (*errors, *image_errors) if e.field in _NEEDED), None)
        if wrong:
            raise RowError(f"{wrong.message}; and there is no other title, description or image", field=wrong.field)
        raise RowError("the row needs at least one of title, description and image", field="title")
    return ParsedRow(product, tuple(image_errors), inline, tuple(errors))


_NEEDED = ("title", "description", "image", "images")


def _usable(errors: list[ValueUnusable], read: Callable[..., _Value | None], *arguments: Any) -> _Value | None:
    """What ``read`` returns; where the value is of no use, None and one more error."""
    try:
        return read(*arguments)
    except ValueUnusable as error:
        errors.append(error)
        return None


def readable_id(row: object) -> str | None:
    """The id of a row that may be wrong in every other way; None where it has none that can be read."""
    try:
        return _id(with_clean_names(row).get("id"), "id") if isinstance(row, Mapping) else None
    except RowError:
        return None


def older_id(row: Mapping[str, Any]) -> str | None:
    """The id of a row as it stands there, which was that of its product before ids were brought into one form; None
    where it is the id."""
    written = with_clean_names(row).get("id")
    return written if isinstance(written, str) and _is_unicode(written) and clean_code(written) != written else None


def with_clean_names(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same row where each of its names has the one form of names, as almost every one has.

    Of two that were one name all along the first that has a value counts.
    """
    if not isinstance(row, Mapping) or all(map(_is_clean_name, row)):
        return row
    clean: dict[str, Any] = {}
    for name, value in row.items():
        named = clean_code(name) if isinstance(name, str) else name
        if _is_absent(clean.get(named)):
            clean[named] = value
    return clean


def _is_clean_name(name: object) -> bool:
    return not isinstance(name, str) or clean_code(name) == name


def _attribute_columns(row: object, errors: list[ValueUnusable]) -> tuple[str, ...]:
    """The columns of a row that are attributes. Raises RowError where the row is none."""
    if not isinstance(row, Mapping):
        raise RowError(f"a row is an object of columns, not {describe_value(row)}")
    if len(row) > MAX_COLUMNS:
        raise RowError(f"the row has {len(row):,} columns; at most {MAX_COLUMNS:,} are read")
    try:
        columns, wrong = _shape(tuple(row)) if len("".join(row)) <= _MAX_KNOWN else _checked(tuple(row))
    except TypeError:  # a name that is no text
        columns, wrong = _checked(tuple(row))
    errors += wrong
    return columns


def _checked(columns: tuple[Any, ...]) -> tuple[tuple[str, ...], tuple[ValueUnusable, ...]]:
    """The columns that are attributes, and what is wrong with the names of the others."""
    good, wrong = [], []
    for name in columns:
        if not isinstance(name, str) or not name.strip():
            wrong.append(ValueUnusable(f"a column's name is text, not {describe_value(name)}"))
        elif not _is_unicode(name):
            wrong.append(ValueUnusable(f"the column {name!a} has a name that is not valid Unicode"))
        elif name in RESERVED:
            said = f"{name!r} is a word of the filter language; give the column another name"
            wrong.append(ValueUnusable(said, field=name))
        elif name not in STANDARD_COLUMNS:
            good.append(name)
    return tuple(good), tuple(wrong)


def is_attribute_name(name: str) -> bool:
    """Whether a column, or a part of one by its full name, may be an attribute."""
    return len(name) <= MAX_NAME and bool(_checked((name,))[0])


# Rows of one catalog have few shapes between them.
_shape = lru_cache(_KNOWN_SHAPES)(_checked)


def _is_absent(value: object) -> bool:
    return value is None or (isinstance(value, str) and not clean_code(value))


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
        raise ValueUnusable(f"{column} is not valid Unicode: {describe_value(text)}", field=column)
    return text


def _wrong(column: str, value: object, expected: str) -> ValueUnusable:
    return ValueUnusable(f"{column} is {describe_value(value)}, expected {expected}", field=column)


def _id(value: object, column: str) -> str | None:
    if _is_absent(value):
        return None
    if not isinstance(value, str):
        raise _wrong(column, value, "text or a whole number")
    return clean_code(_unicode(value, column))


def _text(row: Mapping[str, Any], column: str, clean: Callable[[str], str] = clean_line) -> str | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _wrong(column, value, "text")
    return clean(decoded(_unicode(value, column))) or None


def _texts(row: Mapping[str, Any], column: str, errors: list[ValueUnusable]) -> tuple[str, ...]:
    values = row.get(column)
    if values is None:
        return ()
    texts: dict[str, None] = {}
    for value in values if isinstance(values, list | tuple) else (values,):
        try:
            if isinstance(value, str):
                if text := clean_line(decoded(_unicode(value, column))):
                    texts[text] = None
            elif value is not None:
                raise _wrong(column, value, "text or a list of texts")
        except ValueUnusable as error:
            errors.append(error)
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


def _images(row: Mapping[str, Any]) -> tuple[tuple[str, ...], list[ImageError], dict[str, bytes]]:
    """Sources in their order without repeats, an error for each value that can be none, and what the row itself has."""
    sources: dict[str, None] = {}
    errors: list[ImageError] = []
    inline: dict[str, bytes] = {}
    for column in ("image", "images"):
        given = row.get(column)
        if given is None:
            continue
        for value in given if isinstance(given, list | tuple) else [given]:
            try:
                source = _source(value, column, inline)
            except ImageError as error:
                if len(errors) < _MAX_ERRORS:  # a row may be a list of a million numbers
                    errors.append(error)
            else:
                if source is not None:
                    sources[source] = None
    return tuple(sources), errors, inline


def _source(value: object, column: str, inline: dict[str, bytes]) -> str | None:
    """A path, a URL or ``picture:HASH``; None for an absent one. What the row itself has is put into ``inline``.

    URLs come out of HTML, where ``&`` is ``&amp;``; a file may be called just that.
    """
    if _is_absent(value):
        return None
    if isinstance(value, dict) and value.keys() <= {"bytes", "path"}:  # as Hugging Face datasets have them
        value = value.get("path") if value.get("bytes") is None else value["bytes"]
        if _is_absent(value):
            return None
    if isinstance(value, str) and _is_unicode(value):
        value = clean_code(value)
        if value.startswith(("http://", "https://")):
            value = value.replace("&amp;", "&")
        if not value.startswith(("data:", "Data:", "DATA:")):
            return with_scheme(value)
        data = from_data_uri(value, column)
    elif isinstance(value, bytes | bytearray | memoryview):
        data = check_bytes(bytes(value), column)
    else:
        expected = "a path beside the catalog file, a URL, a data: URI, or bytes"
        raise ImageSourceUnsupported(f"{column} is {describe_value(value)}, expected {expected}", field=column)
    source = source_of(data)
    inline[source] = data
    return source


def _attributes(row: Mapping[str, Any], columns: tuple[str, ...], errors: list[ValueUnusable]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    names: set[str] = set()
    for name in columns:
        value = row[name]
        if _is_absent(value):
            continue
        try:
            value = _json(value, name, is_code_name(name))
            of_value: list[str] = []
            for part, _ in flatten({name: value}) if isinstance(value, dict) else ((name, value),):
                if part in names:
                    twice = f"{part!r} is there twice: as a column, and as a part of a nested one"
                    raise ValueUnusable(twice, field=part)
                if len(part) > MAX_NAME:
                    raise ValueUnusable(f"the column {part[:40]}… has a name of more than {MAX_NAME} characters")
                of_value.append(part)
        except ValueUnusable as error:
            errors.append(error)
            continue
        names.update(of_value)
        attributes[name] = value
    if len(names) > MAX_COLUMNS:
        raise RowError(f"the row has {len(names):,} columns with nested ones; at most {MAX_COLUMNS:,} are read")
    return attributes


def _json(value: Any, column: str, code: bool, depth: int = 0) -> Any:
    """A value as JSON has it: its texts clean, those of a ``code`` as they were written; a number in its one form.

    Raises ValueUnusable for what JSON cannot hold.
    """
    if depth > MAX_NESTING:
        raise ValueUnusable(f"{column} is nested deeper than {MAX_NESTING} levels", field=column)
    if isinstance(value, str):
        text = decoded(_unicode(value, column))
        return clean_code(text) if code else clean_value(text)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return one_number(_finite(value, column))
    if isinstance(value, list | tuple):
        return [_json(item, column, code, depth + 1) for item in value]
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str) or not _is_unicode(name):
                raise ValueUnusable(f"{column} holds the key {describe_value(name)}, expected text", field=column)
        named = with_clean_names(value)
        return {name: _json(item, column, is_code_name(name), depth + 1) for name, item in named.items()}
    raise _wrong(column, value, "text, a number, true or false, a list or an object")
