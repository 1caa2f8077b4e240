"""A request with everything in it checked, and a page of its answer: what both ways of answering take and give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from index import CatalogIndex
from schemas import Facet, Filter, Hit, SearchRequest, Total
from search.cursor import Cursor


@dataclass(frozen=True, slots=True)
class Ask:
    """A request with everything in it checked."""

    request: SearchRequest
    filter: Filter
    facets: Sequence[str]
    cursor: Cursor | None
    mark: str
    near: float = math.inf
    """How far apart embeddings of images are that look alike."""

    def next_cursor(self, index: CatalogIndex, **where: Any) -> str:
        return Cursor(generation=index.generation, request=self.mark, **where).encode()


@dataclass(frozen=True, slots=True)
class Page:
    """Of an answer what its hits are, how many there are in all, and where the next page begins."""

    hits: list[Hit]
    total: Total
    facets: dict[str, Facet] | None
    next_cursor: str | None
    notices: Sequence[str] = ()
