"""From entries to batches of changes: ask the index what it holds, load images, compare.

Images are loaded by threads while the batch before is in the model. What is held at any moment is
a window of prepared images, whatever the size of the catalog.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

from catalog import StoredState
from index import CatalogIndex
from ingest.batches import batched_by_weight
from ingest.images import MAX_IMAGES, ImageLoader, Loaded
from ingest.intake import Entry
from ingest.lost_images import LostImages
from ingest.prefetch import prefetch
from ingest.scan import REMEMBERED, older_point
from ingest.timing import Stopwatch
from ingest.writer import Changes, Work, compare

BATCH = 64
"""Products compared and written at once, and about as many images embedded."""

WINDOW = 3 * BATCH
"""Images that are being loaded or wait for the model."""

_IMAGE_BYTES = 50_000
"""Bytes of a row that count as a picture: by the time it is written it takes many times as many."""

THREADS = 16
"""They wait for files, for other machines and for the decode processes; the work is done elsewhere."""


def changes(
    entries: Iterable[Entry],
    held: Callable[[], CatalogIndex | None],
    before: CatalogIndex | None,
    loader: ImageLoader,
    root: str,
    watch: Stopwatch,
    lost: LostImages | None,
) -> Generator[Changes]:
    """Batches of entries, in their order, and what is new of them.

    Args:
        held: The index as it is by now; None while there is none.
        before: What serves, where that is another index.
        lost: Sets aside the products that lose images; None where they may.
    """

    over = threading.Event()

    def load(work: Work) -> Loaded:
        product, known = work.entry.product, work.held.images if work.held else ()
        return loader.load(product.images, work.entry.parsed.inline, known, over.is_set)

    with ThreadPoolExecutor(THREADS, thread_name_prefix="pictures") as executor, ExitStack() as held_open:
        held_open.callback(over.set)  # a job that is interrupted does not wait for images
        loaded = prefetch(executor, load, _work(entries, held, before, watch), WINDOW, _cost)
        with closing(loaded), closing(_batches(loaded)) as batches:
            while True:
                with watch.stage("wait"):
                    batch = next(batches, None)
                if batch is None:
                    return
                others, losing = lost.set_aside(batch) if lost else (batch, [])
                changes = compare(others, root)
                changes.rows, changes.losing = len(batch), losing
                yield changes


def _work(
    entries: Iterable[Entry], held: Callable[[], CatalogIndex | None], before: CatalogIndex | None, watch: Stopwatch
) -> Iterator[Work]:
    """Each entry with what the index holds of it."""
    for batch in batched_by_weight(entries, BATCH, lambda entry: entry.row.size, BATCH * _IMAGE_BYTES):
        with watch.stage("compare"):
            index = held()
            places = [[point for point in (entry.point, older_point(entry.row)) if point] for entry in batch]
            points = [point for those in places for point in those]
            stored = index.payloads(points, REMEMBERED) if index else {}
            served = before.payloads(points, REMEMBERED) if before else stored
        for entry, those in zip(batch, places, strict=True):
            at = next((point for point in those if point in stored), None)
            kept = StoredState.from_payload(stored[at]) if at else None
            was = next((StoredState.from_payload(served[point]) for point in those if point in served), None)
            yield Work(entry, kept, at, was.hashes.images if was else ())


def _cost(work: Work) -> int:
    """Images it may hold; a product without any is not free either, nor one of a very large row."""
    images = max(1, min(len(work.entry.product.images), MAX_IMAGES))
    return images + work.entry.row.size // _IMAGE_BYTES


def _batches(loaded: Iterable[tuple[Work, Loaded]]) -> Generator[list[tuple[Work, Loaded]]]:
    """Up to ``BATCH`` products, fewer where theirs are many images."""
    batch: list[tuple[Work, Loaded]] = []
    cost = 0
    for work, its_images in loaded:
        batch.append((work, its_images))
        cost += _cost(work)
        if cost >= BATCH:
            yield batch
            batch, cost = [], 0
    if batch:
        yield batch
