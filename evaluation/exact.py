"""The exact answer to a dense leg: its query compared with every stored vector, by numpy.

Engines search graphs of quantized vectors; how much of the exact answer they miss is measured against this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from images.arrays import Vectors
from index import CatalogIndex, DenseName
from schemas import Filter

_BATCH = 500
"""Products that are read at once."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The best of one query, best first: fewer where fewer pass its filter or have such a vector."""

    points: list[UUID]
    scores: NDArray[np.float32]


def nearest(
    index: CatalogIndex,
    queries: Mapping[DenseName, Vectors],
    limit: int,
    filters: Mapping[DenseName, Sequence[Filter | None]] | None = None,
) -> dict[DenseName, list[Nearest]]:
    """The ``limit`` products nearest to each query by cosine, a product's nearest image counting, in one pass.

    Args:
        queries: ``(n, dim) float32``, unit rows, by the vector that they are compared with.
        filters: For each query the products it is compared with; all, where it is None.
    """
    best = {name: _Best(len(rows), limit) for name, rows in queries.items()}
    allowed = _allowed(index, filters or {})
    for ids, vectors in _batches(index, tuple(queries)):
        for name, of_points in vectors.items():
            held = [(id, np.atleast_2d(rows)) for id, rows in zip(ids, of_points, strict=True) if rows is not None]
            if not held:
                continue
            points, rows = zip(*held, strict=True)
            starts = np.concatenate([[0], np.cumsum([len(some) for some in rows[:-1]])]).astype(np.intp)
            scores = np.maximum.reduceat(queries[name] @ np.concatenate(rows).T, starts, axis=1)
            for passing, asking in allowed.get(name, []):
                passes = np.array([point in passing for point in points])
                scores[np.ix_(np.array(asking), ~passes)] = -np.inf
            best[name].add(points, scores)
    return {name: its.finished() for name, its in best.items()}


class _Best:
    """The best so far of each query."""

    def __init__(self, queries: int, limit: int) -> None:
        self._limit = limit
        self._points: list[UUID] = []
        self._numbers = np.empty((queries, 0), np.int64)
        self._scores = np.empty((queries, 0), np.float32)

    def add(self, points: Sequence[UUID], scores: NDArray[np.float32]) -> None:
        """``scores`` is ``(queries, points)``."""
        numbers = np.arange(len(self._points), len(self._points) + len(points))
        self._points.extend(points)
        scores = np.concatenate([self._scores, scores], axis=1)
        numbers = np.concatenate([self._numbers, np.broadcast_to(numbers, (len(scores), len(points)))], axis=1)
        kept = np.argsort(-scores, axis=1, kind="stable")[:, : self._limit]
        self._scores = np.take_along_axis(scores, kept, 1)
        self._numbers = np.take_along_axis(numbers, kept, 1)

    def finished(self) -> list[Nearest]:
        found = np.isfinite(self._scores)
        return [
            Nearest([self._points[number] for number in numbers[mask]], scores[mask])
            for numbers, scores, mask in zip(self._numbers, self._scores, found, strict=True)
        ]


def _batches(
    index: CatalogIndex, names: Sequence[DenseName]
) -> Iterator[tuple[list[UUID], dict[DenseName, list[Vectors | None]]]]:
    """Products, and of each its usable vectors by name."""
    after: UUID | None = None
    with tqdm(total=index.count(), unit=" products", desc="exact", disable=None) as progress:
        while ids := index.scan(None, _BATCH, after):
            stored = index.fetch(ids, names)
            held = [id for id in ids if id in stored]
            yield held, {name: [_usable(stored[id].vectors.get(name)) for id in held] for name in names}
            progress.update(len(ids))
            after = ids[-1]


def _usable(vectors: Vectors | None) -> Vectors | None:
    return vectors if vectors is not None and len(vectors) and np.isfinite(vectors).all() else None


def _allowed(
    index: CatalogIndex, filters: Mapping[DenseName, Sequence[Filter | None]]
) -> dict[DenseName, list[tuple[frozenset[UUID], list[int]]]]:
    """By vector, the products that pass each filter and the queries that are under it; each filter is asked once."""
    passing: dict[Filter, frozenset[UUID]] = {}
    found: dict[DenseName, list[tuple[frozenset[UUID], list[int]]]] = {}
    for name, some in filters.items():
        asking: dict[Filter, list[int]] = {}
        for at, filter in enumerate(some):
            if filter is not None:
                asking.setdefault(filter, []).append(at)
        for filter in asking:
            if filter not in passing:
                passing[filter] = frozenset(_scan(index, filter))
        found[name] = [(passing[filter], queries) for filter, queries in asking.items()]
    return found


def _scan(index: CatalogIndex, filter: Filter) -> Iterator[UUID]:
    after: UUID | None = None
    while ids := index.scan(filter, _BATCH, after):
        yield from ids
        after = ids[-1]
