"""A request with everything in it checked and encoded: what the two ways of answering start from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from index import CatalogIndex
from schemas import Filter, SearchRequest
from search.cursor import Cursor
from search.plan import Question


@dataclass(frozen=True, slots=True)
class Ask:
    """A request with everything in it checked."""

    request: SearchRequest
    filter: Filter
    facets: Sequence[str]
    question: Question | None
    cursor: Cursor | None
    mark: str
    near: float = math.inf
    """How far apart embeddings of images are that look alike."""

    def next_cursor(self, index: CatalogIndex, **where: Any) -> str:
        return Cursor(generation=index.generation, request=self.mark, **where).encode()
