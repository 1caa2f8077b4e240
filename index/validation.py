"""Checks vectors before they reach an engine, as engines accept NaN and normalise what is not of unit length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.protocols import Leg, Point, Vectors
from schemas import BadVectors

_TOLERANCE = 1e-3


def check_points(points: Sequence[Point], dimension: int) -> None:
    """Raises BadVectors unless every vector of every point is float32, finite, unit rows of ``dimension``."""
    for point in points:
        for name, vectors in point.vectors.items():
            shape = (len(vectors), dimension) if name == "image" else (dimension,)
            _check(vectors, shape, f"the {name} vector of point {point.id}")


def check_legs(legs: Sequence[Leg], dimension: int) -> None:
    """Raises BadVectors unless every dense query is ``(dimension,)`` float32, finite, of unit length."""
    for leg in legs:
        if leg.vector != "lexical":
            _check(leg.query, (dimension,), f"the query of {leg.name}")


def _check(vectors: Vectors | str, shape: tuple[int, ...], what: str) -> None:
    if not isinstance(vectors, np.ndarray) or vectors.dtype != np.float32:
        raise BadVectors(f"{what} is not a float32 array")
    if vectors.shape != shape or vectors.size == 0:
        raise BadVectors(f"{what} has shape {vectors.shape}, but the index holds vectors of dimension {shape[-1]}")
    if not np.isfinite(vectors).all():
        raise BadVectors(f"{what} has values that are not finite")
    lengths = np.linalg.norm(vectors, axis=-1)
    if not (np.abs(lengths - 1.0) <= _TOLERANCE).all():
        raise BadVectors(f"{what} is not of length 1 but {np.ravel(lengths)}")
