"""``Engine``: what both Qdrant engines, in process and over the network, must offer.

``index.reader`` and ``index.writer`` have everything that is the same for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import UUID

from index.lexical import Sparse
from index.protocols import Candidate, VectorName
from schemas import FieldKind

if TYPE_CHECKING:
    from qdrant_client import models

RawVector = list[float] | list[list[float]] | Sparse
"""A dense vector, the rows of a multivector, or a sparse vector."""


class Search(NamedTuple):
    """One nearest-neighbour search. A dense query against ``image`` is compared with every image."""

    vector: VectorName
    query: RawVector


@dataclass(frozen=True, slots=True)
class EnginePoint:
    """A point as the engine keeps it; ``vectors`` only those asked for, and only those it has."""

    id: UUID
    payload: dict[str, Any]
    vectors: dict[VectorName, RawVector]


IMAGE_GRAPH = (32, 200)
"""Links of a point, and candidates for them, in the graph of images; half as many where a point has one vector.

Its links join products alike in all their images, while a query is like one of them. Of 8,000 products with
three images, one unlike the others, 16 and 100 found .89 of the best ten, these .99, in twice the time to build."""


def count_numbers(vector: RawVector) -> int:
    return sum(len(part) if isinstance(part, list) else 1 for part in vector)


class Engine(Protocol):
    """One set of points. Reads may come from any thread, many at once; writes from one."""

    def search(self, searches: Sequence[Search], filter: models.Filter | None, limit: int) -> list[list[Candidate]]: ...

    def retrieve(
        self, ids: Sequence[UUID], payload: bool | list[str], vectors: Sequence[VectorName] = ()
    ) -> list[EnginePoint]: ...

    def scroll(self, filter: models.Filter | None, limit: int, start: UUID | None) -> list[UUID]:
        """Matching ids in ascending order, from ``start`` on."""
        ...

    def holders(self, path: str, values: Sequence[str]) -> dict[str, UUID]:
        """For each value some point that has it at a keyword-indexed path; values that none has are left out."""
        ...

    def ordered(
        self, path: str, descending: bool, filter: models.Filter | None, limit: int
    ) -> list[tuple[UUID, float]]:
        """Matching ids by a number; a point with several numbers comes once for each."""
        ...

    def count(self, filter: models.Filter | None) -> int: ...

    def facet(self, path: str, filter: models.Filter | None, limit: int) -> list[tuple[str | int | bool, int]]: ...

    def foreign(self) -> int:
        """How many points StoreLens did not write; they are left out of every other answer."""
        ...

    def met_foreign(self) -> None:
        """Is told when a point turned out to be one of those."""
        ...

    def payload_indexes(self) -> dict[str, FieldKind]:
        """Indexed payload paths and their kinds."""
        ...

    def index_payload(self, path: str, kind: FieldKind) -> None:
        """Make the payload index of a path, in place of one of another kind."""
        ...

    def upsert(self, rows: Sequence[EnginePoint]) -> None: ...

    def overwrite_payload(self, payloads: Mapping[UUID, dict[str, Any]]) -> None: ...

    def merge_payload(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        """Set some keys of payloads; the others stay."""
        ...

    def drop_payload(self, ids: Sequence[UUID], key: str) -> None:
        """Take a key out of payloads; points without it stay as they are."""
        ...

    def delete(self, ids: Sequence[UUID]) -> None: ...

    def close(self) -> None: ...
