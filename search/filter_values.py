"""Values of a filter as the catalog writes them: ``nike`` finds what is of ``Nike``, where nothing is of ``nike``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

from cachetools import LRUCache, cachedmethod

from index import CatalogIndex
from schemas import All, AnyOf, Filter, Match, Not

MOST_VALUES = 100_000
"""Of a field, the commonest, that are compared without their case."""
_REMEMBERED = 4_096
_FIELDS = 32


class FilterValues:
    """Of one opened index. Thread-safe: what is remembered may be found out twice."""

    def __init__(self, index: CatalogIndex) -> None:
        self._index = index
        self._known: LRUCache[Any, bool] = LRUCache(_REMEMBERED)
        self._folded: LRUCache[Any, Mapping[str, tuple[str, ...]]] = LRUCache(_FIELDS)
        self._lock = Lock()

    def as_stored(self, filter: Filter) -> Filter:
        """The same filter, with all that differs from a value in its case alone in place of one that nothing has."""
        match filter:
            case All(parts):
                return All(tuple(map(self.as_stored, parts)))
            case AnyOf(parts):
                return AnyOf(tuple(map(self.as_stored, parts)))
            case Not(part):
                return Not(self.as_stored(part))
            case Match(field, "keyword", values) if field != "id":
                stored = [form for value in values for form in self._stored(field, str(value))]
                return replace(filter, values=tuple(dict.fromkeys(stored)))
        return filter

    def _stored(self, field: str, value: str) -> tuple[str, ...]:
        if self._is_known(field, value):
            return (value,)
        return self._of(field).get(value.casefold(), (value,))

    @cachedmethod(lambda self: self._known, lock=lambda self: self._lock)
    def _is_known(self, field: str, value: str) -> bool:
        return self._index.count(Match(field, "keyword", (value,))) > 0

    @cachedmethod(lambda self: self._folded, lock=lambda self: self._lock)
    def _of(self, field: str) -> Mapping[str, tuple[str, ...]]:
        found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        for value, _ in self._index.facet(field, None, MOST_VALUES):
            found[str(value).casefold()] += (str(value),)
        return dict(found)
