"""The seam between StoreLens and the engine that holds its vectors.

``IndexStore`` is one collection on one engine: it opens what serves and builds what comes next.
``CatalogIndex`` is one opened generation, for reading. ``IndexBuild`` is the generation in the making.
Two implementations, one contract suite (tests/integration/index).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID

from images.arrays import Vectors
from index.documents import Documents
from schemas import (
    Filter,
    Generation,
    IndexRecord,
    LegName,
    Precision,
    PrecisionQuality,
)

DenseName = Literal["image", "title", "text"]
VectorName = Literal["image", "title", "text", "lexical"]
MAX_VOCABULARY = 200_000
"""Words; what is beyond them is in a product or two of millions."""
DENSE: tuple[DenseName, ...] = ("image", "title", "text")


@dataclass(frozen=True, slots=True)
class Point:
    """One product as the engine stores it.

    ``vectors`` has a name only where the product has something to embed: ``image`` is
    ``(images, dim)``, ``title`` and ``text`` are ``(dim,)``, float32 unit rows. ``words`` and ``codes``, product
    numbers as they are written, are what the ``lexical`` vector is made of; without any there is none.
    """

    id: UUID
    payload: dict[str, Any]
    vectors: dict[DenseName, Vectors]
    words: str
    codes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """What a request may call products by: their payloads' ``id``, ``title_key``, ``codes`` and ``code_parts``."""

    ids: Sequence[str] = ()
    titles: Sequence[str] = ()
    codes: Sequence[str] = ()
    parts: Sequence[str] = ()


class Alternative(NamedTuple):
    """Other words for some words of a request, which may be several: ``weight``, up to 1, is what they count beside
    those that they stand for. ``related`` words do not mean the same: a kind of it, or what it is a kind of."""

    words: str
    phrase: str
    weight: float
    related: bool = False


@dataclass(frozen=True, slots=True)
class Leg:
    """One path of a request: ``query`` is ``(dim,) float32``, unit length, or words where ``vector`` is ``lexical``,
    which have ``alternatives``."""

    name: LegName
    vector: VectorName
    query: Vectors | str
    alternatives: Sequence[Alternative] = ()


class Candidate(NamedTuple):
    """A point that a leg found. ``score`` is a cosine (the best image's, for ``image``) or BM25."""

    id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class Stored:
    """A point as it is read back; ``vectors`` only those asked for."""

    id: UUID
    payload: dict[str, Any]
    vectors: dict[DenseName, Vectors] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query as the lexical leg sees it.

    A product has the word where it has all tokens of one of its ``forms``, of which those from ``alternatives`` on are
    other words, and those from ``related`` on do not mean the same. ``idf`` is the engine's own; for a word that no
    product has it is that of a word in half a product.
    """

    word: str
    forms: tuple[tuple[int, ...], ...]
    idf: float
    known: bool
    alternatives: int | None = None
    related: int | None = None

    @property
    def own(self) -> Term:
        """The word without its alternatives."""
        return replace(self, forms=self.forms[: self.alternatives])

    @property
    def same(self) -> Term:
        """The word without those alternatives that do not mean the same."""
        return replace(self, forms=self.forms[: self.related])


class VocabularyWord(NamedTuple):
    """A word of the catalog, folded; how many products have it, and how many of them where it says what they are."""

    term: str
    products: int
    subjects: int


class CatalogIndex(Protocol):
    """One opened generation. Reads may come from any thread, many at once.

    Every filter is applied by the engine, to each leg alike. Raises IndexUnavailable where the
    engine does not answer in time, BadVectors for a query of another dimension or not finite.
    """

    @property
    def record(self) -> IndexRecord: ...

    @property
    def generation(self) -> str:
        """Changes whenever what a reader sees may have changed: cursors are bound to it."""
        ...

    def query(self, legs: Sequence[Leg], filter: Filter | None, limit: int) -> list[list[Candidate]]:
        """A list a leg, in the order given, best first, at most ``limit`` each, in one round trip."""
        ...

    def terms(self, text: str, alternatives: Sequence[Alternative] = ()) -> list[Term]:
        """The distinct words of a query with their weights, in no particular order.

        Where a product has all words of an alternative, it has the words that it stands for.
        """
        ...

    def vocabulary(self) -> list[VocabularyWord]:
        """Up to ``MAX_VOCABULARY`` words of the catalog, the commonest first; none of an index from before they were
        kept."""
        ...

    def matched(self, ids: Sequence[UUID], terms: Sequence[Term]) -> dict[UUID, list[str]]:
        """For each point, which of ``terms`` its words have; points without any are left out."""
        ...

    def fetch(self, ids: Sequence[UUID], vectors: Sequence[DenseName] = ()) -> dict[UUID, Stored]:
        """Points by id; those that are not there, or that StoreLens did not write, are left out."""
        ...

    def vectors(self, ids: Sequence[UUID], names: Sequence[DenseName]) -> dict[UUID, dict[DenseName, Vectors]]:
        """Vectors of points that are there, without their payloads: in half the time of ``fetch``."""
        ...

    def values(self, ids: Sequence[UUID], fields: Sequence[str]) -> dict[UUID, dict[str, Any]]:
        """Values of some filterable fields of many points, cheaper than ``fetch``; absent fields are left out."""
        ...

    def payloads(self, ids: Sequence[UUID], paths: Sequence[str]) -> dict[UUID, dict[str, Any]]:
        """Of the payloads of many points nothing but what lies at ``paths``; points that are not there are left out."""
        ...

    def with_images(self, hashes: Sequence[str]) -> dict[str, UUID]:
        """For each hash a point that has an image of these bytes; hashes that no point has are left out."""
        ...

    def scan(self, filter: Filter | None, limit: int, after: UUID | None = None) -> list[UUID]:
        """Matching points in the order of their ids, those beyond ``after``."""
        ...

    def ordered(self, field: str, descending: bool, filter: Filter | None, limit: int) -> list[tuple[UUID, float]]:
        """Matching points that have the number ``field``, in its order; ties in no particular order."""
        ...

    def named(self, names: Names, filter: Filter | None, limit: int) -> list[UUID]:
        """Matching points that have any of the names, in the order of their ids."""
        ...

    def count(self, filter: Filter | None = None) -> int:
        """How many points match, exactly."""
        ...

    def facet(self, field: str, filter: Filter | None, limit: int) -> list[tuple[str | int | bool, int]]:
        """Values of a keyword, integer or bool field with their exact counts under the filter, most frequent first."""
        ...

    def foreign(self) -> int:
        """How many points StoreLens did not write, counted now; all other answers leave them out."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Latest:
    """What a build would go on with: ``resumed`` where a job that died left it behind, else it is what serves."""

    index: CatalogIndex
    resumed: bool


class IndexBuild(Protocol):
    """The next generation while a job makes it. Every write is durable when the call returns.

    ``index`` reads what has been written so far. A process that dies leaves the build behind, and
    the next ``begin`` with a compatible record goes on with it.
    """

    @property
    def index(self) -> CatalogIndex: ...

    @property
    def fresh(self) -> bool:
        """True when it started empty although an older generation serves: with another embedding, or other crops."""
        ...

    @property
    def resumed(self) -> bool:
        """True when it goes on with what a job that died had begun: it may hold writes that do not serve yet."""
        ...

    def upsert(self, points: Sequence[Point]) -> None:
        """Write whole points. Raises BadVectors before anything is written when one is unusable."""
        ...

    def set_payload(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        """Replace payloads and nothing else."""
        ...

    def decide(self, decisions: Mapping[UUID, dict[str, Any] | None]) -> None:
        """Write what was decided of some points, at ``DECISION`` of their payloads, or take it away; all else stays."""
        ...

    def annotate(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        """Set some keys of the payloads of some points; all else stays."""
        ...

    def delete(self, ids: Sequence[UUID]) -> None: ...

    def made_with(self, precision: Precision, quality: PrecisionQuality | None) -> None:
        """Say in the record in what arithmetic vectors were made of late, and what was measured of it."""
        ...

    @property
    def graph_due(self) -> bool:
        """True when so much was written that ``optimize`` is due: what is in no graph yet takes memory."""
        ...

    def optimize(self) -> None:
        """Build graphs and quantized copies. Nobody is served from here, so it may take its time."""
        ...

    def commit(self) -> str:
        """Make this generation the one that serves and return its name; closes the build."""
        ...

    def discard(self) -> None:
        """Forget the build: nothing changed, or what changed is not wanted. On a server, where writes
        are in place, this leaves them where they are."""
        ...


class IndexStore(Protocol):
    """One collection on one engine."""

    @property
    def documents(self) -> Documents:
        """Those beside the index; they need no lock, and are there before anything is ingested."""
        ...

    @property
    def poll_seconds(self) -> float:
        """How often ``version`` may well be asked."""
        ...

    def open(self, generation: str | None = None) -> CatalogIndex:
        """What serves now, or another generation that is kept.

        Raises IndexMissing when nothing was ingested, GenerationUnknown.
        """
        ...

    def version(self) -> str | None:
        """Changes when ``open`` would return something else; None when there is nothing. Cheap."""
        ...

    def record(self) -> IndexRecord | None:
        """The record of what serves now, without opening it."""
        ...

    def lock(self, wait: float | None = None) -> AbstractContextManager[None]:
        """The right to write, held until the context ends or the process dies.

        Raises IndexLocked, naming the holder: after ``wait`` seconds; without them at once, or when it is plain
        that the holder lives where that cannot be known at once, as of another machine's job.
        """
        ...

    def latest(self, record: IndexRecord) -> Latest | None:
        """What ``begin`` would go on with, to be read only; None where it would start empty.

        The lock must be held. Nothing is copied, and nothing made. The index has the record of the
        build that ``begin`` would return, but the ``format`` of what is stored; it must be closed before ``begin``.
        """
        ...

    def begin(self, record: IndexRecord) -> IndexBuild:
        """Start, or go on with, the generation this record describes; the lock must be held.

        It holds what serves now when the records go together, and is empty otherwise.
        Payload indexes for ``record.fields`` exist when this returns, and stored values of a field
        whose kind changed have been made anew. Fields that the record lacks stay, and so does
        ``average_words``: the record that counts from here on is ``index.record`` of the build.
        """
        ...

    def generations(self) -> list[Generation]:
        """Every generation that is kept, oldest first; a build that was never committed is none."""
        ...

    def open_all(self) -> Iterator[CatalogIndex]:
        """Every generation that is kept, and what jobs that died had built, one after another; the lock must be held.

        Each is closed when the next is asked for. Raises IndexDamaged where one cannot be opened.
        """
        ...

    def switch(self, name: str) -> str:
        """Let another generation serve, in one step, and return the version; the lock must be held.

        Removes none, and the next build goes on from the one that serves then.
        Raises GenerationUnknown, IndexDamaged where it cannot be opened.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a generation; the lock must be held. Raises GenerationUnknown, GenerationServes."""
        ...


def all_points(index: CatalogIndex, batch: int = 1000) -> Iterator[UUID]:
    """Every point id of an index, in order."""
    after: UUID | None = None
    while ids := index.scan(None, batch, after):
        yield from ids
        after = ids[-1]
