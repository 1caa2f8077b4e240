"""Everything that matches, in the order of some fields: a walk that can go on from any place in it.

Engines order by one number, with ties in no particular order and without the points that lack it. Here that becomes
a total order. A list of numbers counts as its least value where the order ascends, and as its greatest where it
descends; a list of texts counts as its first one. Ties are ordered by the next field, and at last by point id. What
lacks a field comes after what has it. Texts are in the order of their letters, in whatever case.

A place in the order is the sort values and the id of a point, so a page costs the same wherever it starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from index import TITLE, CatalogIndex
from schemas import (
    All,
    FieldKind,
    Filter,
    First,
    Match,
    Missing,
    Not,
    Range,
    Sort,
    UnknownField,
    find_field,
    fold,
    known,
)

Value = float | bool | str | None


MOST_VALUES = 200_000
"""Texts of a field that are put in order."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point and its values of the sort fields; None where it has none."""

    values: tuple[Value, ...]
    id: UUID


@dataclass(frozen=True, slots=True)
class SortKey:
    field: str
    kind: FieldKind
    descending: bool


def sort_keys(sort: Sequence[Sort], fields: Mapping[str, FieldKind]) -> list[SortKey]:
    """The keys of a request, checked.

    Raises:
        UnknownField: no such field.
    """
    sortable: dict[str, FieldKind] = {**fields, TITLE: "keyword"}
    keys = []
    for key in sort:
        field = find_field(key.field, sortable)
        if field is None:
            raise UnknownField(
                f"sort: there is no field {key.field!r}; {known(sortable, 'sortable are')}", field="sort"
            )
        keys.append(SortKey(field, sortable[field], key.order == "desc"))
    return keys


def walk(
    index: CatalogIndex, filter: Filter, keys: Sequence[SortKey], after: Place | None, batch: int
) -> Iterator[Place]:
    """Matching points in order, those beyond ``after``; fetched ``batch`` at a time."""
    if not keys:
        last = after.id if after else None
        while ids := index.scan(filter, batch, last):
            yield from (Place((), id) for id in ids)
            last = ids[-1]
        return

    key, rest = keys[0], keys[1:]

    def tied(value: Value, after: Place | None = None) -> Iterator[Place]:
        """Points whose first sort value is this one, in the order of the rest."""
        same = All((filter, _equals(key, value)))
        inner = None if after is None else Place(after.values[1:], after.id)
        for place in walk(index, same, rest, inner, batch):
            yield Place((value, *place.values), place.id)

    if after is not None:
        yield from tied(after.values[0], after)
        if after.values[0] is None:
            return
    for value, alone in _values(index, filter, key, after.values[0] if after else None, batch):
        if alone is not None and not rest:
            yield Place((value,), alone)
        else:
            yield from tied(value)
    yield from tied(None)


def _values(
    index: CatalogIndex, filter: Filter, key: SortKey, beyond: Value, batch: int
) -> Iterator[tuple[Value, UUID | None]]:
    """The distinct values of a field beyond one, in order; with the point where only one has the value."""
    if key.kind == "bool":
        order = (True, False) if key.descending else (False, True)
        yield from ((value, None) for value in (order if beyond is None else order[order.index(bool(beyond)) + 1 :]))
        return
    if key.kind == "keyword":
        values = [str(value) for value, _ in index.facet(key.field, filter, MOST_VALUES)]
        for value in sorted(values, key=_alphabetical, reverse=key.descending):
            if beyond is None or _is_beyond(value, str(beyond), key.descending):
                yield value, None
        return
    last = beyond
    while True:
        further = filter if last is None else All((filter, _past(key, last)))
        found = index.ordered(key.field, key.descending, further, batch)
        groups = [(value, [id for id, _ in ties]) for value, ties in groupby(found, key=lambda pair: pair[1])]
        for position, (value, ids) in enumerate(groups):
            # The last group may go on beyond the batch.
            whole = position < len(groups) - 1 or len(found) < batch
            yield value, ids[0] if whole and len(ids) == 1 else None
        if len(found) < batch:
            return
        last = groups[-1][0]


def _alphabetical(value: str) -> tuple[str, str]:
    return fold(value), value


def _is_beyond(value: str, last: str, descending: bool) -> bool:
    before, after = (value, last) if descending else (last, value)
    return _alphabetical(before) < _alphabetical(after)


def _equals(key: SortKey, value: Value) -> Filter:
    """Points that count as the value: they have it, and none of their others comes before it."""
    if value is None:
        return Missing(key.field)
    if key.kind == "keyword":
        return First(key.field, "keyword", (str(value),))
    if key.kind == "bool":
        first, has = key.descending, Match(key.field, "bool", (bool(value),))
        return has if value == first else All((has, Not(Match(key.field, "bool", (first,)))))
    number = float(value)
    before = Range(key.field, gt=number) if key.descending else Range(key.field, lt=number)
    return All((Range(key.field, gte=number, lte=number), Not(before)))


def _past(key: SortKey, value: Value) -> Filter:
    """Points that count as something beyond the value: all that they have is beyond it."""
    assert value is not None
    number = float(value)
    if key.descending:
        return All((Range(key.field, lt=number), Not(Range(key.field, gte=number))))
    return All((Range(key.field, gt=number), Not(Range(key.field, lte=number))))
