"""What becomes of a batch of products, decided by what the index holds of them.

Changed words embed words, a changed image embeds that image, a changed product number writes what it is found by, a
changed price writes a payload, and what is unchanged costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np

from catalog import PartHashes, StoredImage, StoredState, hash_row, part_hashes, payload, words, written_codes
from embedding import Vectors
from index import DENSE, DenseName, IndexBuild, Point, Stored
from ingest.embedder import Embedder
from ingest.images import Loaded
from ingest.intake import Entry
from ingest.timing import Stopwatch
from ingest.writes import Writes
from schemas import Product, StoreLensError


@dataclass(frozen=True, slots=True)
class Work:
    """A product, what the index holds of it, and at which point; None where it holds nothing. ``before`` are the images
    that it has in what serves, by what they show, also where that is of another model."""

    entry: Entry
    held: StoredState | None
    at: UUID | None
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A product that gets other vectors than the index holds."""

    work: Work
    loaded: Loaded
    kept: StoredState

    @property
    def point(self) -> UUID:
        return self.work.entry.point

    @property
    def new_images(self) -> bool:
        before = self.work.held.hashes.images if self.work.held else ()
        return not set(before).issuperset(self.kept.hashes.images)

    @property
    def new_words(self) -> bool:
        return self.work.held is None or self.work.held.hashes.words != self.kept.hashes.words

    @property
    def new_point(self) -> bool:
        """Whether more than the payload is to be written: its words as they are looked up, or all of it elsewhere."""
        held = self.work.held
        return held is None or self.work.at != self.point or held.hashes.lexical != self.kept.hashes.lexical


@dataclass(frozen=True, slots=True)
class Loss:
    """A product of which something could not be used; ``degraded`` where something is left of it to be found by."""

    entry: Entry
    error: StoreLensError
    degraded: bool


@dataclass(slots=True)
class Changes:
    """A batch of ``rows``, sorted by what is to be done. Those in ``losing`` are set aside: nothing is done for
    them."""

    rows: int = 0
    losing: list[tuple[Work, Loaded]] = field(default_factory=list)
    embed: list[Change] = field(default_factory=list)
    update: list[Change] = field(default_factory=list)
    unchanged: int = 0
    losses: list[Loss] = field(default_factory=list)


def compare(batch: Iterable[tuple[Work, Loaded]], root: str) -> Changes:
    """What of a batch is new, and what of it the index holds already."""
    changes = Changes()
    for work, loaded in batch:
        changes.rows += 1
        entry, held = work.entry, work.held
        errors = (*entry.parsed.image_errors, *loaded.errors, *entry.parsed.value_errors, *entry.unfit)
        if errors:
            left = bool(loaded.images or entry.product.title or entry.product.description)
            changes.losses.append(Loss(entry, joined(errors), degraded=left))
            if not left:
                continue
        images = [image.kept.shows for image in loaded.images]
        hashes = part_hashes(entry.product, root=root, images=images)
        # A row of which something could not be used is looked at again every time.
        row = "" if errors else hash_row(entry.row.values, root)
        change = Change(work, loaded, StoredState(hashes, tuple(image.kept for image in loaded.images), row))
        if held is None or (held.hashes.words, held.hashes.images) != (hashes.words, hashes.images):
            changes.embed.append(change)
        elif held.hashes != hashes or work.at != entry.point or _new_grounds(held.images, loaded):
            changes.update.append(change)
        else:
            changes.unchanged += 1
    return changes


class ProductWriter:
    """Writes changes into a build; vectors that it holds already are read back, not made again."""

    def __init__(self, build: IndexBuild, embedder: Embedder, writes: Writes, root: str, watch: Stopwatch) -> None:
        self._build = build
        self._embedder = embedder
        self._writes = writes
        self._kinds = build.index.record.fields
        self._root = root
        self._watch = watch

    def write(self, changes: Changes) -> None:
        """No product may be in a batch twice. Durable once ``writes`` has been waited for."""
        whole = [*changes.embed, *(change for change in changes.update if change.new_point)]
        if whole:
            self._writes.submit(self._points(whole))
        payloads = [change for change in changes.update if not change.new_point]
        if payloads:
            updates = {change.point: self._payload(change.work.entry.product, change.kept) for change in payloads}
            self._writes.wait()
            with self._watch.stage("write"):
                self._build.set_payload(updates)

    def _payload(self, product: Product, kept: StoredState) -> dict[str, Any]:
        return payload(product, kinds=self._kinds, root=self._root, state=kept)

    def _points(self, changes: Sequence[Change]) -> list[Point]:
        known = [change.work.at for change in changes if change.work.at]
        stored: Mapping[UUID, Stored] = {}
        if known:
            self._writes.wait()
            with self._watch.stage("compare"):
                stored = self._build.index.fetch(known, vectors=DENSE)
        images = self._images(changes, stored)
        texts = self._texts(changes, stored)
        points = []
        for change in changes:
            product, vectors = change.work.entry.product, texts[change.point]
            if change.kept.images:
                vectors["image"] = np.concatenate([images[image.shows] for image in change.kept.images])
            payload, codes = self._payload(product, change.kept), written_codes(product)
            points.append(Point(change.point, payload, vectors, words(product), codes))
        return points

    def _images(self, changes: Sequence[Change], stored: Mapping[UUID, Stored]) -> dict[str, Vectors]:
        """The vectors of every image, ``(views, dim)``, by what it shows: held already, or embedded now."""
        held: dict[str, Vectors] = {}
        for change in changes:
            if change.work.held and change.work.at and change.work.at in stored:
                held |= _by_shown(change.work.held.hashes, stored[change.work.at])
        wanted = {image.kept.shows: image for change in changes for image in change.loaded.images}
        new = [image.kept for shown, image in wanted.items() if shown not in held]
        if new:
            held |= self._of_others(new)
        return held | self._embedder.embed_images([wanted[kept.shows] for kept in new if kept.shows not in held])

    def _of_others(self, images: Sequence[StoredImage]) -> dict[str, Vectors]:
        """Vectors of images that other products have: a byte-identical image is embedded once."""
        self._writes.wait()
        with self._watch.stage("compare"):
            points = self._build.index.with_images([image.hash for image in images])
            stored = self._build.index.fetch(list(set(points.values())), vectors=("image",)) if points else {}
        vectors: dict[str, Vectors] = {}
        for other in stored.values():
            if kept := StoredState.from_payload(other.payload):
                vectors |= _by_shown(kept.hashes, other)
        return {image.shows: vectors[image.shows] for image in images if image.shows in vectors}

    def _texts(self, changes: Sequence[Change], stored: Mapping[UUID, Stored]) -> dict[UUID, dict[DenseName, Vectors]]:
        """The text vectors of every product: embedded now where its words are new, or held already."""
        new = [change for change in changes if change.new_words or change.work.at not in stored]
        embedded = self._embedder.embed_words([change.work.entry.product for change in new])
        vectors = {change.point: its_vectors for change, its_vectors in zip(new, embedded, strict=True)}
        for change in changes:
            if change.point not in vectors and change.work.at:
                held = stored[change.work.at].vectors
                vectors[change.point] = {name: held[name] for name in held if name != "image"}
        return vectors


def _new_grounds(held: Sequence[StoredImage], loaded: Loaded) -> bool:
    """Whether it is known only now what some image was laid on: that is not to be asked again."""
    asked = {image.hash for image in held if image.ground is None}
    return any(image.kept.hash in asked and image.kept.ground is not None for image in loaded.images)


def _by_shown(hashes: PartHashes, stored: Stored) -> dict[str, Vectors]:
    """A product's image vectors as they are stored, ``(views, dim)`` each."""
    images, rows = hashes.images, stored.vectors.get("image")
    if rows is None or not images:
        return {}
    return dict(zip(images, np.split(rows, len(images)), strict=True))


def joined(errors: Sequence[StoreLensError]) -> StoreLensError:
    """One error for a product's several: the first one's kind, and what all of them say."""
    if len(errors) == 1:
        return errors[0]
    return type(errors[0])("; ".join(error.message for error in errors), field=errors[0].field)
