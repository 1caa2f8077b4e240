"""A request with everything in it checked, and what every way of answering it gives: entries in an order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from index import CatalogIndex
from schemas import FieldKind, Filter, Group, SearchRequest, UnknownField, WrongType, find_field, known
from search.cursor import Cursor
from search.groups import check_group_by
from search.sort import Place, SortKey, sort_keys


@dataclass(frozen=True, slots=True)
class Ask:
    """A request with everything in it checked."""

    request: SearchRequest
    filter: Filter
    suggested: Filter
    """What the nearest are looked for under where nothing fits: phrases in quotes are not demanded then."""
    facets: Sequence[str]
    cursor: Cursor | None
    digest: str
    documents: str | None
    """The version of those that it is answered by; None in a browse."""
    keys: Sequence[SortKey] = ()
    group_by: str | None = None
    max_per: Mapping[str, int] = field(default_factory=dict)
    near: float = math.inf
    """How far apart embeddings of images are that look alike."""

    @classmethod
    def of(
        cls,
        request: SearchRequest,
        filter: Filter,
        suggested: Filter,
        facets: Sequence[str],
        cursor: Cursor | None,
        digest: str,
        documents: str | None,
        near: float,
        fields: Mapping[str, FieldKind],
    ) -> Ask:
        """Raises UnknownField and WrongType for what cannot be sorted or grouped by."""
        keys = sort_keys(request.sort or [], fields)
        group_by = None if request.group_by is None else check_group_by(request.group_by, fields)
        most = _max_per(request.max_per or {}, fields)
        return cls(request, filter, suggested, facets, cursor, digest, documents, keys, group_by, most, near)

    @property
    def skipped(self) -> int:
        """Entries before the page, where it is given by its number."""
        return (self.request.page - 1) * self.request.limit if self.request.page else 0

    def next_cursor(
        self, index: CatalogIndex, *, offset: int = 0, place: Place | None = None, tail: bool = False
    ) -> str:
        at = None if place is None else [*place.values, str(place.id)]
        return Cursor(
            generation=index.generation,
            request=self.digest,
            documents=self.documents,
            offset=offset,
            place=at,
            tail=tail,
        ).encode()


@dataclass(frozen=True, slots=True)
class Entry:
    """A product of an answer, or the first of a group; ``place`` where it is in the order of fields."""

    id: UUID
    group: Group | None = None
    place: Place | None = None
    tail: bool = False


def _max_per(written: Mapping[str, int], fields: Mapping[str, FieldKind]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, most in written.items():
        field = find_field(name, fields)
        if field is None:
            raise UnknownField(f"max_per: there is no field {name!r}; {known(fields)}", field="max_per")
        if fields[field] == "float":
            raise WrongType(f"max_per: {field!r} is a number with fractions", field="max_per")
        found[field] = most
    return found
