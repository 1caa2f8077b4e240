"""Checks vectors before they reach an engine, as engines accept NaN and normalise what is not of unit length."""

from __future__ import annotations

from collections.abc import Sequence

from images.arrays import check_vectors
from index.protocols import Leg, Point


def check_points(points: Sequence[Point], dimension: int) -> None:
    """Raises BadVectors unless every vector of every point is float32, finite, unit rows of ``dimension``."""
    for point in points:
        for name, vectors in point.vectors.items():
            shape = (max(len(vectors), 1), dimension) if name == "image" else (dimension,)
            check_vectors(vectors, shape, f"the {name} vector of point {point.id}")


def check_legs(legs: Sequence[Leg], dimension: int) -> None:
    """Raises BadVectors unless every dense query is ``(dimension,)`` float32, finite, of unit length."""
    for leg in legs:
        if leg.vector != "lexical":
            check_vectors(leg.query, (dimension,), f"the query of {leg.name}")
