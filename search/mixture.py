"""Several things asked for together, by their weights, and what hits are not to be like.

Each positive is looked for by itself, and what it found is fused with what the others found, as legs are. A negative
lowers a product's score by its weight times the product's closeness to it: 1 for the closest product of the catalog,
and for one that has all of the negative's words, down to 0 for what is usual. It is taken from scores and not from the
vectors that are asked with (Rocchio 1971), as that left in place what the words had found: of requests for a red dress
without red, a quarter of the first ten hits were dresses of other colours; with this, all of them are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID

import numpy as np

from index import CatalogIndex, DenseName, Term
from schemas import AnyOf, Filter, HasId
from search.background import Background
from search.candidates import Candidates
from search.fusion import LegResult, Scores, fuse
from search.plan import Question, Vector, plan
from search.weights import LegWeights

BEST_LEFT = 0.9
"""Of the best score that is left when negatives have taken theirs: what has so much of it fits at any rate."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is asked for: ``name`` says which of ``like``, None the request's own."""

    question: Question
    weight: float = 1.0
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Mixture:
    """Everything that is asked for; mostly one thing, and nothing against it."""

    parts: Sequence[Part]
    negatives: Sequence[Question] = ()
    negative_weight: float = 1.0

    @property
    def question(self) -> Question:
        """The only thing, or the first."""
        return self.parts[0].question

    @property
    def with_image(self) -> bool:
        return any(part.question.images for part in self.parts)


def find_together(mixture: Mixture, find: Callable[[Question], Candidates]) -> tuple[Candidates, list[Candidates]]:
    """Candidates of all that is asked for, fused, and those of each part by itself."""
    found = [find(part.question) for part in mixture.parts]
    if len(found) == 1:
        return found[0], found
    whole = sum(part.weight for part in mixture.parts)
    shares = [part.weight / whole for part in mixture.parts]
    points, scores = fuse(
        [LegResult(share, some.points, some.scores, some.scores) for share, some in zip(shares, found, strict=True)]
    )
    return (
        Candidates(
            points,
            scores,
            legs=[
                (replace(planned, asked=part.name), replace(result, weight=result.weight * share))
                for part, share, some in zip(mixture.parts, shares, found, strict=True)
                for planned, result in some.legs
            ],
            terms=_distinct([term for some in found for term in some.terms]),
            covered=None,
            exact={},
            total=sum(share * some.total for share, some in zip(shares, found, strict=True)),
            cut=any(some.cut for some in found),
        ),
        found,
    )


def _distinct(terms: Sequence[Term]) -> list[Term]:
    return list({term.forms: term for term in terms}.values())


class Against:
    """What hits are not to be like, compared with products of one index."""

    def __init__(self, index: CatalogIndex, background: Background, mixture: Mixture, weights: LegWeights) -> None:
        self._index = index
        self._weight = mixture.negative_weight
        self._things = [_Thing(index, background, question, weights) for question in mixture.negatives]

    def of(self, points: Sequence[UUID]) -> Scores:
        """What each product loses, as a share of the best score: ``(points,) float64``."""
        names = sorted({name for thing in self._things for name in thing.names})
        vectors = self._index.vectors(points, names) if names else {}
        close = [thing.closeness(points, vectors) for thing in self._things]
        lost: Scores = self._weight * np.max(close, axis=0)
        return lost

    def push(self, found: Candidates) -> Candidates:
        """The candidates in the order that is left when each has lost what it does."""
        if not found.points:
            return found
        lost = self.of(found.points)
        shares = found.shares
        left = np.array([shares[point] for point in found.points]) - lost
        exact = {point: kind for point, kind in found.exact.items() if left[found.points.index(point)] > 0}
        named = np.array([point in exact for point in found.points])
        scores = np.where(named, 1.0, np.maximum(left, 0.0) * found.top)
        order = np.lexsort((-left, ~named)).tolist()
        return replace(
            found,
            points=[found.points[at] for at in order],
            scores=scores[order],
            exact=exact,
            lost=dict(zip(found.points, lost.tolist(), strict=True)),
            out=frozenset(point for point, some in zip(found.points, left.tolist(), strict=True) if some <= 0),
        )

    def out(self, found: Candidates, having: Callable[[Sequence[Term]], Filter | None]) -> Filter:
        """What does not fit because of it: candidates that lost all they had, and, counted by the engine, all that
        have the words of it where these take everything."""
        parts: list[Filter] = [HasId(tuple(found.out))]
        if self._weight >= 1.0:
            parts += [words for thing in self._things if thing.terms and (words := having(thing.terms))]
        return AnyOf(tuple(parts))


class _Thing:
    """One of them: a text, or a product."""

    def __init__(self, index: CatalogIndex, background: Background, question: Question, weights: LegWeights) -> None:
        self._index = index
        self.terms = index.terms(question.words, question.alternatives) if question.words else []
        planned = [one for one in plan(question, weights) if not isinstance(one.leg.query, str)]
        best = index.query([one.leg for one in planned], None, 1) if planned else []
        self._legs = [
            (one.leg, one.weight, usual.mean, max(first[0].score - usual.mean, usual.deviation))
            for one, first in zip(planned, best, strict=True)
            if first and (usual := background.usual(cast(DenseName, one.leg.vector), cast(Vector, one.leg.query)))
        ]
        self.names = {cast(DenseName, leg.vector) for leg, *_ in self._legs}

    def closeness(self, points: Sequence[UUID], vectors: dict[UUID, dict[DenseName, Vector]]) -> Scores:
        """0..1 for each."""
        close, whole = np.zeros(len(points)), np.zeros(len(points))
        for leg, weight, usual, span in self._legs:
            for at, point in enumerate(points):
                held = vectors.get(point, {}).get(cast(DenseName, leg.vector))
                if held is not None and held.size:
                    cosine = float((np.atleast_2d(held) @ cast(Vector, leg.query)).max())
                    close[at] += weight * min(max((cosine - usual) / span, 0.0), 1.0)
                    whole[at] += weight
        close /= np.maximum(whole, 1e-9)
        if self.terms:
            matched = self._index.matched(points, self.terms)
            whole_words = [len(matched.get(point, ())) == len(self.terms) for point in points]
            close = np.maximum(close, whole_words)
        return close
