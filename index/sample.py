"""Samples images of a catalog, to learn how far apart its images usually are."""

from __future__ import annotations

from typing import Any

import numpy as np

from images.arrays import Vectors
from index.protocols import CatalogIndex


def sample_images(index: CatalogIndex, products: int) -> tuple[Vectors, list[dict[str, Any]]]:
    """Vectors of the first images of some products, ``(n, dim) float32``, unit rows, and the payloads of these.

    Ids are hashes, so the first of them are products by chance, and always the same.
    """
    stored = index.fetch(index.scan(None, products), vectors=("image",)).values()
    # A product without images has no such vector.
    with_images = [point for point in stored if len(point.vectors.get("image", ()))]
    vectors = [point.vectors["image"][0] for point in with_images]
    if not vectors:
        return np.empty((0, index.record.embedding.dimension), np.float32), []
    return np.stack(vectors), [point.payload for point in with_images]
