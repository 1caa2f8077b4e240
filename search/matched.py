"""Which image of a product was the one that matched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from index import CatalogIndex, Stored
from search.candidates import Candidates
from search.plan import Vector


def matched_images(index: CatalogIndex, found: Candidates, shown: Mapping[UUID, Stored]) -> dict[UUID, int]:
    """For each product that an image leg found, the place of its best image among its sources, from 0.

    Judged by the image leg that weighed most for it. Vectors are read for products of several images alone.
    """
    asked = _questions(found, shown)
    several = [point for point in asked if len(_places(shown[point].payload)) > 1]
    vectors = index.fetch(several, vectors=("image",)) if several else {}
    best: dict[UUID, int] = {}
    for point, query in asked.items():
        places = _places(shown[point].payload)
        rows = vectors[point].vectors.get("image") if point in vectors else None
        if len(places) == 1:
            best[point] = places[0]
        elif places and rows is not None:
            best[point] = places[int(np.argmax(rows @ query)) // index.record.crops_per_image]
    return best


def _questions(found: Candidates, shown: Mapping[UUID, Stored]) -> dict[UUID, Vector]:
    """What each product's images were best compared with."""
    most: dict[UUID, tuple[float, Vector]] = {}
    for planned, result in found.legs:
        if planned.leg.vector != "image" or isinstance(planned.leg.query, str):
            continue
        for point, score in zip(result.points, (result.weight * result.normalized).tolist(), strict=True):
            if point in shown and (point not in most or score > most[point][0]):
                most[point] = score, planned.leg.query
    return {point: query for point, (_, query) in most.items()}


def _places(payload: Mapping[str, Any]) -> Sequence[int]:
    return [image["at"] for image in payload.get("pictures", ())]
