"""Products that are in too many answers: hubs, whose vectors lie in the middle of all (Radovanovic et al. 2010)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np

from evaluation.exact import Nearest, nearest
from images.arrays import Vectors
from index import CatalogIndex, DenseName

ANSWER = 10
"""Products of an answer; fewer in an index of few, where ten are in many answers by chance."""
_SHARE = 0.1
"""Of all answers, and ..."""
_TIMES = 5
"""... times what a product is in on average: what is in both is a hub."""


class Hub(NamedTuple):
    """``share`` is of the answers to requests of this direction."""

    point: UUID
    direction: str
    share: float


class Sampled(NamedTuple):
    """Products that have an image and words: their ids, and ``(n, dim) float32``, unit rows, of the first image and of
    the words, of the title where there is one."""

    points: list[UUID]
    images: Vectors
    words: Vectors


def find_hubs(index: CatalogIndex, sample: Sampled) -> list[Hub]:
    """The worst first; sampled words and images are what is asked with, and every product can be an answer."""
    products = index.count()
    size = min(ANSWER, max(1, products // 20))
    asked: dict[DenseName, Vectors] = {"image": np.concatenate([sample.words, sample.images])}
    found = nearest(index, asked, size + 1)["image"] if len(sample.points) else []
    answers = {
        "text->image": [one.points[:size] for one in found[: len(sample.points)]],
        "image->image": _without_itself(sample.points, found[len(sample.points) :], size),
    }
    hubs = [
        Hub(point, direction, count / len(its))
        for direction, its in answers.items()
        for point, count in Counter(point for answer in its for point in answer).items()
        if count >= max(_TIMES * size * len(its) / products, _SHARE * len(its), _TIMES)
    ]
    return sorted(hubs, key=lambda hub: -hub.share)


def _without_itself(points: Sequence[UUID], found: Sequence[Nearest], size: int) -> list[list[UUID]]:
    return [[other for other in one.points if other != point][:size] for point, one in zip(points, found, strict=True)]
