"""Writing: the index that a job brings up to date, the thread that writes into it, and the points of products.

Beginning a build copies what serves. A job that finds nothing new never begins one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import numpy as np

from catalog import StoredImage, StoredState, payload, subject_words, words, written_codes
from embedding import Vectors
from index import (
    DECISION,
    DENSE,
    PREDICTED,
    CatalogIndex,
    DenseName,
    IndexBuild,
    IndexStore,
    Latest,
    Point,
    Stored,
    indexed_terms,
)
from ingest.changes import Changes, ProductChange
from ingest.embedder import Embedder
from ingest.timing import Stopwatch
from labels import with_predictions
from schemas import FieldKind, IndexRecord

Decision = dict[str, Any] | None
Gate = Callable[[Sequence[Mapping[DenseName, Vectors]], Sequence[Decision]], Sequence[Decision]]
"""What a policy decides of products with these vectors; None where they are allowed."""


class TargetIndex:
    """The index that a job brings up to date: read until something is new, and written from then on.

    ``index`` is what products are compared with, now: what a build would go on with, then the build itself.

    Args:
        record: What the index is to be; it may be completed until the build begins.
    """

    def __init__(self, store: IndexStore, record: IndexRecord, watch: Stopwatch) -> None:
        self.record = record
        self._store = store
        self._watch = watch
        self._latest: Latest | None = store.latest(record)
        served = store.record()
        self.served: CatalogIndex | None = store.open() if served and served.differences(record) else None
        """What serves, where it is of another model: nothing of it can be used, and what it has can be told."""
        self.build: IndexBuild | None = None
        """None where none was begun."""
        self.resumed = self._latest is not None and self._latest.resumed

    @property
    def index(self) -> CatalogIndex | None:
        """None where nothing comparable is there yet."""
        if self.build is not None:
            return self.build.index
        return self._latest.index if self._latest else None

    def begin(self) -> IndexBuild:
        """The build, begun where it is not yet."""
        if self.build is None:
            with self._watch.stage("start"):
                self._close_latest()
                now = datetime.now(UTC)
                self.build = self._store.begin(self.record.model_copy(update={"created": now, "updated": now}))
        return self.build

    def _close_latest(self) -> None:
        if self._latest:
            self._latest.index.close()
            self._latest = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_latest()
        if self.served:
            self.served.close()


class WriteQueue:
    """Points written by a thread of its own, while the next batch is in the model.

    One batch is being written at most: a slow index holds up the job, and nothing piles up.
    """

    def __init__(self, build: IndexBuild, watch: Stopwatch) -> None:
        self._build = build
        self._watch = watch
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writes")
        self._under_way: Future[None] | None = None

    def submit(self, points: Sequence[Point]) -> None:
        """Raises what the batch before raised."""
        self.wait()
        if self._build.graph_due:
            with self._watch.stage("optimize"):
                self._build.optimize()
        self._under_way = self._thread.submit(self._build.upsert, points)

    def wait(self) -> None:
        """Until everything submitted is durable. Raises what writing it raised."""
        with self._watch.stage("write"):
            if self._under_way:
                future, self._under_way = self._under_way, None
                future.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.wait()
        finally:
            self._thread.shutdown()


class ProductWriter:
    """Writes changes into the target; vectors that it has already are read back, not made again.

    Nothing begins before something is to be written. All of it is durable once the writer is closed.
    """

    def __init__(
        self, target: TargetIndex, embedder: Embedder, root: str, watch: Stopwatch, gate: Gate | None = None
    ) -> None:
        self._gate = gate
        self._target = target
        self._embedder = embedder
        self._root = root
        self._watch = watch
        self._closing = ExitStack()

    def write(self, changes: Changes) -> None:
        """No product may be in a batch twice."""
        whole = [*changes.embed, *(change for change in changes.update if change.new_point)]
        if whole:
            self._queue.submit(self._points(whole))
        payloads = {change.point: self._payload(change) for change in changes.update if not change.new_point}
        if payloads:
            self._queue.wait()
            kept = self._decided([change for change in changes.update if not change.new_point])
            with self._watch.stage("write"):
                self._build.set_payload(
                    {point: _with_kept(payload, kept.get(point, {})) for point, payload in payloads.items()}
                )

    @cached_property
    def _build(self) -> IndexBuild:
        return self._target.begin()

    @cached_property
    def _kinds(self) -> Mapping[str, FieldKind]:
        """Of all filterable fields, those of earlier catalogs too."""
        record = self._build.index.record
        return record.fields

    @cached_property
    def _queue(self) -> WriteQueue:
        return self._closing.enter_context(WriteQueue(self._build, self._watch))

    def _payload(self, change: ProductChange) -> dict[str, Any]:
        terms = indexed_terms(words(change.product), subject_words(change.product))
        return payload(change.product, kinds=self._kinds, root=self._root, state=change.state) | terms

    def _points(self, changes: Sequence[ProductChange]) -> list[Point]:
        known = [change.stored_at for change in changes if change.stored_at]
        stored: Mapping[UUID, Stored] = {}
        if known:
            self._queue.wait()
            with self._watch.stage("compare"):
                stored = self._build.index.fetch(known, vectors=DENSE)
        images = self._image_vectors(changes, stored)
        texts = self._text_vectors(changes, stored)
        points = []
        for change in changes:
            product, vectors = change.product, texts[change.point]
            if shown := change.state.shown:
                vectors["image"] = np.concatenate([images[key] for key in shown])
            points.append(Point(change.point, self._payload(change), vectors, words(product), written_codes(product)))
        # What was predicted of a product's vectors does not outlive these: it is labelled again at the end of the job.
        decided = {
            point: {DECISION: kept[DECISION]} for point, kept in self._decided(changes).items() if DECISION in kept
        }
        if self._gate:
            before = [decided.get(point.id, {}).get(DECISION) for point in points]
            now = self._gate([point.vectors for point in points], before)
            decided = {point.id: {DECISION: one} for point, one in zip(points, now, strict=True) if one is not None}
        for point in points:
            point.payload.update(decided.get(point.id, {}))
        return points

    def _decided(self, changes: Sequence[ProductChange]) -> dict[UUID, dict[str, Any]]:
        """What was decided of products stays with them, also where another model begins a new index; and what label
        sets say of them."""
        served = self._target.served
        places = {change.stored_at or change.point: change.point for change in changes if change.stored_at or served}
        if not places:
            return {}
        with self._watch.stage("compare"):
            stored = (served or self._build.index).payloads(list(places), [DECISION, PREDICTED])
        return {places[at]: payload for at, payload in stored.items() if payload}

    def _image_vectors(self, changes: Sequence[ProductChange], stored: Mapping[UUID, Stored]) -> dict[str, Vectors]:
        """The vectors of every image, ``(crops, dim)``, by what it shows: stored already, or embedded now."""
        vectors: dict[str, Vectors] = {}
        for change in changes:
            if change.stored and change.stored_at and change.stored_at in stored:
                vectors |= _stored_image_vectors(change.stored, stored[change.stored_at])
        wanted = {image.state.shows: image for change in changes for image in change.images}
        if new := [image.state for key, image in wanted.items() if key not in vectors]:
            vectors |= self._of_other_products(new)
        return vectors | self._embedder.embed_images([wanted[key] for key in wanted if key not in vectors])

    def _of_other_products(self, images: Sequence[StoredImage]) -> dict[str, Vectors]:
        """Vectors of images that other products have: a byte-identical image is embedded once."""
        self._queue.wait()
        with self._watch.stage("compare"):
            points = self._build.index.with_images([image.hash for image in images])
            stored = self._build.index.fetch(list(set(points.values())), vectors=("image",)) if points else {}
        vectors: dict[str, Vectors] = {}
        for other in stored.values():
            if state := StoredState.from_payload(other.payload):
                vectors |= _stored_image_vectors(state, other)
        return {image.shows: vectors[image.shows] for image in images if image.shows in vectors}

    def _text_vectors(
        self, changes: Sequence[ProductChange], stored: Mapping[UUID, Stored]
    ) -> dict[UUID, dict[DenseName, Vectors]]:
        """The text vectors of every product: embedded now where its words are new, or stored already."""
        new = [change for change in changes if change.new_words or change.stored_at not in stored]
        embedded = self._embedder.embed_words([change.product for change in new])
        vectors = {change.point: its_vectors for change, its_vectors in zip(new, embedded, strict=True)}
        for change in changes:
            if change.point not in vectors and change.stored_at:
                known = stored[change.stored_at].vectors
                vectors[change.point] = {name: known[name] for name in known if name != "image"}
        return vectors

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.__exit__(kind, error, trace)


def _with_kept(payload: dict[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """A new payload with what was decided and predicted of the product."""
    fields = with_predictions(payload["fields"], kept.get(PREDICTED, {}))
    return {**payload, "fields": fields, **kept}


def _stored_image_vectors(state: StoredState, stored: Stored) -> dict[str, Vectors]:
    """A product's image vectors as they are stored, ``(crops, dim)`` each, by what they show."""
    rows = stored.vectors.get("image")
    if rows is None or not state.shown:
        return {}
    return dict(zip(state.shown, np.split(rows, len(state.shown)), strict=True))
