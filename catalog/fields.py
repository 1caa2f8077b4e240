"""What of a product can be filtered, and as what kind of value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from schemas import FieldKind, Product, Scalar, as_kind, stored_name, widen_kind

STANDARD_FIELDS: dict[str, FieldKind] = {
    "id": "keyword",
    "category": "keyword",
    "brand": "keyword",
    "price": "float",
    "currency": "keyword",
    "color": "keyword",
    "in_stock": "bool",
    "tags": "keyword",
    "group_id": "keyword",
    "language": "keyword",
}
"""Fields that every index has, whether a catalog fills them or not."""

_MAX_EXACT = 2**53
"""Whole numbers beyond it are not exact as JSON numbers everywhere, and are floats here."""


def kinds_of(product: Product) -> dict[str, FieldKind]:
    """The kind of each field the product has a value for; ``widen_kind`` joins those of many products."""
    return {name: STANDARD_FIELDS.get(name) or _kind_of(values) for name, values in _fields(product)}


def filter_values(product: Product, kinds: Mapping[str, FieldKind]) -> dict[str, Any]:
    """The product's ``fields`` as an index stores them, by ``stored_name``.

    Args:
        kinds: Those of the whole catalog; a field that is not among them is left out.
    """
    return {stored_name(name): as_kind(value, kinds[name]) for name, value in _fields(product) if name in kinds}


def flatten(attributes: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Attributes under full names: ``{"nutrition": {"protein": 3}}`` has ``nutrition.protein``."""
    for name, value in attributes.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _fields(product: Product) -> Iterator[tuple[str, Scalar | list[Scalar]]]:
    row = product.to_row()
    for name, value in (*((name, row.get(name)) for name in STANDARD_FIELDS), *flatten(product.attributes)):
        filterable = _filterable(value)
        if filterable is not None:
            yield name, filterable


def _filterable(value: Any) -> Scalar | list[Scalar] | None:
    """A scalar or a list of scalars, less what is blank; None for what is neither or empty."""
    if isinstance(value, list):
        given = [item for item in value if not _is_blank(item)]
        items = [scalar for item in given if (scalar := _scalar(item)) is not None]
        return items if items and len(items) == len(given) else None
    return _scalar(value)


def _scalar(value: Any) -> Scalar | None:
    if _is_blank(value) or not isinstance(value, str | bool | int | float):
        return None
    return float(value) if isinstance(value, int) and abs(value) > _MAX_EXACT else value


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _kind_of(value: Scalar | list[Scalar]) -> FieldKind:
    if isinstance(value, list):
        kind: FieldKind | None = None
        for item in value:
            kind = widen_kind(kind, _kind_of(item))
        assert kind is not None  # never an empty list
        return kind
    if isinstance(value, str):
        return "keyword"
    if isinstance(value, bool):
        return "bool"
    return "integer" if isinstance(value, int) else "float"
