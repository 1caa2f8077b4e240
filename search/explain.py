"""Why a hit is a hit: what each leg made of it, and which words of the request it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from schemas import Explanation, LegExplanation
from search.candidates import Candidates


def leg_places(found: Candidates) -> list[dict[UUID, int]]:
    """For each leg, where in it each of its candidates stands, from 0."""
    return [{point: place for place, point in enumerate(result.points)} for _, result in found.legs]


def explain(point: UUID, found: Candidates, places: Sequence[Mapping[UUID, int]], words: Sequence[str]) -> Explanation:
    """Why a point is where it is; ``places`` are ``leg_places``, ``words`` those of the request that it has."""
    legs = []
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
    return Explanation(legs=legs, exact=found.exact.get(point), matched_terms=list(words))
