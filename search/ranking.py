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
from search.fusion import LegResult, Scores, coverage, fuse, leg_result, trust
from search.groups import MAX_SIBLINGS, check_group_by, collapse
from search.hits import hit
from search.plan import PlannedLeg, Question, plan
from search.weights import LegWeights

CANDIDATES = 1000
"""Where no more than these match the filter, every leg gives all it has, and totals and facets are exact."""

DEPTH = 250
"""What a leg gives where more match. At 1,000 a leg most of a search would go into handling candidates
that no page shows: 31 ms against 11 over 10,000 products."""

COVERAGE_DEPTH = 20
"""How many of the lexical leg's best are looked at for how many of the words they have."""

EXACT_TITLES = 100
"""At most so many products of exactly the title asked for go first."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the legs found, best first, and what each leg made of it."""

    points: list[UUID]
    scores: Scores
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
    order = found.points
    if keys and (whole := _with_all_words(index, found)) is not None:
        order = [point for point in order if point in whole]
        notices.append(f"sorted among the {len(order)} products that have every word of the request")

    needed = {*ask.facets, *(key.field for key in keys), *([group_by] if group_by else [])}
    values = index.values(order, sorted(needed)) if needed else {}
    if keys:
        order = _sorted(order, keys, values)
    groups = collapse(order, values, group_by) if group_by else None
    total = len(order if groups is None else groups)

    offset = ask.cursor.offset if ask.cursor else 0
    after = min(offset + request.limit, total)
    page = groups[offset:after] if groups is not None else [(None, [point]) for point in order[offset:after]]
    return SearchResponse(
        hits=_hits(index, ask, found, page),
        total=Total(value=total, relation="gte" if found.cut and not notices else "eq"),
        facets=facets.of_candidates(ask.facets, index.record.fields, values, order) if ask.facets else None,
        next_cursor=ask.next_cursor(index, offset=after) if after < total else None,
        notices=notices,
        took_ms=0.0,
    )


def find(index: CatalogIndex, question: Question, filter: Filter, weights: LegWeights) -> Candidates:
    """Candidates of every leg under the filter, fused; what is named exactly by id or title comes first."""
    planned = plan(question, weights)
    limit = CANDIDATES if index.count(filter) <= CANDIDATES else DEPTH
    found = index.query([p.leg for p in planned], filter, limit)
    terms = index.terms(question.words) if question.words else []
    legs = []
    for leg, candidates in zip(planned, found, strict=True):
        lexical = leg.leg.vector == "lexical"
        weight = leg.weight
        if lexical:
            matched = index.matched([candidate.id for candidate in candidates[:COVERAGE_DEPTH]], terms)
            weight *= trust(coverage(terms, matched.values()))
        legs.append((leg, leg_result(candidates, weight, lexical=lexical)))
    exact = _named(index, question.words, filter) if question.words else {}
    points, scores = fuse([result for _, result in legs], list(exact))
    cut = limit < CANDIDATES and any(len(candidates) >= limit for candidates in found)
    return Candidates(points, scores, legs, terms, exact, cut)


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
    matched = index.matched(lexical.points, found.terms)
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
    places = [{point: n for n, point in enumerate(result.points)} for _, result in found.legs] if explains else []
    scores = {point.int: score for point, score in zip(found.points, found.scores.tolist(), strict=True)}
    hits = []
    for value, members in page:
        point = members[0]
        if point not in stored:  # deleted on a server since the legs ran
            continue
        group = None
        if grouped:
            named = [ids[member]["id"] for member in members[1 : 1 + MAX_SIBLINGS] if member in ids]
            group = Group(value=value, siblings=len(members) - 1, sibling_ids=named)
        explanation = _explain(point, found, places, matched.get(point, []), stored[point]) if explains else None
        hits.append(hit(stored[point].payload, scores[point.int], group=group, explain=explanation))
    return hits


def _explain(
    point: UUID, found: Candidates, places: Sequence[Mapping[UUID, int]], words: Sequence[str], stored: Stored
) -> Explanation:
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
        pictures = stored.vectors.get("image")
        if planned.leg.vector == "image" and pictures is not None and not isinstance(planned.leg.query, str):
            picture = int(np.argmax(pictures @ planned.leg.query))
    return Explanation(legs=legs, exact=found.exact.get(point), matched_terms=list(words), picture=picture)
