"""One pass over the points of an index: lengths, numbers that are none, dimensions that say nothing, repeated vectors.

Of each vector eight projections are kept, and not the vector: memory grows by 32 bytes a vector.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from images.arrays import Vectors
from index import DENSE, CatalogIndex, DenseName, Stored

_BATCH = 500
_UNIT = 1e-3
"""How far from 1 the length of a vector may be: float32 and an engine's own normalisation are far closer."""
_CONSTANT = 1e-6
_PROJECTIONS = 8
_GRID = 1e-6
"""Steps that projections are counted in, of which an image that was embedded twice differs by less than two: a space
that has collapsed into a point is one step, and not millions of pairs."""


@dataclass(slots=True)
class Dimensions:
    """Of all finite vectors of one kind; what there is of each dimension is ``(dim,)``."""

    rows: int = 0
    total: Any = 0.0
    least: Any = np.inf
    most: Any = -np.inf

    def add(self, rows: Vectors) -> None:
        """``(n, dim)``, at least one."""
        self.rows += len(rows)
        self.total = self.total + rows.sum(axis=0, dtype=np.float64)
        self.least = np.minimum(self.least, rows.min(axis=0))
        self.most = np.maximum(self.most, rows.max(axis=0))

    @property
    def constant(self) -> list[int]:
        """Dimensions that are the same in every vector; of one vector none."""
        if self.rows < 2:
            return []
        return [int(at) for at in np.flatnonzero(self.most - self.least <= _CONSTANT)]

    @property
    def centroid(self) -> NDArray[np.float64]:
        """The mean vector: ``(dim,)``."""
        mean: NDArray[np.float64] = self.total / self.rows
        return mean


@dataclass(slots=True)
class Points:
    """``points`` are those of StoreLens, ``foreign`` the others; the rest are ids of products: with a vector (a row, of
    images) that is not of unit length, or has NaN or an infinity in it; and lists of those that have one vector."""

    points: int = 0
    foreign: int = 0
    not_unit: list[str] = field(default_factory=list)
    not_finite: list[str] = field(default_factory=list)
    dimensions: dict[DenseName, Dimensions] = field(default_factory=dict)
    repeated: list[list[str]] = field(default_factory=list)
    """Products that are no variants of each other, and have an image in common; without any, all of their vectors."""

    @property
    def duplicates(self) -> int:
        """Products that repeat another one."""
        return len({id for ids in self.repeated for id in ids[1:]})


def look_at(index: CatalogIndex) -> Points:
    """Every point of an index, with its vectors."""
    found = Points(foreign=index.foreign())
    repeats = _Repeats(index.record.embedding.dimension)
    after = None
    while ids := index.scan(None, _BATCH, after):
        stored = index.fetch(ids, vectors=DENSE)
        found.points += len(stored)
        found.foreign += len(ids) - len(stored)
        for point in stored.values():
            rows = {name: np.atleast_2d(vectors) for name, vectors in point.vectors.items() if len(vectors)}
            if _in_order(point, rows, found):
                repeats.add(point, rows)
        for name in DENSE:
            some = [point.vectors[name] for point in stored.values() if len(point.vectors.get(name, ()))]
            if some:
                _count_dimensions(found, name, np.concatenate([np.atleast_2d(vectors) for vectors in some]))
        after = ids[-1]
    found.repeated = repeats.found()
    return found


def _count_dimensions(found: Points, name: DenseName, rows: Vectors) -> None:
    finite = rows[np.isfinite(rows).all(axis=1)]
    if len(finite):
        found.dimensions.setdefault(name, Dimensions()).add(finite)


def _in_order(point: Stored, rows: dict[DenseName, Vectors], found: Points) -> bool:
    """Whether the vectors of a point are finite, which all else takes for granted."""
    if not rows:
        return True
    together = np.vstack(list(rows.values()))
    id = str(point.payload.get("id", point.id))
    if not np.isfinite(together).all():
        found.not_finite.append(id)
        return False
    if (np.abs(np.linalg.norm(together, axis=1) - 1.0) > _UNIT).any():
        found.not_unit.append(id)
    return True


class _Repeats:
    """Vectors that several products have."""

    def __init__(self, dimension: int) -> None:
        self._directions = np.random.default_rng(0).normal(size=(dimension, _PROJECTIONS)).astype(np.float32)
        self._projected: list[Vectors] = []
        self._owners: list[tuple[str, Hashable]] = []
        """Of each vector that is compared its product, and whose variant that is."""

    def add(self, point: Stored, rows: dict[DenseName, Vectors]) -> None:
        """The images of a product; where it has none, all that it has as one."""
        if not rows:
            return
        images = rows.get("image")
        projected = (
            images @ self._directions
            if images is not None
            else sum(rows[name] @ self._directions * (at + 2) for at, name in enumerate(rows))
        )
        group = point.payload.get("product", {}).get("group_id")
        id = str(point.payload.get("id", point.id))
        owner: Hashable = (id,) if group is None else group
        self._projected.append(np.asarray(projected, np.float32))
        self._owners += [(id, owner)] * len(self._projected[-1])

    def found(self) -> list[list[str]]:
        """The most products first."""
        if not self._projected:
            return []
        steps = np.round(np.concatenate(self._projected) / _GRID).astype(np.int64)
        projected, which = np.unique(steps, axis=0, return_inverse=True)
        pairs = cKDTree(projected).query_pairs(2, p=np.inf, output_type="ndarray")
        links = coo_array((np.ones(len(pairs), np.int8), pairs.T), shape=(len(projected), len(projected)))
        labels = connected_components(links, directed=False)[1][which.ravel()]
        members: defaultdict[int, dict[Hashable, str]] = defaultdict(dict)
        for label, (id, owner) in zip(labels.tolist(), self._owners, strict=True):
            members[label].setdefault(owner, id)
        several = {tuple(its.values()): None for its in members.values() if len(its) > 1}
        return sorted(map(list, several), key=len, reverse=True)
