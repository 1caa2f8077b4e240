from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import numpy as np

from evaluation.audit import Audit, audit
from index import CatalogIndex, DenseName, Stored


class _Points:
    """As much of an index as is looked at; engines themselves mend or refuse such vectors."""

    def __init__(self, vectors: Sequence[dict[DenseName, Any]], foreign: int) -> None:
        self._points = [
            Stored(UUID(int=number), {}, {name: np.array(vector, dtype=np.float32) for name, vector in held.items()})
            for number, held in enumerate(vectors)
        ]
        self._foreign = foreign

    def foreign(self) -> int:
        return self._foreign

    def scan(self, filter: None, limit: int, after: UUID | None) -> list[UUID]:
        return [point.id for point in self._points if after is None or point.id > after][:limit]

    def fetch(self, ids: Sequence[UUID], vectors: Sequence[DenseName]) -> dict[UUID, Stored]:
        return {point.id: point for point in self._points if point.id in ids}


def test_a_point_counts_once_whichever_of_its_vectors_is_wrong() -> None:
    good, long, lame = [0.6, 0.8], [0.6, 0.9], [float("nan"), 1.0]
    points = _Points(
        [
            {"title": good, "image": [good, good]},
            {"title": good, "image": [good, long]},
            {"title": lame, "image": [long, lame]},
            {"text": [float("inf"), 0.0]},
            {},
        ],
        foreign=2,
    )
    assert audit(cast(CatalogIndex, points)) == Audit(points=5, foreign=2, not_unit=1, not_finite=2)
