"""A page of an answer: what fits in the order that was asked for, then the tail, and counts over what fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from uuid import UUID

from index import CatalogIndex
from schemas import All, Facet, Filter, HasId, Hit, MatchLevel, Not, Total
from search.ask import Ask, Entry
from search.browse import listing
from search.candidates import CANDIDATES, Candidates
from search.facets import facets
from search.groups import group_value
from search.hits import hits_of, plain_hits
from search.ranking import (
    MOST_LISTED,
    as_entries,
    by_fields,
    diversified,
    grouped,
    having_its_words,
    in_order,
    limited,
)
from search.result_set import ResultSet

Find = Callable[[Filter], Candidates]
"""Candidates of a question under a filter."""


@dataclass(frozen=True, slots=True)
class Page:
    """Of an answer what its hits are, how many there are in all, and where the next page begins."""

    hits: list[Hit]
    total: Total
    match: MatchLevel | None
    facets: dict[str, Facet] | None
    next_cursor: str | None
    notices: Sequence[str] = ()


def browse(index: CatalogIndex, ask: Ask) -> Page:
    """Everything that matches a filter, in the order of some fields; scores are 0, since nothing was asked."""
    if ask.max_per:
        order = by_fields(index, index.scan(ask.filter, MOST_LISTED), ask.keys)
        total, found = _paged(index, ask, _limited(index, ask, order))
    else:
        total, found = listing(index, ask, ask.filter)
    shown = list(islice(found, ask.request.limit + 1)) if ask.request.limit else []
    more, shown = len(shown) > ask.request.limit, shown[: ask.request.limit]
    return Page(
        hits=plain_hits(index, shown),
        total=Total(value=total, relation="eq"),
        match=None,
        facets=facets(index, ask.facets, ask.filter, lambda filter: filter, ask.group_by) if ask.facets else None,
        next_cursor=_after(index, ask, shown) if more else None,
    )


def answer(index: CatalogIndex, ask: Ask, fits: ResultSet, find: Find) -> Page:
    """The page of hits that a question asks for."""
    return _Answer(index, ask, fits, find).page()


class _Answer:
    def __init__(self, index: CatalogIndex, ask: Ask, fits: ResultSet, find: Find) -> None:
        self._index = index
        self._ask = ask
        self._fits = fits
        self._find = find
        self._notices: list[str] = []
        self._everything: dict[Filter, Candidates] = {}
        self._scopes: dict[Filter, Filter] = {}
        self._order: list[UUID] = []
        """With ``max_per``, what fits and is shown on any page, in its order."""

    def page(self) -> Page:
        ask, limit = self._ask, self._ask.request.limit
        scope = self._scope(ask.filter)
        total, ranked, found = self._listed(scope)
        in_tail = ask.cursor is not None and ask.cursor.tail
        shown = list(islice(ranked, limit + 1)) if limit and not in_tail else []
        more, shown = len(shown) > limit, shown[:limit]
        next_cursor = _after(self._index, ask, shown) if more else None
        hits = hits_of(self._index, ask, found, shown, self._fits)

        if not more and limit and (ask.request.tail or total == 0):
            tail, next_cursor = self._tail(scope, limit - len(shown), total)
            hits += tail
        match = self._fits.match
        if match in ("good", "weak") and total == 0:
            match = "none"
        cut = match == "uncalibrated" and found.cut and not self._notices
        return Page(
            hits=hits,
            total=Total(value=total, relation="gte" if cut else "eq"),
            match=match,
            facets=facets(self._index, ask.facets, ask.filter, self._scope, ask.group_by) if ask.facets else None,
            next_cursor=next_cursor,
            notices=self._notices,
        )

    def _scope(self, filter: Filter) -> Filter:
        """What fits under a filter; all that the legs find under it where it is not known what fits."""
        if self._fits.filter is not None:
            return All((filter, self._fits.filter))
        if filter not in self._scopes:
            self._scopes[filter] = All((filter, HasId(tuple(self._uncalibrated(filter)))))
        return self._scopes[filter]

    def _uncalibrated(self, filter: Filter) -> Sequence[UUID]:
        found = self._found(filter)
        whole = having_its_words(self._index, found) if self._ask.keys else None
        if whole is None:
            return found.points
        if filter == self._ask.filter:
            self._notices.append(f"sorted among the {len(whole)} products that have every word of the request")
        return whole

    def _found(self, filter: Filter) -> Candidates:
        if filter == self._fits.under:
            return self._fits.found
        if filter not in self._everything:
            self._everything[filter] = self._find(filter)
        return self._everything[filter]

    def _listed(self, scope: Filter) -> tuple[int, Iterator[Entry], Candidates]:
        """How many entries fit, those from the page on, and the candidates that know of them."""
        ask, index = self._ask, self._index
        products = index.count(scope)
        if ask.keys and products > CANDIDATES and not ask.max_per:
            # A place in the tail is none in this order.
            walked = replace(ask, cursor=None) if ask.cursor and ask.cursor.tail else ask
            return *listing(index, walked, scope), self._fits.found
        found = self._ranked(scope, products)
        whole = bool(ask.group_by or ask.max_per or ask.keys)
        wanted = products if whole else _start(ask) + ask.request.limit + 1
        order = in_order(index, found.points, scope, products, wanted)
        if ask.keys:
            order = by_fields(index, order, ask.keys)
        elif ask.request.diversity:
            order = diversified(index, order, found.shares, ask.request.diversity)
        if ask.max_per:
            order = self._order = _limited(index, ask, order)
        total, entries = _paged(index, ask, order)
        if products > MOST_LISTED:
            self._notices.append(f"pages end after {MOST_LISTED:,} products: filter them, or sort them")
        return total if whole else products, entries, found

    def _ranked(self, scope: Filter, products: int) -> Candidates:
        """Candidates that fit: of those of the whole catalog where they are all, else found anew among what fits."""
        if self._fits.filter is None:
            found = self._found(self._ask.filter)
            return found.kept(set(self._index.scan(scope, products))) if products < len(found.points) else found
        known = self._fits.found
        if products <= CANDIDATES:
            members = set(self._index.scan(scope, products))
            if members.issubset(known.points):
                return known.kept(members)
        return self._find(scope).beside(known)

    def _tail(self, scope: Filter, room: int, total: int) -> tuple[list[Hit], str | None]:
        """What does not fit and is nearest; where it goes on beyond the page, if more of it is asked for."""
        ask, index = self._ask, self._index
        if self._fits.filter is None:
            return [], None
        found = self._find(All((ask.filter, Not(self._fits.filter))) if total else ask.suggested)
        order: Sequence[UUID] = found.points
        start = ask.cursor.offset if ask.cursor and ask.cursor.tail else max(0, ask.skipped - total)
        if ask.group_by is not None:
            groups = grouped(index, index.scan(scope, MOST_LISTED), ask.group_by)
            fitting = {value for value, _ in groups if value is not None}
            held = index.values(order, [ask.group_by])
            order = [point for point in order if group_value(held.get(point, {}), ask.group_by) not in fitting]
        if ask.max_per:
            order = _limited(index, ask, [*self._order, *order])[len(self._order) :]
        if ask.group_by is None:
            entries = [Entry(point) for point in order[start : start + room]]
            last = len(order)
        else:
            groups = grouped(index, order, ask.group_by)
            entries = list(as_entries(index, groups[start : start + room]))
            last = len(groups)
        hits = hits_of(index, ask, found, [replace(entry, tail=True) for entry in entries], self._fits)
        more = ask.request.tail and start + room < last
        return hits, ask.next_cursor(index, offset=start + room, tail=True) if more else None


def _limited(index: CatalogIndex, ask: Ask, order: Sequence[UUID]) -> list[UUID]:
    """An order with no more of a value than is wanted."""
    return limited(order, index.values(order, sorted(ask.max_per)), ask.max_per)


def _paged(index: CatalogIndex, ask: Ask, order: Sequence[UUID]) -> tuple[int, Iterator[Entry]]:
    """How many entries an order has, and those from the page on."""
    start = min(_start(ask), len(order))
    if ask.group_by is None:
        return len(order), (Entry(point) for point in order[start:])
    groups = grouped(index, order, ask.group_by)
    return len(groups), as_entries(index, groups[start : start + ask.request.limit + 1])


def _start(ask: Ask) -> int:
    """Entries before the page, of those that fit."""
    return ask.cursor.offset if ask.cursor and not ask.cursor.tail else ask.skipped


def _after(index: CatalogIndex, ask: Ask, shown: Sequence[Entry]) -> str:
    """Where the page after these begins."""
    last = shown[-1].place
    if last is not None:
        return ask.next_cursor(index, place=last)
    return ask.next_cursor(index, offset=_start(ask) + len(shown))
