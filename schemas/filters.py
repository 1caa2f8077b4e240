"""Filters: what a request writes, what it means, and whether it fits the fields of an index.

As written: ``{"brand": ["A", "B"], "price": {"gte": 10, "lt": 50}, "in_stock": true, "not": {..},
"any": [{..}, {..}], "all": [..]}``. Fields are ANDed; a scalar means equal, or contained where the
field is a list; a list means any of; ``null`` means without the field. ``parse_filter`` turns that
into the classes below, checked against the fields an index has; engines translate the classes and
nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from schemas.errors import RequestTooLarge, UnknownField, WrongType
from schemas.messages import describe_value
from schemas.text import clean_code, clean_value

FieldKind = Literal["keyword", "integer", "float", "bool"]
Scalar = str | bool | int | float

RESERVED = frozenset({"not", "any", "all"})
"""Words of the filter language, so no names for columns."""

MAX_DEPTH = 16
MAX_CONDITIONS = 256
_BOUNDS = ("gt", "gte", "lt", "lte")


@dataclass(frozen=True, slots=True)
class Match:
    """The field equals one of ``values``, or contains one where it is a list. Never empty."""

    field: str
    kind: FieldKind
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """A number between bounds; at least one bound is given."""

    field: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None


@dataclass(frozen=True, slots=True)
class First:
    """The field equals one of ``values``, or starts with one where it is a list: what grouping asks, and no request
    writes. Never empty."""

    field: str
    kind: FieldKind
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """The field has no value."""

    field: str


@dataclass(frozen=True, slots=True)
class HasWord:
    """The product has one of these words, folded, in its texts, or where it says what it is: what a search asks of
    itself. Never empty."""

    words: tuple[str, ...]
    subject: bool


@dataclass(frozen=True, slots=True)
class HasId:
    """The product's point is one of these; with none, nothing matches."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """A policy, or a person, decided one of these of the product: what a search asks of itself. Never empty."""

    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; with no parts, everything matches."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds. Never empty."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Filter


Filter = Match | First | Range | Missing | HasWord | HasId | Decided | All | AnyOf | Not


def parse_filter(written: Mapping[str, Any], fields: Mapping[str, FieldKind]) -> Filter:
    """The meaning of a written filter.

    Args:
        fields: The filterable fields of the index and their kinds.

    Raises:
        UnknownField: a name that is not among ``fields``; the message lists them.
        WrongType: a value or an operation that does not fit the field.
        RequestTooLarge: nested deeper than ``MAX_DEPTH`` or with more than ``MAX_CONDITIONS`` values and parts.
    """
    return _Parser(fields).parse(written, "filter", 0)


class _Parser:
    def __init__(self, fields: Mapping[str, FieldKind]) -> None:
        self.fields = fields
        self.conditions = 0

    def parse(self, written: object, path: str, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            raise RequestTooLarge(f"the filter is nested deeper than {MAX_DEPTH} levels", field="filter")
        if not isinstance(written, Mapping):
            raise WrongType(f"{path} must be an object of fields, not {describe_value(written)}", field=path)
        parts = []
        for name, value in written.items():
            inside = f"{path}.{name}".encode(errors="backslashreplace").decode()  # what no answer could say otherwise
            parts.append(self._entry(name, value, inside, depth))
        return All(tuple(parts))

    def _entry(self, name: str, value: object, path: str, depth: int) -> Filter:
        if name == "not":
            return Not(self.parse(value, path, depth + 1))
        if name in ("any", "all"):
            if not isinstance(value, list) or not value:
                raise WrongType(
                    f"{path} must be a list of at least one filter, not {describe_value(value)}", field=path
                )
            self._count(len(value))
            parts = tuple(self.parse(part, f"{path}[{i}]", depth + 1) for i, part in enumerate(value))
            return AnyOf(parts) if name == "any" else All(parts)
        field = find_field(name, self.fields)
        if field is None:
            raise UnknownField(f"{path}: there is no field {name!r}; {known(self.fields)}", field=path)
        return self._condition(field, self.fields[field], value, path)

    def _condition(self, name: str, kind: FieldKind, value: object, path: str) -> Filter:
        if isinstance(value, Mapping):
            return self._range(name, kind, value, path)
        values = value if isinstance(value, list) else [value]
        if not values:
            raise WrongType(f"{path}: an empty list matches nothing; leave {name!r} out to match all", field=path)
        self._count(len(values))
        given = tuple(form for v in values if v is not None for form in _forms(_scalar(kind, v, path)))
        parts: list[Filter] = [Match(name, kind, given)] if given else []
        if any(v is None for v in values):
            parts.append(Missing(name))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _range(self, name: str, kind: FieldKind, bounds: Mapping[str, object], path: str) -> Filter:
        if kind not in ("integer", "float"):
            raise WrongType(
                f"{path}: {name!r} is {_KINDS[kind]}, and only numbers have ranges; "
                f"{known({n: k for n, k in self.fields.items() if k in ('integer', 'float')}, 'numbers are')}",
                field=path,
            )
        unknown = [bound for bound in bounds if bound not in _BOUNDS]
        if unknown or not bounds:
            raise WrongType(
                f"{path}: a range is made of {', '.join(_BOUNDS)}, not {describe_value(dict(bounds))}", field=path
            )
        self._count(1)
        return Range(name, **{bound: float(_scalar(kind, v, f"{path}.{bound}")) for bound, v in bounds.items()})

    def _count(self, conditions: int) -> None:
        self.conditions += conditions
        if self.conditions > MAX_CONDITIONS:
            raise RequestTooLarge(f"the filter has more than {MAX_CONDITIONS} values and parts", field="filter")


_KINDS = {"keyword": "text", "integer": "a whole number", "float": "a number", "bool": "true or false"}


def _scalar(kind: FieldKind, value: object, path: str) -> Scalar:
    fits = {
        "keyword": isinstance(value, str),
        "bool": isinstance(value, bool),
        "integer": isinstance(value, int | float) and not isinstance(value, bool),
        "float": isinstance(value, int | float) and not isinstance(value, bool),
    }[kind]
    if not fits:
        raise WrongType(f"{path} is {_KINDS[kind]}, not {describe_value(value)}", field=path)
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise WrongType(f"{path} is not valid Unicode", field=path) from error
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise WrongType(f"{path} must be a finite number", field=path)
    return value  # type: ignore[return-value]


def _forms(value: Scalar) -> dict[Scalar, None]:
    """The forms in which a value may be stored: as product numbers are, as others, and as in older indexes."""
    return dict.fromkeys((clean_value(value), clean_code(value), value) if isinstance(value, str) else (value,))


def find_field(name: str, fields: Collection[str]) -> str | None:
    """The field that a request means by a name, in whatever form it, or an older index, has it; None for none."""
    clean = clean_code(name)
    if clean in fields:
        return clean
    return name if name in fields else next((field for field in fields if clean_code(field) == clean), None)


def known(fields: Mapping[str, FieldKind], label: str = "known are") -> str:
    """``known are brand (text), price (a number)``: the end of a message about an unknown field."""
    if not fields:
        return f"{label} none"
    return f"{label} " + ", ".join(f"{name} ({_KINDS[kind]})" for name, kind in sorted(fields.items()))
