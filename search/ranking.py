"""Answering a question: legs, fusion, then facets, groups, order and page over the candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import numpy as np

from catalog import title_key
from index import CatalogIndex, Stored, Term
from schemas import All, Explanation, Filter, Group, Hit, LegExplanation, Match, SearchResponse, Total
from search import facets
from search.ask import Ask
from search.browse import SortKey, sort_keys
from search.fusion import LegResult, coverage, fuse, normalize, ranked, trust
from search.groups import MAX_SIBLINGS, check_group_by, collapse
from search.hits import hit
from search.plan import PlannedLeg, Question, plan
from search.weights import LegWeights

CANDIDATES = 1000
"""At most so many a leg: totals and facets count over their union."""

COVERAGE_DEPTH = 20
"""How many of the lexical leg's best are looked at for how many of the words they have."""

EXACT_TITLES = 100
"""At most so many products of exactly the title asked for go first."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the legs found: the ranking, and what each leg made of it."""

    order: list[UUID]
    scores: dict[UUID, float]
    legs: list[tuple[PlannedLeg, LegResult]]
    terms: Sequence[Term]
    exact: dict[UUID, Literal["id", "title"]]
    cut: bool
    """A leg had more than it was let give."""


def rank(index: CatalogIndex, ask: Ask, weights: LegWeights) -> SearchResponse:
    """The page of hits that a request asks for."""
    request, question = ask.request, ask.question
    assert question is not None
    keys = sort_keys(request.sort or [], index.record.fields)
    group_by = None if request.group_by is None else check_group_by(request.group_by, index.record.fields)

    found = find(index, question, ask.filter, weights)
    notices: list[str] = []
    order = found.order
    if keys and (whole := _with_all_words(index, found)) is not None:
        order = [point for point in order if point in whole]
        notices.append(f"sorted among the {len(order)} products that have every word of the request")

    needed = {*ask.facets, *(key.field for key in keys), *([group_by] if group_by else [])}
    values = index.values(order, sorted(needed)) if needed else {}
    if keys:
        order = _sorted(order, keys, values)
    groups: list[tuple[Any, list[UUID]]]
    groups = collapse(order, values, group_by) if group_by else [(None, [point]) for point in order]

    offset = ask.cursor.offset if ask.cursor else 0
    page = groups[offset : offset + request.limit]
    after = offset + len(page)
    return SearchResponse(
        hits=_hits(index, ask, found, page),
        total=Total(value=len(groups), relation="gte" if found.cut and not notices else "eq"),
        facets=facets.of_candidates(ask.facets, index.record.fields, values, order) if ask.facets else None,
        next_cursor=ask.next_cursor(index, offset=after) if after < len(groups) else None,
        notices=notices,
        took_ms=0.0,
    )


def find(index: CatalogIndex, question: Question, filter: Filter, weights: LegWeights) -> Candidates:
    """Candidates of every leg under the filter, fused; what is named exactly by id or title comes first."""
    planned = plan(question, weights)
    found = index.query([p.leg for p in planned], filter, CANDIDATES)
    terms = index.terms(question.words) if question.words else []
    legs = []
    for leg, candidates in zip(planned, found, strict=True):
        weight = leg.weight
        if leg.leg.vector == "lexical":
            matched = index.matched([c.id for c in candidates[:COVERAGE_DEPTH]], terms)
            weight *= trust(coverage(terms, matched.values()))
        lexical = leg.leg.vector == "lexical"
        scores = {c.id: c.score for c in candidates}
        legs.append((leg, LegResult(weight, scores, normalize(candidates, lexical=lexical))))
    scores = fuse([result for _, result in legs])
    exact = _named(index, question.words, filter) if question.words else {}
    for point in exact:
        scores[point] = 1.0
    return Candidates(
        order=ranked(scores, list(exact)),
        scores=scores,
        legs=legs,
        terms=terms,
        exact=exact,
        cut=any(len(candidates) >= CANDIDATES for candidates in found),
    )


def _named(index: CatalogIndex, words: str, filter: Filter) -> dict[UUID, Literal["id", "title"]]:
    """Products whose id, or whole title, is what was typed; the id first."""
    by_id = index.scan(All((filter, Match("id", "keyword", (words,)))), 1)
    by_title = index.titled(title_key(words), filter, EXACT_TITLES)
    named: dict[UUID, Literal["id", "title"]] = dict.fromkeys(by_id, "id")
    for point in by_title:
        named.setdefault(point, "title")
    return named


def _with_all_words(index: CatalogIndex, found: Candidates) -> set[UUID] | None:
    """Candidates that have every word of the request, and what it names exactly; None when none has.

    Sorting by a field throws relevance away, and the tail of a vector leg is whatever is least unlike:
    where the words themselves draw a line, the order is kept within it.
    """
    lexical = next((result for planned, result in found.legs if planned.leg.vector == "lexical"), None)
    if lexical is None or not found.terms:
        return None
    words = {term.word for term in found.terms}
    matched = index.matched(list(lexical.scores), found.terms)
    whole = {point for point, has in matched.items() if words.issubset(has)} | set(found.exact)
    return whole or None


def _sorted(order: Sequence[UUID], keys: Sequence[SortKey], values: Mapping[UUID, Mapping[str, Any]]) -> list[UUID]:
    """By the keys in turn, what lacks a value last, ties as they were ranked."""
    ordered = list(order)
    for key in reversed(keys):
        held = {point: _first(values.get(point, {}).get(key.field), key.descending) for point in ordered}
        have = [point for point in ordered if held[point] is not None]
        lack = [point for point in ordered if held[point] is None]
        # reverse=True keeps ties in their order, as sorting twice must.
        ordered = sorted(have, key=lambda point: held[point], reverse=key.descending) + lack
    return ordered


def _first(value: Any, descending: bool) -> Any:
    """What a list sorts by: its largest when the largest come first, else its smallest, as the engine does."""
    if isinstance(value, list):
        return (max if descending else min)(value, default=None)
    return value


def _hits(index: CatalogIndex, ask: Ask, found: Candidates, page: Sequence[tuple[Any, list[UUID]]]) -> list[Hit]:
    grouped = ask.request.group_by is not None
    shown = [members[0] for _, members in page]
    siblings = [point for _, members in page for point in members[1 : 1 + MAX_SIBLINGS]]
    ids = index.values(siblings, ["id"]) if siblings else {}
    explains = ask.request.explain
    stored = index.fetch(shown, vectors=("image",) if explains else ())
    matched = index.matched(shown, found.terms) if explains and found.terms else {}
    ranks = [{point: n for n, point in enumerate(result.scores, 1)} for _, result in found.legs] if explains else []
    hits = []
    for value, members in page:
        point = members[0]
        if point not in stored:  # deleted on a server since the legs ran
            continue
        group = None
        if grouped:
            named = [ids[member]["id"] for member in members[1 : 1 + MAX_SIBLINGS] if member in ids]
            group = Group(value=value, siblings=len(members) - 1, sibling_ids=named)
        explanation = _explain(point, found, ranks, matched.get(point, []), stored[point]) if explains else None
        hits.append(hit(stored[point].payload, found.scores[point], group=group, explain=explanation))
    return hits


def _explain(
    point: UUID, found: Candidates, ranks: Sequence[Mapping[UUID, int]], words: Sequence[str], stored: Stored
) -> Explanation:
    legs = []
    picture: int | None = None
    for (planned, result), rank in zip(found.legs, ranks, strict=True):
        if point not in result.scores:
            continue
        legs.append(
            LegExplanation(
                leg=planned.leg.name,
                score=round(result.scores[point], 6),
                normalized=round(result.normalized.get(point, 0.0), 6),
                weight=round(result.weight, 6),
                rank=rank[point],
            )
        )
        pictures = stored.vectors.get("image")
        if planned.leg.vector == "image" and pictures is not None and not isinstance(planned.leg.query, str):
            picture = int(np.argmax(pictures @ planned.leg.query))
    return Explanation(legs=legs, exact=found.exact.get(point), matched_terms=list(words), picture=picture)
