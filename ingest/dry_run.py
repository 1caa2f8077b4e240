"""A dry run: what a job would do, found out without a model and without writing a thing into the index."""

from __future__ import annotations

from catalog import subject_text, text_parts
from images import hash_bytes
from index import CatalogIndex
from ingest.writer import Changes


class Rehearsal:
    """Counts what would go through the model; what was counted once is remembered by its hash."""

    def __init__(self) -> None:
        self._images: set[str] = set()
        self._texts: set[str] = set()

    @property
    def images(self) -> int:
        return len(self._images)

    @property
    def texts(self) -> int:
        return len(self._texts)

    def count(self, changes: Changes, index: CatalogIndex | None) -> None:
        for change in changes.embed:
            held = change.work.held.hashes.images if change.work.held else ()
            self._images.update(image.shows for image in change.kept.images if image.shows not in held)
            if change.new_words:
                product = change.work.entry.product
                texts = (subject_text(product), *text_parts(product))
                self._texts.update(hash_bytes(text.encode()) for text in texts if text)
        if index is not None and self._images:
            self._images.difference_update(index.with_images([p.hash for c in changes.embed for p in c.kept.images]))
