"""What a leg scores by chance: the cosines of a request with a sample of the whole catalog.

A cosine says little by itself: those of words with titles lie higher than those of words with images, and those of one
request higher than those of another. How far above the catalog's usual one it is, in standard deviations, can be
compared and added up (z-scores).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index import DENSE, CatalogIndex, DenseName, sample_products

SAMPLE = 2_000
"""Products: the mean of so many cosines is known to a fiftieth of their deviation."""

_FEWEST = 8
"""Products with a vector of a kind, below which nothing can be said of it."""
_LEAST_DEVIATION = 0.02
"""Of cosines: where they differ less, as between a few like products, the difference is noise."""


class Usual(NamedTuple):
    """Of the cosines of a request with the vectors of the catalog."""

    mean: float
    deviation: float


class Background:
    """A sample of an index's vectors."""

    def __init__(self, index: CatalogIndex) -> None:
        sampled: dict[DenseName, list[NDArray[np.float32]]] = {name: [] for name in DENSE}
        for product in sample_products(index, SAMPLE, DENSE):
            for name, vectors in product.vectors.items():
                sampled[name].append(np.atleast_2d(vectors)[0].copy())  # a view would keep all of its images
        self._vectors = {name: np.stack(vectors) for name, vectors in sampled.items() if len(vectors) >= _FEWEST}

    def usual(self, name: DenseName, query: NDArray[np.float32]) -> Usual | None:
        """None where the catalog has next to no vectors of this kind.

        Args:
            query: ``(dim,) float32``, unit length.
        """
        if name not in self._vectors:
            return None
        cosines = self._vectors[name] @ query
        return Usual(float(cosines.mean()), max(float(cosines.std()), _LEAST_DEVIATION))
