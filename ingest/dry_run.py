"""A dry run: what a job would do, found out without a model and without writing a thing into the index."""

from __future__ import annotations

from catalog import subject_text, text_parts
from images import hash_bytes
from index import CatalogIndex
from ingest.changes import Changes


class DryRun:
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
            self._images.update(set(change.state.shown).difference(change.stored_images))
            if change.new_words:
                texts = (subject_text(change.product), *text_parts(change.product))
                self._texts.update(hash_bytes(text.encode()) for text in texts if text)
        if index is not None and self._images:
            hashes = [image.hash for change in changes.embed for image in change.state.images]
            self._images.difference_update(index.with_images(hashes))
