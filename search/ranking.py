"""Answering a question: facets, groups, order and page over what its legs found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from index import CatalogIndex
from schemas import Group, Hit, Total
from search import facets
from search.ask import Ask, Page
from search.background import Background
from search.candidates import Candidates, find
from search.groups import MAX_SIBLINGS, check_group_by, collapse
from search.hits import explain, hit, leg_places, matched_images, same_images
from search.plan import Question
from search.sort import SortKey, sort_keys
from search.weights import LegWeights


def rank(index: CatalogIndex, background: Background, ask: Ask, question: Question, weights: LegWeights) -> Page:
    """The page of hits that a request asks for."""
    request = ask.request
    keys = sort_keys(request.sort or [], index.record.fields)
    group_by = None if request.group_by is None else check_group_by(request.group_by, index.record.fields)

    found = find(index, background, question, ask.filter, weights)
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
    return Page(
        hits=_hits(index, ask, found, page),
        total=Total(value=total, relation="gte" if found.cut and not notices else "eq"),
        facets=facets.of_candidates(ask.facets, index.record.fields, values, order) if ask.facets else None,
        next_cursor=ask.next_cursor(index, offset=after) if after < total else None,
        notices=notices,
    )


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
    stored = index.fetch(shown)
    images = matched_images(index, found, stored)
    same = same_images(found, stored, ask.near)
    matched = index.matched(shown, found.terms) if explains and found.terms else {}
    places = leg_places(found) if explains else []
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
        explanation = explain(point, found, places, matched.get(point, [])) if explains else None
        hits.append(
            hit(
                stored[point].payload,
                scores[point.int],
                image=images.get(point),
                same=same.get(point),
                group=group,
                explain=explanation,
            )
        )
    return hits
