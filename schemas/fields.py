"""Filterable fields: what of a product they are made of, how a value fits a field's kind, and how it is stored."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.filters import FieldKind, Scalar
from schemas.product import STANDARD_COLUMNS

MAX_NESTING = 16
"""Lists and objects in each other in a value of a product."""
_MAX_FLOAT = int(sys.float_info.max)
MAX_EXACT = 2**53
"""Whole numbers beyond it are not exact as JSON numbers everywhere, and are floats in a field."""

_MAX_VALUES = 10_000
"""A longer list is kept and returned, and is no field: nobody filters by it, and indexing it takes minutes."""

_WORDS = ("title", "description", "image", "images")
"""Columns that are no fields: words, and images."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
"""Text that is a number, and that a number says as well: no zeros before it, no exponent, no plus."""


class Fitted(NamedTuple):
    """A value as a field of some kind has it, None where nothing of it fits, and what of it had to be left out."""

    value: Any
    unfit: tuple[Scalar, ...] = ()


def one_number(number: int | float) -> int | float:
    """The one way a number is kept: 42 for 42.0, and no -0."""
    if isinstance(number, float) and abs(number) <= MAX_EXACT and number.is_integer():
        return int(number)
    return number


def number_in(text: str) -> int | float | None:
    """The number that a text is, as JSON would write it; None for any other text, ``007`` and ``1e3`` among them."""
    text = text.strip()
    if not text.isascii() or not _NUMBER.fullmatch(text):
        return None
    return one_number(float(text)) if "." in text else int(text)


def fit(value: Scalar | Sequence[Scalar], kind: FieldKind) -> Fitted:
    """A filterable value, or a list of them, as a field of this kind has it.

    Everything is text if it has to be: 7 and 7.0 are ``"7"``, true is ``"true"``. In a field of numbers the text
    ``"7"`` is 7, in one of true and false ``"true"`` is true; what is neither is unfit.
    """
    if isinstance(value, str | bool | int | float):
        fitted = _fit(value, kind)
        return Fitted(None, (value,)) if fitted is None else Fitted(fitted)
    items = [(item, _fit(item, kind)) for item in value]
    return Fitted(
        [fitted for _, fitted in items if fitted is not None] or None,
        tuple(item for item, fitted in items if fitted is None),
    )


def _fit(value: Scalar, kind: FieldKind) -> Scalar | None:
    if kind == "keyword":
        return value if isinstance(value, str) else json.dumps(value if isinstance(value, bool) else one_number(value))
    if kind == "bool":
        if isinstance(value, bool):
            return value
        word = value.strip().lower() if isinstance(value, str) else value
        return {"true": True, "false": False, 1: True, 0: False}.get(word)
    number = number_in(value) if isinstance(value, str) else None if isinstance(value, bool) else one_number(value)
    return None if kind == "integer" and isinstance(number, float) else number


def field_values(row: Mapping[str, Any]) -> Iterator[tuple[str, Scalar | list[Scalar]]]:
    """What of a product, as a catalog row, can be filtered: full names of fields and their values."""
    for name, value in row.items():
        if name in _WORDS:
            continue
        for full_name, one in [(name, value)] if name in STANDARD_COLUMNS else flatten({name: value}):
            if (filterable := filterable_value(one)) is not None:
                yield full_name, filterable


def stored_fields(row: Mapping[str, Any], kinds: Mapping[str, FieldKind]) -> dict[str, Any]:
    """The ``fields`` of a product's payload, by ``stored_name``; a field that is not among ``kinds`` is left out."""
    fitted = ((name, fit(value, kinds[name]).value) for name, value in field_values(row) if name in kinds)
    return {stored_name(name): value for name, value in fitted if value is not None}


def unfit_values(row: Mapping[str, Any], kinds: Mapping[str, FieldKind]) -> dict[str, tuple[Scalar, ...]]:
    """For each field, the values of a product that it cannot have."""
    unfit = ((name, fit(value, kinds[name]).unfit) for name, value in field_values(row) if name in kinds)
    return {name: values for name, values in unfit if values}


def flatten(attributes: Mapping[str, Any], prefix: str = "", *, depth: int = MAX_NESTING) -> Iterator[tuple[str, Any]]:
    """Attributes under full names: ``{"nutrition": {"protein": 3}}`` has ``nutrition.protein``.

    What is nested deeper than ``depth``, as in no product, is left out.
    """
    for name, value in attributes.items():
        if isinstance(value, Mapping):
            if depth:
                yield from flatten(value, f"{prefix}{name}.", depth=depth - 1)
        else:
            yield prefix + name, value


def filterable_value(value: Any) -> Scalar | list[Scalar] | None:
    """A scalar or a list of scalars, less what is blank; None for what is neither or empty."""
    if isinstance(value, list):
        if len(value) > _MAX_VALUES:
            return None
        given = [item for item in value if not _is_blank(item)]
        items = [scalar for item in given if (scalar := _scalar(item)) is not None]
        return items if items and len(items) == len(given) else None
    return _scalar(value)


def _scalar(value: Any) -> Scalar | None:
    if _is_blank(value) or not isinstance(value, str | bool | int | float):
        return None
    if isinstance(value, int) and abs(value) > MAX_EXACT:
        return float(value) if abs(value) <= _MAX_FLOAT else None
    return value


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def stored_name(name: str) -> str:
    """The key of a field in a stored payload's ``fields``: its name, less what a payload path cannot quote."""
    return name.replace("%", "%25").replace('"', "%22").replace("\\", "%5C")
