"""Variants of one product shown as one hit: the best stands for its group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from schemas import FieldKind, UnknownField, WrongType, find_field, known

MAX_SIBLINGS = 100


def check_group_by(name: str, fields: Mapping[str, FieldKind]) -> str:
    """The field of that name.

    Raises UnknownField for a field the index does not have, WrongType for numbers with fractions.
    """
    groupable = {name: kind for name, kind in fields.items() if kind != "float"}
    field = find_field(name, fields)
    if field is None:
        raise UnknownField(f"group_by: there is no field {name!r}; {known(groupable, 'use')}", field="group_by")
    if field not in groupable:
        raise WrongType(f"group_by: {field!r} is a number with fractions; {known(groupable, 'use')}", field="group_by")
    return field


def group_value(values: Mapping[str, Any], name: str) -> Any:
    """The value a point is grouped by: of a list the first, None where there is none."""
    value = values.get(name)
    if isinstance(value, list):
        return value[0] if value else None
    return value


def collapse(
    order: Sequence[UUID], values: Mapping[UUID, Mapping[str, Any]], name: str
) -> list[tuple[Any, list[UUID]]]:
    """``(value, members best first)`` for each group, in the order of its best member.

    A point without the field is a group of its own.
    """
    groups: dict[Any, list[UUID]] = {}
    for point in order:
        value = group_value(values.get(point, {}), name)
        groups.setdefault((value, None) if value is not None else (None, point), []).append(point)
    return [(key[0], members) for key, members in groups.items()]
