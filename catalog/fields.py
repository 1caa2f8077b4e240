"""The fields that every index has."""

from __future__ import annotations

from schemas import FieldKind

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
"""Whether a catalog fills them or not; their kinds stay."""
