"""Samples of a catalog, to learn what is usual in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from images.arrays import Vectors
from index.protocols import CatalogIndex, DenseName, Stored

_BATCH = 100
"""Products read at a time: one may have hundreds of image vectors."""


def sample_products(index: CatalogIndex, products: int, vectors: Sequence[DenseName]) -> Iterator[Stored]:
    """Some products with these vectors. Ids are hashes, so the first of them are products by chance, and always the
    same."""
    after = None
    while products > 0 and (ids := index.scan(None, min(products, _BATCH), after)):
        yield from index.fetch(ids, vectors).values()
        products -= len(ids)
        after = ids[-1]


def sample_images(index: CatalogIndex, products: int) -> tuple[Vectors, list[dict[str, Any]]]:
    """Vectors of the first images of some products, ``(n, dim) float32``, unit rows, and the payloads of these."""
    vectors, payloads = [], []
    for product in sample_products(index, products, ("image",)):
        images = product.vectors.get("image")
        if images is not None and len(images):
            vectors.append(images[0].copy())  # a view would keep all of the product's
            payloads.append(product.payload)
    if not vectors:
        return np.empty((0, index.record.embedding.dimension), np.float32), []
    return np.stack(vectors), payloads


def product_vectors(index: CatalogIndex, points: Sequence[UUID]) -> dict[UUID, dict[DenseName, Vectors]]:
    """What products are judged by: of most their images alone, since reading vectors is nearly all that it takes, and
    of those without any their titles and texts."""
    vectors = index.vectors(points, ("image",))
    if without := [point for point, has in vectors.items() if "image" not in has]:
        vectors |= index.vectors(without, ("title", "text"))
    return vectors
