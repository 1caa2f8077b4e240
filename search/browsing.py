"""Answering a browse: everything that matches a filter, in the order of some fields, counted exactly."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from index import CatalogIndex
from schemas import All, Filter, Group, InvalidCursor, Match, Missing, SearchResponse, Total
from search import facets
from search.ask import Ask
from search.browse import Place, SortKey, sort_keys, walk
from search.groups import MAX_SIBLINGS, check_group_by, group_value
from search.hits import hit


def browse(index: CatalogIndex, ask: Ask) -> SearchResponse:
    """The page of hits that a request asks for; scores are 0, since nothing was asked to compare with."""
    request = ask.request
    fields = index.record.fields
    keys = sort_keys(request.sort or [], fields)
    after = None if ask.cursor is None else _place(ask.cursor.place, keys)
    batch = request.limit + 1
    places = walk(index, ask.filter, keys, after, batch)
    entries: Iterator[Entry]
    if request.group_by is None:
        entries = (Entry(place) for place in places)
        total = index.count(ask.filter)
    else:
        grouping = Grouping(index, ask.filter, keys, check_group_by(request.group_by, fields))
        entries = grouping.representatives(places, batch)
        total = grouping.count()

    page = list(islice(entries, batch))
    more, page = len(page) > request.limit, page[: request.limit]
    stored = index.fetch([entry.place.id for entry in page])
    last = page[-1].place if page else None
    return SearchResponse(
        hits=[hit(stored[e.place.id].payload, 0.0, group=e.group) for e in page if e.place.id in stored],
        total=Total(value=total, relation="eq"),
        facets=facets.of_everything(ask.facets, index, ask.filter) if ask.facets else None,
        next_cursor=ask.next_cursor(index, place=[*last.values, str(last.id)]) if more and last else None,
        took_ms=0.0,
    )


def _place(place: Sequence[Any] | None, keys: Sequence[SortKey]) -> Place:
    try:
        *values, last = place or ()
        if not all(_fits(value, key) for value, key in zip(values, keys, strict=True)):
            raise ValueError
        return Place(tuple(values), UUID(last))
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidCursor("the cursor is not one of a browse; leave it out to start over", field="cursor") from error


def _fits(value: Any, key: SortKey) -> bool:
    """Whether a field of this kind can have the value: what a cursor says may have been edited."""
    if value is None:
        return True
    return isinstance(value, bool) if key.kind == "bool" else isinstance(value, float) and math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Entry:
    place: Place
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """A browse in which only the first of each group shows.

    Whether a point is the first of its group is asked of the index for each page anew, so that a page
    needs to remember nothing of those before it.
    """

    index: CatalogIndex
    filter: Filter
    keys: Sequence[SortKey]
    field: str

    def count(self) -> int:
        """Number of groups: distinct values, and the points without one."""
        values = self.index.facet(self.field, self.filter, max(1, self.index.count(self.filter)))
        return len(values) + self.index.count(All((self.filter, Missing(self.field))))

    def representatives(self, places: Iterator[Place], batch: int) -> Iterator[Entry]:
        while chunk := list(islice(places, batch)):
            values = self.index.values([place.id for place in chunk], [self.field])
            for place in chunk:
                value = group_value(values.get(place.id, {}), self.field)
                if value is None:
                    yield Entry(place, Group(value=None, siblings=0, sibling_ids=[]))
                elif (group := self._if_first(place, value)) is not None:
                    yield Entry(place, group)

    def _if_first(self, place: Place, value: Any) -> Group | None:
        members = All((self.filter, Match(self.field, self.index.record.fields[self.field], (value,))))
        order = list(islice(walk(self.index, members, self.keys, None, MAX_SIBLINGS + 1), MAX_SIBLINGS + 1))
        if not order or order[0].id != place.id:
            return None
        siblings = [member.id for member in order[1:]]
        ids = self.index.values(siblings, ["id"])
        return Group(
            value=value,
            siblings=self.index.count(members) - 1,
            sibling_ids=[ids[sibling]["id"] for sibling in siblings if sibling in ids],
        )
