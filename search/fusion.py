"""Many legs into one ranking: weighted sums of normalised scores.

Each leg's scores are put on 0..1 over its own candidates, since cosines of different directions are
not comparable; a product that a leg did not return gets 0 from it. Rank fusion (RRF) was tried and
lost half the quality where a weak leg met a strong one: it cannot tell a sure leg from a guess.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from index import Candidate, Term

# A dense leg whose candidates all lie within less than this is not stretched to the full scale: under
# a narrow filter the differences that are left are noise.
LEAST_SPAN = 0.1


@dataclass(frozen=True, slots=True)
class LegResult:
    """Candidates of one leg, best first, with their scores on the common scale."""

    weight: float
    scores: dict[UUID, float]
    normalized: dict[UUID, float]


def normalize(candidates: Sequence[Candidate], *, lexical: bool) -> dict[UUID, float]:
    """Scores on 0..1: the best is 1; 0 is the worst candidate of a dense leg, or no word in common."""
    if not candidates:
        return {}
    best = candidates[0].score
    if lexical:
        return {c.id: c.score / best for c in candidates} if best > 0 else {}
    floor = candidates[-1].score
    span = max(best - floor, LEAST_SPAN)
    return {c.id: 1.0 - (best - c.score) / span for c in candidates}


def fuse(results: Collection[LegResult]) -> dict[UUID, float]:
    """Fused score of every candidate of any leg, 0..1."""
    fused: dict[UUID, float] = {}
    for result in results:
        weight = result.weight
        for point, score in result.normalized.items():
            fused[point] = fused.get(point, 0.0) + weight * score
    total = sum(result.weight for result in results)
    return {point: score / total for point, score in fused.items()} if total > 0 else fused


def ranked(fused: dict[UUID, float], first: Sequence[UUID] = ()) -> list[UUID]:
    """Best first, ``first`` before all others; equal scores in the order of their ids, so that pages agree."""
    front = [point for point in first if point in fused]
    ahead = set(front)
    rest = sorted((-score, point.int, point) for point, score in fused.items() if point not in ahead)
    return front + [point for _, _, point in rest]


def coverage(terms: Sequence[Term], matched: Collection[Sequence[str]]) -> float:
    """The largest share of a request's words, weighted by IDF, that one product has; 1 when there are no words."""
    whole = sum(term.idf for term in terms)
    if whole <= 0:
        return 1.0
    idf = {term.word: term.idf for term in terms}
    return max((sum(idf[word] for word in words) for words in matched), default=0.0) / whole


def trust(covered: float) -> float:
    """What share of its weight the lexical leg keeps when it covers so much of a request.

    A request whose rare words the catalog lacks must not be ruled by the common ones that happen to
    match; but one rare word that does match ("baingan for curry") is worth more than its share. Of the
    powers .5, 1, 1.5, 2 and 3 the root was best over all,
    and .65 against .52 (power 1) in nDCG@10 on requests of that kind.
    """
    return math.sqrt(covered)
