"""The duplicates that a job reports: of images that are new, written beside the index.

Points of products are handed on as bytes, 16 each: those of a million products take 16 MB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from uuid import UUID

from catalog import StoredImage
from index import CatalogIndex, IndexBuild, IndexStore, all_points
from ingest.batches import batched
from ingest.duplicates.find import find_duplicates
from ingest.rejects import JsonLinesFile

_SCANNED = 1_000


def write_duplicates(index: CatalogIndex, points: bytearray, folder: Path) -> JsonLinesFile:
    """Write each pair of images that are the same, one of them of these products, into ``same-<time>.jsonl``."""
    each = (UUID(bytes=bytes(points[at : at + 16])) for at in range(0, len(points), 16))
    with JsonLinesFile(folder, "same") as file:
        for pair in find_duplicates(index, each):
            file.write_line(pair.model_dump_json(), pair.kind)
    return file


def points_with_new_images(build: IndexBuild, store: IndexStore) -> bytearray:
    """The points of a build that have images which what serves has not."""
    with ExitStack() as opened:
        serves = store.version() and not build.fresh
        serving = opened.enter_context(closing(store.open())) if serves else None
        return bytearray().join(point.bytes for point in _new_images(build.index, serving))


def _new_images(index: CatalogIndex, before: CatalogIndex | None) -> Iterator[UUID]:
    """Points that have an image which the same point of an older index has not, None being one without any."""
    for batch in batched(all_points(index), _SCANNED):
        shown = _shown(index, batch)
        known = _shown(before, batch) if before else {}
        yield from (point for point in batch if shown[point] - known.get(point, set()))


def _shown(index: CatalogIndex, points: Sequence[UUID]) -> dict[UUID, set[str]]:
    stored = index.payloads(points, ["pictures"])
    return {
        id: {StoredImage.from_payload(image).shows for image in payload.get("pictures", ()) if "hash" in image}
        for id, payload in stored.items()
    }
