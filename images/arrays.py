"""Arrays that packages hand to each other, and what vectors must be to be compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas import BadVectors

Vectors = NDArray[np.float32]
"""Of an embedding: ``(n, dim)``, unit rows, or one as ``(dim,)``."""
Pixels = NDArray[np.uint8]
"""Of an RGB image: ``(height, width, 3)``."""
Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]

_TOLERANCE = 1e-3


def check_vectors(vectors: object, shape: tuple[int, ...], what: str) -> None:
    """Engines accept NaN and make unit length of what is not: no such vector may reach them.

    Args:
        shape: ``(n, dim)`` or ``(dim,)``, not empty.
        what: Begins the message.

    Raises:
        BadVectors: they are not float32, of that shape, finite, unit rows; it says in which row.
    """
    if not isinstance(vectors, np.ndarray) or vectors.dtype != np.float32:
        raise BadVectors(f"{what}: {getattr(vectors, 'dtype', type(vectors).__name__)}, expected float32")
    if vectors.shape != shape:
        raise BadVectors(f"{what}: an array of shape {vectors.shape}, expected {shape}, of dimension {shape[-1]}")
    rows = vectors.reshape(-1, shape[-1])
    lengths = np.linalg.norm(rows, axis=1)
    for good, wrong in (
        (np.isfinite(rows).all(axis=1), "has values that are not finite"),
        (np.abs(lengths - 1.0) <= _TOLERANCE, "has length {:.4f}, expected 1"),
    ):
        if not good.all():
            row = int(np.argmin(good))
            raise BadVectors(f"{what}: row {row} of {len(rows)} {wrong.format(lengths[row])}")
