"""Images that the index has and that cannot be had any more.

A folder that is not mounted, a server that is down or answers 404, an export without its column of images: each would
delete vectors that took a night to make. So a product that would lose some is set aside until all are known, and stays
as it is in the index where they are more than pruning may delete.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest.images import MAX_IMAGES, Loaded
from ingest.pruning import MOST_SHARE
from ingest.scan import Scan
from ingest.writer import Work

Found = tuple[Work, Loaded]

_FEW = 10
"""As many images may be taken out of their rows by hand where they are more than a fifth, and less than half, of a
small catalog's."""


class LostImages:
    """Products that would lose images in a reading of a catalog. ``rows`` has a byte for each row, 1 for theirs."""

    def __init__(self, scan: Scan) -> None:
        self.rows = bytearray(len(scan.todo))
        self.products = 0
        self._held = scan.images
        self._unreadable = 0
        self._unnamed = 0

    @property
    def images(self) -> int:
        return self._unreadable + self._unnamed

    def set_aside(self, batch: Iterable[Found]) -> tuple[list[Found], list[Found]]:
        """The products of a batch that lose none, and those that do, which are counted."""
        others: list[Found] = []
        losing: list[Found] = []
        for work, loaded in batch:
            self._held += len(work.before)
            unreadable, unnamed = _lost(work, loaded)
            if not (unreadable or unnamed):
                others.append((work, loaded))
                continue
            losing.append((work, loaded))
            self.rows[work.entry.number] = 1
            self.products += 1
            self._unreadable += unreadable
            self._unnamed += unnamed
        return others, losing

    def refusal(self, *, force: bool) -> str | None:
        """Why they must stay; None where they may go."""
        taken_out = self._unnamed <= _FEW and 2 * self._unnamed < self._held
        gone = self._unreadable + (0 if taken_out else self._unnamed)
        if gone * MOST_SHARE <= self._held or force:
            return None
        return (
            f"{gone:,} of {self._held:,} images that the index has of these products cannot be read, or are not named "
            "by their rows, any more: more than a fifth. Their products stay as they are in the index, vectors too. "
            "If the images are to go, say so with --force"
        )


def _lost(work: Work, loaded: Loaded) -> tuple[int, int]:
    """How many images that the index has of a product cannot be read now, and how many it has fewer besides."""
    images, sources = loaded.images, work.entry.product.images
    failed = min(len(sources), MAX_IMAGES) - len(images) + len(work.entry.parsed.image_errors)
    missing = len(set(work.before).difference(image.kept.shows for image in images))
    unreadable = min(missing, failed)
    return unreadable, max(0, len(work.before) - len(images) - unreadable)
