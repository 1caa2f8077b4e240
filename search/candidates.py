"""What the legs of a question find, fused into one ranking."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np

from index import SUBJECT_TERMS, Candidate, CatalogIndex, Term, stem_token
from schemas import Filter, LegName
from search.background import Background
from search.fusion import LegResult, Scores, coverage, fuse, leg_result, of_words_in_common, standardized
from search.named import RANK, Exact, named, said_by
from search.plan import PlannedLeg, Question, plan
from search.weights import LegWeights, Regime, Table, regime_of

CANDIDATES = 1000
"""At most so many a leg; where no more match the filter, totals and facets are exact."""

DEPTH = 150
"""What a leg gives where more than ``WIDE`` products match: at 1,000 most of a search would go into handling
candidates that no page shows. nDCG@10 over all kinds of request went from .856 to .862 on one development
catalog and from .841 to .806 on another."""

WIDE = 4_000

_ALL_WORDS = 0.25
"""What it counts to have all words of a request, beside 1 of all legs together. On four development catalogs .2 found
what 9 did, nDCG@10 of descriptions without their titles .951 -> .982, and no kind of request lost; with 1 and more the
set of what fits became too small for synonyms."""
_DEEP = 100
"""Of the lexical leg, where all products with all words are to be found."""

COVERAGE_DEPTH = 20
"""How many of a leg's best are looked at for the words that they have."""


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of a request's words, weighted by IDF, one product has: ``anywhere``, and where it says what it is; the
    words themselves (``own``), or others in their place."""

    anywhere: float
    subject: float
    own_anywhere: float
    own_subject: float
    regime: Regime


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the legs found, best first, and what each leg made of it."""

    points: list[UUID]
    scores: Scores
    legs: list[tuple[PlannedLeg, LegResult]]
    terms: Sequence[Term]
    covered: Covered | None
    """None where there are no words."""
    exact: dict[UUID, Exact]
    total: float
    """What a product would reach that is the best of every leg: a score of 1 stands for it."""
    cut: bool
    """A leg had more than it was let give."""
    lost: Mapping[UUID, float] = field(default_factory=dict)
    """Of each the share of the best score that what is asked against took from it."""
    out: Set[UUID] = frozenset()
    """Those that it left nothing."""

    @property
    def top(self) -> float:
        """The best score of what is not named."""
        scores = self.scores[len(self.exact) :]
        return float(scores[0]) if scores.size and scores[0] > 0 else 1.0

    @property
    def shares(self) -> dict[UUID, float]:
        """Of each candidate its share of the best score; those that are named count as the best."""
        scores = self.scores[len(self.exact) :] / self.top
        shared = zip(self.points[len(self.exact) :], scores.tolist(), strict=True)
        return {**dict.fromkeys(self.exact, 1.0), **dict(shared)}

    def kept(self, points: Collection[UUID]) -> Candidates:
        """Those among these points alone."""
        at = [row for row, point in enumerate(self.points) if point in points]
        exact = {point: kind for point, kind in self.exact.items() if point in points}
        return replace(self, points=[self.points[row] for row in at], scores=self.scores[at], exact=exact)

    def beside(self, whole: Candidates) -> Candidates:
        """With scores on the scale of candidates of the whole catalog."""
        scale = self.total / whole.total if whole.total > 0 else 1.0
        scores = np.minimum(self.scores * scale, 1.0)
        scores[: len(self.exact)] = 1.0
        return replace(self, scores=scores)

    def best(self, leg: LegName) -> float:
        """The best score of a leg; 0 where it found nothing."""
        found = [result for planned, result in self.legs if planned.leg.name == leg and result.points]
        return max((float(result.scores[0]) for result in found), default=0.0)


def find(
    index: CatalogIndex, background: Background, question: Question, filter: Filter, weights: LegWeights
) -> Candidates:
    """Candidates of every leg under the filter, fused; what is named by its number or title comes first."""
    planned = plan(question, weights)
    matching = index.count(filter)
    limit = CANDIDATES if matching <= WIDE else DEPTH
    found = index.query([p.leg for p in planned], filter, limit)
    terms = index.terms(question.words, question.alternatives) if question.words else []
    by_words = next((some for leg, some in zip(planned, found, strict=True) if leg.leg.vector == "lexical"), [])
    lexical = [candidate.id for candidate in by_words]
    covered = _covered(index, question, lexical, terms) if question.words else None
    table = weights.words.of(covered.regime) if covered else {}
    results = [_result(background, leg, candidates, table) for leg, candidates in zip(planned, found, strict=True)]
    total = sum(result.weight for result in results)
    results = _to_shares(planned, results)
    exact, ranks = _exact(index, question.written, filter, found) if question.written else ({}, {})
    whole = _called_otherwise(index, question, lexical, terms, covered)
    total *= 1 + sum(result.weight for result in whole)
    points, scores = fuse([*results, *whole], ranks)
    cut = matching > limit and any(len(candidates) >= limit for candidates in found)
    return Candidates(points, scores, list(zip(planned, results, strict=True)), terms, covered, exact, total, cut)


def _exact(
    index: CatalogIndex, written: str, filter: Filter, found: Sequence[Sequence[Candidate]]
) -> tuple[dict[UUID, Exact], dict[UUID, float]]:
    """What is named, and of the best of each leg what says all that is asked, word by word; and what goes first of
    that."""
    best = {candidate.id for candidates in found for candidate in candidates[:COVERAGE_DEPTH]}
    said = said_by(index, written, best)
    exact: dict[UUID, Exact] = {**dict.fromkeys(said, "text"), **named(index, written, filter)}
    return exact, {point: RANK[kind] - (said[point] if kind == "text" else 0.0) for point, kind in exact.items()}


def with_all_words(index: CatalogIndex, points: Sequence[UUID], terms: Sequence[Term]) -> list[UUID]:
    """Those of the products that have every word."""
    words = {term.word for term in terms}
    return [point for point, has in index.matched(points, terms).items() if words.issubset(has)]


def _called_otherwise(
    index: CatalogIndex, question: Question, lexical: Sequence[UUID], terms: Sequence[Term], covered: Covered | None
) -> list[LegResult]:
    """Products that have all of several words, where none says that it is all of that, as a leg beside the others: a
    pulse that is "also called kidney bean" comes before kidneys, and before beans."""
    if covered is None or len(terms) < 2 or question.images or question.product:
        return []
    if covered.own_subject >= 1.0 or covered.anywhere < 1.0:
        return []
    points = with_all_words(index, lexical[:_DEEP], [term.same for term in terms])
    return [LegResult(_ALL_WORDS, points, np.ones(len(points)), np.ones(len(points)))] if points else []


def _covered(index: CatalogIndex, question: Question, lexical: Sequence[UUID], terms: Sequence[Term]) -> Covered:
    """Judged by the best of the lexical leg."""
    if not terms:  # stop words alone
        return Covered(0.0, 0.0, 0.0, 0.0, regime_of(terms, 1.0, expanded=False))
    best = lexical[:COVERAGE_DEPTH]
    payloads = index.payloads(best, [SUBJECT_TERMS]).values()
    subjects = [{stem_token(word) for word in payload.get(SUBJECT_TERMS, ())} for payload in payloads]
    anywhere = coverage(terms, index.matched(best, terms).values())
    subject = coverage(terms, [_words_of(terms, tokens) for tokens in subjects])
    own_anywhere, own_subject = anywhere, subject
    if question.alternatives:
        own = [term.own for term in terms]
        own_anywhere = coverage(own, index.matched(best, own).values())
        own_subject = coverage(own, [_words_of(own, tokens) for tokens in subjects])
    regime = regime_of(terms, anywhere, expanded=question.lacking)
    return Covered(anywhere, subject, own_anywhere, own_subject, regime)


def _words_of(terms: Sequence[Term], tokens: Set[int | None]) -> list[str]:
    """Which of the terms a product with these tokens has."""
    return [term.word for term in terms if any(tokens >= set(form) for form in term.forms)]


def _result(background: Background, planned: PlannedLeg, candidates: Sequence[Candidate], table: Table) -> LegResult:
    """What a leg found: where it can be told what it scores by chance, in the measure of that, else by itself."""
    leg = planned.leg
    weight = table.get(leg.name, planned.weight)
    if leg.vector == "lexical" or isinstance(leg.query, str):
        return of_words_in_common(candidates, weight)
    usual = background.usual(leg.vector, leg.query)
    return standardized(candidates, weight, usual) if usual else leg_result(candidates, planned.weight)


def _to_shares(planned: Sequence[PlannedLeg], results: Sequence[LegResult]) -> list[LegResult]:
    """The legs that ask with an image, and all others, scaled to what they weigh together beside each other."""
    scaled = list(results)
    for with_image in (True, False):
        of_these = [at for at, leg in enumerate(planned) if leg.leg.name.startswith("image->") is with_image]
        share = sum(planned[at].weight for at in of_these)
        total = sum(results[at].weight for at in of_these)
        for at in of_these:
            scaled[at] = replace(results[at], weight=results[at].weight * (share / total) if total > 0 else 0.0)
    return scaled
