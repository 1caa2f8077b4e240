"""What a job did, counted into its report; what it could not do goes to the rejects."""

from __future__ import annotations

from ingest.intake import Entry
from ingest.rejects import RejectsFile, rejection
from ingest.scan import Scan
from ingest.writer import Changes
from schemas import IngestReport, PictureError, Rejection


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
        for entry, error in changes.refused:
            self.reject(_rejection(entry, error))
        for entry, error in changes.degraded:
            self._rejects.write(_rejection(entry, error, degraded=True))
        self.report.degraded += len(changes.degraded)
        self.report.indexed += len(changes.embed)
        self.report.updated += len(changes.update)
        self.report.unchanged += changes.unchanged

    def finish(self) -> None:
        self.report.rejects = dict(self._rejects.counts.most_common())
        self.report.rejects_file = str(self._rejects.path) if self._rejects.path else None


def _rejection(entry: Entry, error: PictureError, *, degraded: bool = False) -> Rejection:
    return rejection(entry.row.line, error, entry.row.values, id=entry.product.id, degraded=degraded)
