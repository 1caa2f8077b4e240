"""What becomes of a batch of products, decided by what the index holds of them.

Changed words embed words, a changed picture embeds that picture, a changed price writes a payload,
and what is unchanged costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from catalog import PartHashes, part_hashes, payload, words
from embedding import Vectors
from index import DENSE, DenseName, IndexBuild, Point, Stored
from ingest.embedder import Embedder
from ingest.intake import Entry
from ingest.pictures import Loaded
from ingest.rejects import RejectsFile, rejection
from schemas import IngestReport, PictureError


@dataclass(frozen=True, slots=True)
class Work:
    """A product, and the hashes of what the index holds of it; None where it holds nothing."""

    entry: Entry
    stored: PartHashes | None


@dataclass(frozen=True, slots=True)
class _Change:
    """A product that gets other vectors than the index holds."""

    work: Work
    loaded: Loaded
    hashes: PartHashes

    @property
    def new_words(self) -> bool:
        return self.work.stored is None or self.work.stored.words != self.hashes.words


class ProductWriter:
    """Writes batches into a build, counts in the report what was done, and rejects what cannot be."""

    def __init__(
        self, build: IndexBuild, embedder: Embedder, root: str, rejects: RejectsFile, report: IngestReport
    ) -> None:
        self._build = build
        self._embedder = embedder
        self._kinds = build.index.record.fields
        self._root = root
        self._rejects = rejects
        self._report = report

    def write(self, batch: Sequence[tuple[Work, Loaded]]) -> None:
        """Everything written is durable when this returns. No product may be in a batch twice."""
        changes: list[_Change] = []
        payloads: dict[UUID, dict[str, Any]] = {}
        for work, loaded in batch:
            if not self._is_indexable(work.entry, loaded):
                continue
            product, stored = work.entry.product, work.stored
            pictures = [picture.hash for picture in loaded.pictures]
            hashes = part_hashes(product, kinds=self._kinds, root=self._root, pictures=pictures)
            if stored == hashes:
                self._report.unchanged += 1
            elif stored and (stored.words, stored.pictures) == (hashes.words, hashes.pictures):
                payloads[work.entry.point] = self._payload(work.entry, hashes)
            else:
                changes.append(_Change(work, loaded, hashes))
        if changes:
            self._build.upsert(self._points(changes))
            self._report.indexed += len(changes)
        if payloads:
            self._build.set_payload(payloads)
            self._report.updated += len(payloads)

    def _is_indexable(self, entry: Entry, loaded: Loaded) -> bool:
        """False for a product of which nothing is left; one that lost pictures is counted as degraded."""
        errors = (*entry.errors, *loaded.errors)
        if not errors:
            return True
        product = entry.product
        degraded = bool(loaded.pictures or product.title or product.description)
        error = errors[0] if len(errors) == 1 else _joined(errors)
        self._rejects.write(rejection(entry.row.line, error, entry.row.values, id=product.id, degraded=degraded))
        if degraded:
            self._report.degraded += 1
        else:
            self._report.rejected += 1
        return degraded

    def _payload(self, entry: Entry, hashes: PartHashes) -> dict[str, Any]:
        return payload(entry.product, kinds=self._kinds, root=self._root, hashes=hashes)

    def _points(self, changes: Sequence[_Change]) -> list[Point]:
        known = [change.work.entry.point for change in changes if change.work.stored]
        stored = self._build.index.fetch(known, vectors=DENSE) if known else {}
        images = self._images(changes, stored)
        texts = self._texts(changes, stored)
        points = []
        for change in changes:
            entry, vectors = change.work.entry, texts[change.work.entry.point]
            if change.hashes.pictures:
                vectors["image"] = np.stack([images[hash] for hash in change.hashes.pictures])
            points.append(Point(entry.point, self._payload(entry, change.hashes), vectors, words(entry.product)))
        return points

    def _images(self, changes: Sequence[_Change], stored: Mapping[UUID, Stored]) -> dict[str, Vectors]:
        """The vector of every picture, by its hash: embedded now, or held already."""
        vectors = self._embedder.embed_pictures(picture for change in changes for picture in change.loaded.pictures)
        for change in changes:
            if change.work.stored:
                held = stored[change.work.entry.point].vectors.get("image", ())
                vectors.update(zip(change.work.stored.pictures, held, strict=True))
        return vectors

    def _texts(self, changes: Sequence[_Change], stored: Mapping[UUID, Stored]) -> dict[UUID, dict[DenseName, Vectors]]:
        """The text vectors of every product: embedded now where its words are new, or held already."""
        new = [change.work.entry for change in changes if change.new_words]
        embedded = self._embedder.embed_words([entry.product for entry in new])
        vectors = {entry.point: its_vectors for entry, its_vectors in zip(new, embedded, strict=True)}
        for change in changes:
            if not change.new_words:
                held = stored[change.work.entry.point].vectors
                vectors[change.work.entry.point] = {name: held[name] for name in held if name != "image"}
        return vectors


def _joined(errors: Sequence[PictureError]) -> PictureError:
    """One error for a product's several: the first one's kind, and what all of them say."""
    return type(errors[0])("; ".join(error.message for error in errors), field=errors[0].field)
