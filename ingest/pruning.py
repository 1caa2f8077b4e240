"""Products that left the catalog."""

from __future__ import annotations

from uuid import UUID

from index import CatalogIndex, IndexBuild, all_points
from ingest.batches import batched
from ingest.scan import Scan
from schemas import CatalogError

MOST_SHARE = 5
"""A catalog that lost more than a fifth is more often half a file than a clearance sale."""

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


def prune(build: IndexBuild, gone: list[UUID]) -> int:
    """How many were there to delete."""
    for batch in batched(gone, _BATCH):
        build.delete(batch)
    return len(gone)
