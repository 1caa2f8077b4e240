"""What fits in the order of how well it does, what comes after it, and either with no more of a kind than is wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from index import TITLE, TITLE_KEY, CatalogIndex
from schemas import All, Filter, Group, HasId, Not, fold
from search.ask import Entry
from search.candidates import Candidates, with_all_words
from search.groups import MAX_SIBLINGS, collapse, group_value
from search.sort import SortKey

MOST_LISTED = 20_000
"""Products that can be put in order here; of a set that has more, those beyond are reached by a filter or a sort."""

_DIVERSE = 200
"""The best, among which those that differ are brought forward."""


def in_order(index: CatalogIndex, ranked: Sequence[UUID], scope: Filter, total: int, wanted: int) -> list[UUID]:
    """What fits, best first: what the legs ranked, then what they did not, in the order of ids.

    Args:
        wanted: How many have to be known.
    """
    if wanted <= len(ranked) or total <= len(ranked):
        return list(ranked)
    rest = index.scan(All((scope, Not(HasId(tuple(ranked))))), MOST_LISTED - len(ranked))
    return [*ranked, *rest]


def by_fields(index: CatalogIndex, points: Sequence[UUID], keys: Sequence[SortKey]) -> list[UUID]:
    """Products in the order of some fields, ties as they stand; what lacks a value comes last."""
    if not keys:
        return list(points)
    fields = sorted({key.field for key in keys if key.field != TITLE})
    values: dict[UUID, dict[str, Any]] = index.values(points, fields) if fields else {}
    if any(key.field == TITLE for key in keys):
        for point, payload in index.payloads(points, [TITLE_KEY]).items():
            values.setdefault(point, {})[TITLE] = payload.get(TITLE_KEY)
    for key in reversed(keys):
        held = {point: _first(values.get(point, {}).get(key.field), key) for point in points}
        have = [point for point in points if held[point] is not None]
        lack = [point for point in points if held[point] is None]
        # reverse=True keeps ties in their order, as sorting twice must.
        points = sorted(have, key=lambda point: held[point], reverse=key.descending) + lack
    return list(points)


def _first(value: Any, key: SortKey) -> Any:
    """What a list sorts by: of numbers its largest when the largest come first, else its smallest; of texts its
    first."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    if key.kind == "keyword":
        return (fold(values[0]), values[0]) if values else None
    return (max if key.descending else min)(values, default=None)


def having_its_words(index: CatalogIndex, found: Candidates) -> list[UUID] | None:
    """Candidates that have every word of the request, and what it names; None when none has.

    Sorting by a field throws relevance away, and the tail of a vector leg is whatever is least unlike: where nothing is
    calibrated the words themselves draw a line.
    """
    lexical = next((result for planned, result in found.legs if planned.leg.vector == "lexical"), None)
    if lexical is None or not found.terms:
        return None
    return [*found.exact, *with_all_words(index, lexical.points, found.terms)] or None


def limited(order: Sequence[UUID], values: Mapping[UUID, Mapping[str, Any]], max_per: Mapping[str, int]) -> list[UUID]:
    """At most so many of each value of a field, the first ones; products without a value are all kept.

    A product with several values counts for its first.
    """
    seen: Counter[tuple[str, Any]] = Counter()
    kept = []
    for point in order:
        held = values.get(point, {})
        own = [(field, value) for field in max_per if (value := group_value(held, field)) is not None]
        if all(seen[key] < max_per[key[0]] for key in own):
            seen.update(own)
            kept.append(point)
    return kept


def diversified(
    index: CatalogIndex, order: Sequence[UUID], shares: Mapping[UUID, float], diversity: float
) -> list[UUID]:
    """The best reordered so that each is good and unlike those before it: maximal marginal relevance (Carbonell and
    Goldstein 1998), by the cosines of images, or of titles where there are none.

    Args:
        shares: Of the best score, 0..1.
        diversity: 0 leaves the order, 1 heeds nothing but the difference.
    """
    best = list(order[:_DIVERSE])
    stored = index.fetch(best, ("image", "title"))
    dimension = index.record.embedding.dimension
    vectors = np.zeros((len(best), dimension), np.float32)
    for row, point in enumerate(best):
        held = stored[point].vectors if point in stored else {}
        for name in ("image", "title"):
            if name in held and held[name].size:
                vectors[row] = np.atleast_2d(held[name])[0]
                break
    relevance = np.array([shares.get(point, 0.0) for point in best])
    likest = np.zeros(len(best), np.float32)
    left = np.ones(len(best), bool)
    chosen: list[UUID] = []
    while len(chosen) < len(best):
        merit = (1.0 - diversity) * relevance - diversity * likest
        at = int(np.argmax(np.where(left, merit, -np.inf)))
        left[at] = False
        chosen.append(best[at])
        likest = np.maximum(likest, vectors @ vectors[at])
    return [*chosen, *order[_DIVERSE:]]


def grouped(index: CatalogIndex, order: Sequence[UUID], group_by: str) -> list[tuple[Any, list[UUID]]]:
    """The groups of an order: see ``collapse``."""
    return collapse(order, index.values(order, [group_by]) if order else {}, group_by)


def as_entries(index: CatalogIndex, groups: Sequence[tuple[Any, list[UUID]]]) -> Iterator[Entry]:
    """Groups as they are shown: the best of each, and the ids of the others."""
    siblings = [point for _, members in groups for point in members[1 : 1 + MAX_SIBLINGS]]
    ids = index.values(siblings, ["id"]) if siblings else {}
    for value, members in groups:
        named = [ids[member]["id"] for member in members[1 : 1 + MAX_SIBLINGS] if member in ids]
        yield Entry(members[0], Group(value=value, siblings=len(members) - 1, sibling_ids=named))
