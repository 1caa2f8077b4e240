"""What a job did, counted into its report as it goes; what it could not do goes to the rejects."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from ingest.catalog import Catalog
from ingest.changes import Changes
from ingest.rejects import RejectsFile
from ingest.scan import Scan
from ingest.settings import IngestSettings
from ingest.timing import Stopwatch, bottleneck
from schemas import EmbeddingSpec, IngestReport, Rejection

log = logging.getLogger(__name__)


class ReportCounters:
    """``read = indexed + updated + unchanged + rejected`` holds once both passes are counted."""

    def __init__(self, catalog: Catalog, spec: EmbeddingSpec, settings: IngestSettings, rejects: RejectsFile) -> None:
        self.report = IngestReport(
            catalog=catalog.name,
            collection=settings.collection,
            model=spec.model,
            mapping=catalog.mapping,
            mapping_changes=catalog.mapping_changes,
            kind_changes=catalog.kind_changes,
            fields_left_out=len(catalog.fields_left_out),
        )
        self._rejects = rejects

    def count_rejection(self, rejection: Rejection) -> None:
        self._rejects.write(rejection)
        if rejection.degraded:
            self.report.degraded += 1
        else:
            self.report.rejected += 1

    def count_scan(self, scan: Scan) -> None:
        self.report.read = scan.rows
        self.report.unchanged = scan.unchanged

    def count_changes(self, changes: Changes) -> None:
        for rejection in changes.rejections:
            self.count_rejection(rejection)
        self.report.indexed += len(changes.embed)
        self.report.updated += len(changes.update)
        self.report.unchanged += changes.unchanged

    @property
    def rejects_path(self) -> Path | None:
        return self._rejects.path

    def finish(self, watch: Stopwatch, start: float) -> None:
        """Args: ``start`` is when the job began, on the clock of ``time.perf_counter``."""
        self.report.rejects = dict(self._rejects.counts.most_common())
        self.report.rejects_file = str(self._rejects.path) if self._rejects.path else None
        self.report.stages = {name: round(seconds, 3) for name, seconds in watch.seconds.items()}
        self.report.bottleneck = bottleneck(watch.seconds)
        self.report.seconds = round(time.perf_counter() - start, 3)


def log_summary(report: IngestReport, settings: IngestSettings) -> None:
    log.info(
        "%d rows: %d indexed, %d updated, %d unchanged, %d rejected; %d degraded, %d deleted",
        *(report.read, report.indexed, report.updated, report.unchanged, report.rejected),
        *(report.degraded, report.deleted),
    )
    for code, count in report.rejects.items():
        log.info("%7d  %s", count, code)
    if report.lost_images:
        log.warning(
            "%d images that the index had are gone from it: they cannot be read, or their rows do not name them",
            report.lost_images,
        )
    if report.rejects_file:
        again = settings.retry(report.rejects_file)
        log.info("rejects are in %s; to try them again: %s", report.rejects_file, again)
    for kind, count in report.same_pictures.items():
        log.info("%7d  pairs of %s images", count, kind)
    if report.same_file:
        log.info("same-looking images are in %s", report.same_file)
