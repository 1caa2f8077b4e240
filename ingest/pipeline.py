"""From entries to the index: compare, load pictures, write.

Pictures are loaded by threads while the batch before is in the model. What is held at any moment is
a window of prepared pictures, whatever the size of the catalog.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from catalog import PartHashes
from index import CatalogIndex
from ingest.intake import Entry
from ingest.pictures import MAX_PICTURES, Loaded, PictureLoader
from ingest.prefetch import prefetch
from ingest.writer import ProductWriter, Work

BATCH = 64
"""Products compared and written at once, and about as many pictures embedded."""

WINDOW = 3 * BATCH
"""Pictures that are being loaded or wait for the model."""

_THREADS = min(8, os.cpu_count() or 1) + 1


def index_products(
    entries: Iterable[Entry],
    index: CatalogIndex,
    loader: PictureLoader,
    writer: ProductWriter,
    advance: Callable[[int], object],
) -> None:
    """Bring the index up to date with the entries; ``advance`` is called with how many more are through."""

    def load(work: Work) -> Loaded:
        return loader.load(work.entry.product.images, known=work.stored.pictures if work.stored else ())

    executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="pictures")
    try:
        for batch in _batches(prefetch(executor, load, _compare(entries, index), WINDOW, _cost)):
            writer.write(batch)
            advance(len(batch))
    finally:
        executor.shutdown(cancel_futures=True)


def _compare(entries: Iterable[Entry], index: CatalogIndex) -> Iterator[Work]:
    """Each entry with the hashes of what the index holds of it."""
    remaining = iter(entries)
    while batch := list(islice(remaining, BATCH)):
        stored = index.fetch([entry.point for entry in batch])
        for entry in batch:
            point = stored.get(entry.point)
            yield Work(entry, PartHashes.from_payload(point.payload["hashes"]) if point else None)


def _cost(work: Work) -> int:
    """Pictures it may hold; a product without any is not free either."""
    return max(1, min(len(work.entry.product.images), MAX_PICTURES))


def _batches(loaded: Iterable[tuple[Work, Loaded]]) -> Iterator[list[tuple[Work, Loaded]]]:
    """Up to ``BATCH`` products, fewer where theirs are many pictures."""
    batch: list[tuple[Work, Loaded]] = []
    cost = 0
    for work, its_pictures in loaded:
        batch.append((work, its_pictures))
        cost += _cost(work)
        if cost >= BATCH:
            yield batch
            batch, cost = [], 0
    if batch:
        yield batch
