"""Points for an index, and what a plain loop over them answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np

from images.arrays import Vectors
from index import indexed_terms
from index.protocols import DENSE, DenseName, Point
from schemas import (
    All,
    AnyOf,
    Decided,
    EmbeddingSpec,
    FieldKind,
    Filter,
    First,
    HasId,
    HasWord,
    IndexRecord,
    Match,
    Missing,
    Not,
    Range,
    stored_name,
)

DIMENSION = 16
FIELDS: dict[str, FieldKind] = {"brand": "keyword", "price": "float", "stock": "integer", "in_stock": "bool"}
_WHEN = datetime(2024, 1, 1, tzinfo=UTC)


def spec(**changes: Any) -> EmbeddingSpec:
    known = {
        "model": "test",
        "fingerprint": "0" * 64,
        "dimension": DIMENSION,
        "max_tokens": 77,
        "preprocessing": "none",
    }
    return EmbeddingSpec.model_validate({**known, **changes})


def index_record(fields: Mapping[str, FieldKind] = FIELDS, embedding: EmbeddingSpec | None = None) -> IndexRecord:
    return IndexRecord(
        collection="products",
        embedding=embedding or spec(),
        fields=dict(fields),
        average_words=6.0,
        created=_WHEN,
        updated=_WHEN,
    )


def unit(*shape: int, seed: int) -> Vectors:
    """``shape`` float32, rows of length 1, the same for the same seed."""
    rows = np.random.default_rng(seed).normal(size=shape)
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), dtype=np.float32)


def make_point(
    number: int,
    fields: Mapping[str, Any] | None = None,
    *,
    words: str = "red shoes",
    title_key: str = "red shoes",
    vectors: Sequence[DenseName] = ("image", "title", "text"),
    images: int = 2,
) -> Point:
    """A product whose id, vectors and payload follow from its number."""
    made: dict[DenseName, Vectors] = {}
    for name in vectors:
        shape = (images, DIMENSION) if name == "image" else (DIMENSION,)
        made[name] = unit(*shape, seed=number * 3 + DENSE.index(name))
    payload = {
        "id": f"p{number}",
        "product": {"id": f"p{number}", "title": title_key},
        "fields": {stored_name(name): value for name, value in (fields or {}).items()},
        "title_key": title_key,
        "codes": [f"kt{number}"],
        "code_parts": [f"kt{number + 1}"],
        **indexed_terms(words, title_key),
    }
    return Point(UUID(int=number), payload, made, words)


def matches(filter: Filter, fields: Mapping[str, Any], point: Point | None = None) -> bool:
    """Whether a product with these fields passes: the meaning of a filter, spelled out."""
    match filter:
        case All(parts):
            return all(matches(part, fields, point) for part in parts)
        case AnyOf(parts):
            return any(matches(part, fields, point) for part in parts)
        case Not(part):
            return not matches(part, fields, point)
        case Missing(field):
            return not _values(fields, field)
        case Match(field, _, values):
            return any(value in values for value in _values(fields, field))
        case First(field, _, values):
            return any(value in values for value in _values(fields, field)[:1])
        case Decided(actions):
            return point is not None and point.payload.get("moderation", {}).get("action") in actions
        case HasId(ids):
            return point is not None and point.id in ids
        case HasWord(words, subject):
            return point is not None and not set(words).isdisjoint(
                point.payload["subject_terms" if subject else "terms"]
            )
        case Range(field):
            return any(_inside(filter, value) for value in _values(fields, field))


def _values(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


def _inside(span: Range, value: float) -> bool:
    return (
        (span.gt is None or value > span.gt)
        and (span.gte is None or value >= span.gte)
        and (span.lt is None or value < span.lt)
        and (span.lte is None or value <= span.lte)
    )
