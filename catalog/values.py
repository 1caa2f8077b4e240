"""One value of a row, as its column has it: clean text, a number, true or false; or ``ValueUnusable``, which says why
it is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from catalog.markup import decoded
from schemas import ValueUnusable, clean_code, clean_line, describe_value


def with_clean_names(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same row where each of its names has the one form of names, as almost every one has.

    Of two that were one name all along the first that has a value counts.
    """
    if not isinstance(row, Mapping) or all(map(_is_clean_name, row)):
        return row
    clean: dict[str, Any] = {}
    for name, value in row.items():
        named = clean_code(name) if isinstance(name, str) else name
        if is_absent(clean.get(named)):
            clean[named] = value
    return clean


def _is_clean_name(name: object) -> bool:
    return not isinstance(name, str) or clean_code(name) == name


def is_absent(value: object) -> bool:
    return value is None or (isinstance(value, str) and not clean_code(value))


def is_unicode(text: str) -> bool:
    """False for lone surrogates, which JSON can escape but nothing can store."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unicode_text(text: str, column: str) -> str:
    if not is_unicode(text):
        raise ValueUnusable(f"{column} is not valid Unicode: {describe_value(text)}", field=column)
    return text


def wrong_value(column: str, value: object, expected: str) -> ValueUnusable:
    return ValueUnusable(f"{column} is {describe_value(value)}, expected {expected}", field=column)


def read_id(value: object, column: str) -> str | None:
    if is_absent(value):
        return None
    if not isinstance(value, str):
        raise wrong_value(column, value, "text or a whole number")
    return clean_code(unicode_text(value, column))


def read_text(row: Mapping[str, Any], column: str, clean: Callable[[str], str] = clean_line) -> str | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise wrong_value(column, value, "text")
    return clean(decoded(unicode_text(value, column))) or None


def read_texts(row: Mapping[str, Any], column: str, errors: list[ValueUnusable]) -> tuple[str, ...]:
    values = row.get(column)
    if values is None:
        return ()
    texts: dict[str, None] = {}
    for value in values if isinstance(values, list | tuple) else (values,):
        try:
            if isinstance(value, str):
                if text := clean_line(decoded(unicode_text(value, column))):
                    texts[text] = None
            elif value is not None:
                raise wrong_value(column, value, "text or a list of texts")
        except ValueUnusable as error:
            errors.append(error)
    return tuple(texts)


def read_price(value: object) -> float | None:
    if is_absent(value):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_value("price", value, "a number")
    return float(finite(value, "price"))


def finite(value: float, column: str) -> float:
    try:
        finite = math.isfinite(value)
    except OverflowError:  # a whole number beyond any float
        finite = False
    if not finite:
        raise wrong_value(column, value, "a number within ±1.8e308")
    return value


def read_in_stock(value: object) -> bool | None:
    if is_absent(value):
        return None
    if not isinstance(value, bool):
        raise wrong_value("in_stock", value, "true or false")
    return value
