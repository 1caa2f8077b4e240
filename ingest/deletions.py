"""What a job takes out of an index: products that left the catalog, and images that cannot be had any more.

Half a file, a folder that is not mounted, a server that is down or answers 404, an export without its column of images:
each would delete vectors that took a night to make. So more than a fifth of the products, or of the images, goes only
where somebody said so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import closing
from uuid import UUID

from index import CatalogIndex, IndexBuild, IndexStore, all_points
from ingest.batches import batched
from ingest.changes import row_rejection
from ingest.images import MAX_IMAGES
from ingest.scan import Scan
from ingest.second_pass import CatalogRow
from schemas import CatalogError, ImageError, Rejection

log = logging.getLogger(__name__)

MOST_SHARE = 5
"""A catalog that lost more than a fifth is more often half a file than a clearance sale."""

_FEW = 10
"""As many images may be taken out of their rows by hand where they are more than a fifth, and less than half, of a
small catalog's."""

_BATCH = 1_000


def gone_products(index: CatalogIndex, scan: Scan, *, force: bool) -> list[UUID]:
    """Points of the index that no row of the catalog has the id of.

    Raises:
        CatalogError: they are more than a fifth of the index, and nobody said ``force``.
    """
    gone = [point for point in all_points(index) if not scan.has_seen(point)]
    products = index.count()
    if len(gone) * MOST_SHARE > products and not force:
        raise CatalogError(
            f"pruning would delete {len(gone):,} of {products:,} products, more than a fifth; nothing was changed. "
            "If the catalog is whole and they are to go, say so with --force"
        )
    return gone


def delete_products(build: IndexBuild, points: Iterable[UUID]) -> None:
    for batch in batched(points, _BATCH):
        build.delete(batch)


def delete_superseded(build: IndexBuild, superseded: Mapping[UUID, UUID]) -> None:
    """Delete points under ids as they stood in an older index, where those that take their place are there."""
    for batch in batched(superseded.items(), _BATCH):
        there = build.index.payloads([point for _, point in batch], ["id"])
        build.delete([older for older, point in batch if point in there])


def products_missing(index: CatalogIndex, store: IndexStore) -> int:
    """How many products the generation that serves has, and a new one, of another model, has not."""
    with closing(store.open()) as serving:
        batches = batched(all_points(serving), _BATCH)
        missing = sum(len(batch) - len(index.values(batch, ["id"])) for batch in batches)
    if missing:
        log.warning("%d products of the index before are not in this catalog, and not in the new index", missing)
    return missing


class LostImages:
    """Products that would lose images in the second pass: set aside until all are known, and left as they are in the
    index where their images are too many. ``todo`` has a byte for each row of the catalog, 1 for theirs.
    """

    def __init__(self, scan: Scan) -> None:
        self.todo = bytearray(len(scan.todo))
        self.products = 0
        self._known = scan.images
        self._unreadable = 0
        self._unnamed = 0

    @property
    def images(self) -> int:
        return self._unreadable + self._unnamed

    def set_aside(self, rows: Iterable[CatalogRow]) -> tuple[list[CatalogRow], list[CatalogRow]]:
        """The rows of a batch that lose none, and those that do, which are counted."""
        others: list[CatalogRow] = []
        losing: list[CatalogRow] = []
        for row in rows:
            self._known += len(row.served_images)
            unreadable, unnamed = _lost(row)
            if not (unreadable or unnamed):
                others.append(row)
                continue
            losing.append(row)
            self.todo[row.number] = 1
            self.products += 1
            self._unreadable += unreadable
            self._unnamed += unnamed
        return others, losing

    def refusal(self, *, force: bool) -> str | None:
        """Why they must stay; None where they may go."""
        taken_out = self._unnamed <= _FEW and 2 * self._unnamed < self._known
        gone = self._unreadable + (0 if taken_out else self._unnamed)
        if gone * MOST_SHARE <= self._known or force:
            return None
        return (
            f"{gone:,} of {self._known:,} images that the index has of these products cannot be read, or are not named "
            "by their rows, any more: more than a fifth. Their products stay as they are in the index, vectors too. "
            "If the images are to go, say so with --force"
        )

    @staticmethod
    def rejection(row: CatalogRow) -> Rejection:
        """Of a product that would lose images, and stays as it is in the index."""
        named, had = len(row.product.images), len(row.served_images)
        fewer = ImageError(f"the row has {named} images, and the index {had} of the product", field="image")
        return row_rejection(row, [*row.image_errors, *row.load_errors] or [fewer])


def _lost(row: CatalogRow) -> tuple[int, int]:
    """How many images that the index has of a product cannot be read now, and how many it has fewer besides."""
    failed = min(len(row.product.images), MAX_IMAGES) - len(row.images) + len(row.image_errors)
    missing = len(set(row.served_images).difference(image.state.shows for image in row.images))
    unreadable = min(missing, failed)
    return unreadable, max(0, len(row.served_images) - len(row.images) - unreadable)
