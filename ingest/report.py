"""What a job did, counted into its report; what it could not do goes to the rejects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ingest.lost_images import Found
from ingest.rejects import RejectsFile, rejection
from ingest.scan import Scan
from ingest.writer import Changes, joined
from schemas import ImageError, IngestReport, Rejection, StoreLensError


class Tally:
    """``read = indexed + updated + unchanged + rejected`` holds once both readings are counted."""

    def __init__(self, report: IngestReport, rejects: RejectsFile) -> None:
        self.report = report
        self._rejects = rejects

    def reject(self, rejected: Rejection) -> None:
        self._rejects.write(rejected)
        self.report.rejected += 1

    def scanned(self, scan: Scan) -> None:
        self.report.read = scan.rows
        self.report.unchanged = scan.unchanged

    def changed(self, changes: Changes) -> None:
        for loss in changes.losses:
            row, id = loss.entry.row, loss.entry.product.id
            self._rejects.write(rejection(row.line, loss.error, row.values, id=id, degraded=loss.degraded))
            if loss.degraded:
                self.report.degraded += 1
            else:
                self.report.rejected += 1
        self.report.indexed += len(changes.embed)
        self.report.updated += len(changes.update)
        self.report.unchanged += changes.unchanged

    def kept(self, losing: Sequence[Found]) -> None:
        """Products that would lose images, and stay as they are in the index."""
        for work, loaded in losing:
            row, product = work.entry.row, work.entry.product
            errors: list[StoreLensError] = [*work.entry.parsed.image_errors, *loaded.errors]
            if not errors:
                fewer = f"the row has {len(product.images)} images, and the index {len(work.before)} of the product"
                errors = [ImageError(fewer, field="image")]
            self.reject(rejection(row.line, joined(errors), row.values, id=product.id))

    @property
    def rejects_path(self) -> Path | None:
        return self._rejects.path

    def finish(self) -> None:
        self.report.rejects = dict(self._rejects.counts.most_common())
        self.report.rejects_file = str(self._rejects.path) if self._rejects.path else None
