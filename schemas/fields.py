"""Filterable fields: their kinds, how a kind widens, and the name a field is stored under."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from schemas.filters import FieldKind, Scalar


def widen_kind(a: FieldKind | None, b: FieldKind) -> FieldKind:
    """The narrowest kind that holds values of both; None stands for a field that was not seen yet."""
    if a is None or a == b:
        return b
    return "float" if {a, b} == {"integer", "float"} else "keyword"


def as_kind(value: Scalar | Sequence[Scalar], kind: FieldKind) -> Any:
    """A filterable value, or a list of them, as a field of this kind stores it.

    Only ``keyword`` changes anything: true becomes ``"true"``, 7 becomes ``"7"``. Whole numbers stay
    whole in a ``float`` field, so that widening it later gives the same text as a first ingest would.
    """
    if kind != "keyword" or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return [as_kind(item, kind) for item in value]


def stored_name(name: str) -> str:
    """The key of a field in a stored payload's ``fields``: its name, less what a payload path cannot quote."""
    return name.replace("%", "%25").replace('"', "%22").replace("\\", "%5C")
