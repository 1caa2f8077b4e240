"""Why a hit is a hit: what each leg made of it, which words and which picture matched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np

from catalog import picture_sources
from index import Stored
from schemas import Explanation, LegExplanation
from search.candidates import Candidates
from search.plan import Vector


def leg_places(found: Candidates) -> list[dict[UUID, int]]:
    """For each leg, where in it each of its candidates stands, from 0."""
    return [{point: place for place, point in enumerate(result.points)} for _, result in found.legs]


def explain(
    point: UUID, found: Candidates, places: Sequence[Mapping[UUID, int]], words: Sequence[str], stored: Stored
) -> Explanation:
    """Why a point is where it is; ``places`` are ``leg_places``, ``words`` those of the request that it has."""
    legs = []
    picture: int | None = None
    for (planned, result), place in zip(found.legs, places, strict=True):
        at = place.get(point)
        if at is None:
            continue
        legs.append(
            LegExplanation(
                leg=planned.leg.name,
                score=round(float(result.scores[at]), 6),
                normalized=round(float(result.normalized[at]), 6),
                weight=round(result.weight, 6),
                rank=at + 1,
            )
        )
        if planned.leg.vector == "image" and not isinstance(planned.leg.query, str):
            picture = _best_picture(stored, planned.leg.query)
    return Explanation(legs=legs, exact=found.exact.get(point), matched_terms=list(words), picture=picture)


def _best_picture(stored: Stored, query: Vector) -> int | None:
    """Which of the product's pictures is nearest, from 0; None where one of them was unusable, since the
    vectors then do not say which of the others they are of."""
    pictures = stored.vectors.get("image")
    if pictures is None or len(pictures) != len(picture_sources(stored.payload)):
        return None
    return int(np.argmax(pictures @ query))
