"""What a job did, counted into its report; what it could not do goes to the rejects."""

from __future__ import annotations

from ingest.rejects import RejectsFile, rejection
from ingest.scan import Scan
from ingest.writer import Changes
from schemas import IngestReport, Rejection


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

    def finish(self) -> None:
        self.report.rejects = dict(self._rejects.counts.most_common())
        self.report.rejects_file = str(self._rejects.path) if self._rejects.path else None
