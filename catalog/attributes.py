"""Columns of a row that are none of ours: attributes under their own names, as JSON has values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from catalog.codes import is_code_name
from catalog.markup import decoded
from catalog.values import finite, is_absent, is_unicode, unicode_text, with_clean_names, wrong_value
from schemas import (
    MAX_NAME,
    MAX_NESTING,
    RESERVED,
    STANDARD_COLUMNS,
    RowError,
    ValueUnusable,
    clean_code,
    clean_value,
    describe_value,
    flatten,
    one_number,
)

MAX_COLUMNS = 1_000
"""Columns of one row, the parts of nested ones counted."""

_KNOWN_SHAPES = 512
_MAX_KNOWN = 10_000
"""Characters of the column names that are remembered as a shape."""


def attribute_columns(row: object, errors: list[ValueUnusable]) -> tuple[str, ...]:
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
        elif not is_unicode(name):
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


def read_attributes(row: Mapping[str, Any], columns: tuple[str, ...], errors: list[ValueUnusable]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    names: set[str] = set()
    for name in columns:
        value = row[name]
        if is_absent(value):
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
        text = decoded(unicode_text(value, column))
        return clean_code(text) if code else clean_value(text)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return one_number(finite(value, column))
    if isinstance(value, list | tuple):
        return [_json(item, column, code, depth + 1) for item in value]
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str) or not is_unicode(name):
                raise ValueUnusable(f"{column} holds the key {describe_value(name)}, expected text", field=column)
        named = with_clean_names(value)
        return {name: _json(item, column, is_code_name(name), depth + 1) for name, item in named.items()}
    raise wrong_value(column, value, "text, a number, true or false, a list or an object")
