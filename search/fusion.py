"""Many legs into one ranking: weighted sums of normalised scores.

Each leg's scores are put on 0..1 over its own candidates, since cosines of different directions are
not comparable; a product that a leg did not return gets 0 from it. Rank fusion (RRF) was tried and
lost half the quality where a weak leg met a strong one: it cannot tell a sure leg from a guess.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from index import Candidate, Term
from search.background import Usual

Scores = NDArray[np.float64]

_NONE: Mapping[UUID, float] = {}

# A dense leg whose candidates all lie within less than this is not stretched to the full scale: under
# a narrow filter the differences that are left are noise.
LEAST_SPAN = 0.1


@dataclass(frozen=True, slots=True)
class LegResult:
    """Candidates of one leg, best first: ``scores`` as the engine gave them and ``normalized`` on the
    common scale, each ``(candidates,) float64``. ``best`` is what its best one counts before it is weighed."""

    weight: float
    points: list[UUID]
    scores: Scores
    normalized: Scores
    best: float = 1.0


def leg_result(candidates: Sequence[Candidate], weight: float) -> LegResult:
    """A leg of cosines stretched over its own candidates."""
    scores = _scores(candidates)
    return LegResult(weight, _points(candidates), scores, stretched(scores))


def of_words_in_common(candidates: Sequence[Candidate], weight: float) -> LegResult:
    """The lexical leg: its weight grows with its best score, so that words rule where many are found."""
    scores = _scores(candidates)
    best = float(scores[0]) if scores.size else 0.0
    return LegResult(weight * best, _points(candidates), scores, scores / best if best > 0 else scores, best)


def standardized(candidates: Sequence[Candidate], weight: float, usual: Usual) -> LegResult:
    """A leg of cosines on the scale of what it scores by chance: 0 is usual, or less, and 1 its best.

    Its weight grows with how far its best is above the usual: a leg that finds nothing in particular says little.
    """
    scores = _scores(candidates)
    above = np.maximum((scores - usual.mean) / usual.deviation, 0.0)
    best = float(above[0]) if above.size else 0.0
    return LegResult(weight * best, _points(candidates), scores, above / best if best > 0 else above, best)


def _scores(candidates: Sequence[Candidate]) -> Scores:
    return np.array([candidate.score for candidate in candidates], np.float64)


def _points(candidates: Sequence[Candidate]) -> list[UUID]:
    return [candidate.id for candidate in candidates]


def stretched(scores: Scores) -> Scores:
    """Cosines, best first, on 0..1 over themselves: 1 is the best, 0 the worst."""
    if scores.size == 0:
        return scores
    best = float(scores[0])
    span = max(best - float(scores[-1]), LEAST_SPAN)
    return 1.0 - (best - scores) / span


def fuse(results: Sequence[LegResult], first: Mapping[UUID, float] = _NONE) -> tuple[list[UUID], Scores]:
    """Every candidate of any leg with its fused score, 0..1, best first.

    ``first`` go before all others, with 1, those of the lowest number first. Equal scores are in the order of their
    ids, so that pages agree.
    """
    # UUIDs hash in Python and ints in C, which over many candidates is milliseconds.
    rows: dict[int, int] = {}
    points: list[UUID] = []
    row: list[int] = []
    for point in chain(first, *(result.points for result in results)):
        at = rows.setdefault(point.int, len(points))
        if at == len(points):
            points.append(point)
        row.append(at)

    total = sum(result.weight for result in results) or 1.0
    shares = [np.zeros(len(first)), *(result.normalized * (result.weight / total) for result in results)]
    fused = np.bincount(np.array(row, np.intp), np.concatenate(shares), len(points)).astype(np.float64)
    tie = np.array([number >> 64 for number in rows], np.uint64)
    rank = np.full(len(points), np.inf)
    rank[: len(first)] = list(first.values())
    order = np.lexsort((tie, -fused, rank))
    fused[: len(first)] = 1.0
    return [points[at] for at in order.tolist()], fused[order]


def coverage(terms: Sequence[Term], matched: Collection[Sequence[str]]) -> float:
    """The largest share of a request's words, weighted by IDF, that one product has; 1 when there are no words."""
    whole = sum(term.idf for term in terms)
    if whole <= 0:
        return 1.0
    idf = {term.word: term.idf for term in terms}
    return max((sum(idf[word] for word in words) for words in matched), default=0.0) / whole
