"""What matches a filter, in the order of some fields, counted exactly."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from uuid import UUID

from index import CatalogIndex
from schemas import All, Filter, First, Group, InvalidCursor, Match, Missing, Not, Scalar
from search.ask import Ask, Entry
from search.groups import MAX_SIBLINGS, group_value
from search.sort import Place, SortKey, walk


def listing(index: CatalogIndex, ask: Ask, filter: Filter) -> tuple[int, Iterator[Entry]]:
    """How many entries there are under a filter, products or groups of them, and those from the request's page on, in
    the order that it asks for."""
    after = _place(ask.cursor.place or (), ask.keys) if ask.cursor else None
    batch = ask.request.limit + 1
    if ask.group_by is None:
        places = walk(index, filter, ask.keys, after, batch)
        return index.count(filter), islice((Entry(place.id, place=place) for place in places), ask.skipped, None)
    grouping = Grouping.of(index, filter, ask.keys, ask.group_by)
    return grouping.total, islice(grouping.representatives(after, batch), ask.skipped, None)


def _place(place: Sequence[Any], keys: Sequence[SortKey]) -> Place:
    try:
        *values, last = place  # an empty one raises as well
        if not all(_fits(value, key) for value, key in zip(values, keys, strict=True)):
            raise ValueError
        return Place(tuple(values), UUID(last))
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidCursor("the cursor is of another order; leave it out to start over", field="cursor") from error


def _fits(value: Any, key: SortKey) -> bool:
    """Whether a field of this kind can have the value: what a cursor says may have been edited."""
    if value is None:
        return True
    if key.kind == "keyword":
        return isinstance(value, str)
    return isinstance(value, bool) if key.kind == "bool" else isinstance(value, float) and math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Grouping:
    """A browse in which only the first of each group shows. A product is in the group of its first value.

    Whether a point is the first of its group is asked of the index for each page anew, so that a page
    needs to remember nothing of those before it.
    """

    index: CatalogIndex
    filter: Filter
    keys: Sequence[SortKey]
    field: str
    lists: bool
    """Some product has several values: where none has, its index alone says who is in a group."""
    total: int
    """Number of groups: distinct first values, and the points without one."""

    @classmethod
    def of(cls, index: CatalogIndex, filter: Filter, keys: Sequence[SortKey], field: str) -> Grouping:
        alone = index.count(All((filter, Missing(field))))
        grouped = index.count(filter) - alone
        counts = _every_value(index, field, filter, grouped + 1)
        lists = sum(count for _, count in counts) > grouped
        grouping = cls(index, filter, keys, field, lists, alone + len(counts))
        if not lists:
            return grouping
        led = sum(bool(index.scan(grouping._members(value), 1)) for value, _ in counts)
        return replace(grouping, total=alone + led)

    def representatives(self, after: Place | None, batch: int) -> Iterator[Entry]:
        """The first of each group, those beyond ``after``."""
        seen: dict[Scalar, None] = {}
        while True:
            rest = All((self.filter, Not(self._in_group(*seen)))) if seen else self.filter
            chunk = list(islice(walk(self.index, rest, self.keys, after, batch), batch))
            values = self.index.values([place.id for place in chunk], [self.field])
            for place in chunk:
                value = group_value(values.get(place.id, {}), self.field)
                if value is None:
                    yield Entry(place.id, Group(value=None, siblings=0, sibling_ids=[]), place)
                elif value not in seen:
                    seen[value] = None
                    if group := self._if_first(place, value):
                        yield Entry(place.id, group, place)
            if len(chunk) < batch:
                return
            after = chunk[-1]

    def _if_first(self, place: Place, value: Scalar) -> Group | None:
        members = self._members(value)
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

    def _members(self, value: Scalar) -> Filter:
        return All((self.filter, self._in_group(value)))

    def _in_group(self, *values: Scalar) -> Filter:
        kind = self.index.record.fields[self.field]
        return First(self.field, kind, values) if self.lists else Match(self.field, kind, values)


def _every_value(index: CatalogIndex, field: str, filter: Filter, expected: int) -> list[tuple[str | int | bool, int]]:
    """All values of a field and their counts; lists may have more than the products that are expected to have one."""
    while len(counts := index.facet(field, filter, expected)) == expected:
        expected *= 2
    return counts
