"""The gap between the vectors of images and those of words, and whether a search would be better without it.

Models that were trained to bring both together leave them in two cones (Liang et al. 2022). The gap is the distance
between their means. It is removed by taking each mean off the vectors of its kind; quality is how well the words of a
product find its own image, and its image the words, among those of a sample of products.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.audit.hubs import Sampled
from images.arrays import Vectors


def gap(images: NDArray[np.float64], words: NDArray[np.float64]) -> float:
    """Of the mean vectors ``(dim,)`` of both: 0 where they are one, 2 at most."""
    return float(np.linalg.norm(images - words))


def without_gap(sample: Sampled) -> dict[str, Any]:
    """Quality as it is and without the gap, by direction."""
    removed = sample._replace(images=_centered(sample.images), words=_centered(sample.words))
    directions = {"text->image": ("words", "images"), "image->text": ("images", "words")}
    return {
        direction: {
            "before": _known_items(getattr(sample, asked), getattr(sample, found)),
            "after": _known_items(getattr(removed, asked), getattr(removed, found)),
        }
        for direction, (asked, found) in directions.items()
    }


def _centered(vectors: Vectors) -> Vectors:
    moved = vectors - vectors.mean(axis=0)
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    units: Vectors = moved / np.where(lengths > 0, lengths, 1)
    return units


def _known_items(asked: Vectors, found: Vectors) -> dict[str, float]:
    """How well row ``n`` of one finds row ``n`` of the other; what is as near as that counts as before it by half."""
    cosines = asked @ found.T
    own = np.diag(cosines)[:, None]
    ranks = 1 + (cosines > own).sum(axis=1) + ((cosines == own).sum(axis=1) - 1) / 2
    return {
        "recall@1": float((ranks <= 1).mean()),
        "recall@10": float((ranks <= 10).mean()),
        "mrr": float((1 / ranks).mean()),
        "median_rank": float(np.median(ranks)),
    }
