"""One job: a catalog read twice, an index brought up to date, and a report of what was done."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice

from tqdm import tqdm

from catalog import PictureLimits, open_root
from embedding import DEFAULT_MODEL, Encoder, load_encoder, load_spec
from index import IndexBuild, IndexStore, all_points, open_store
from ingest.embedder import Embedder
from ingest.intake import Entry, Intake
from ingest.lazy_encoder import LazyEncoder
from ingest.pictures import PictureLoader
from ingest.pipeline import index_products
from ingest.readers import Reader, open_catalog
from ingest.rejects import RejectsFile
from ingest.scan import Scan, scan
from ingest.settings import IngestSettings
from ingest.stopwatch import Stopwatch
from ingest.writer import ProductWriter
from schemas import CatalogError, EmbeddingSpec, IndexRecord, IngestReport

log = logging.getLogger(__name__)


def run(
    settings: IngestSettings,
    *,
    spec_of: Callable[[str], EmbeddingSpec] = load_spec,
    encoder_of: Callable[[str], Encoder] = load_encoder,
) -> IngestReport:
    """Do the job that the settings describe.

    Args:
        spec_of: What vectors of a model are; asked in every run, so it is cheap.
        encoder_of: The model itself; loaded when there is something to embed, and only then.

    Raises:
        StoreLensError: the job could not be done. What it wrote is kept for the next run to go on with;
            what serves is the generation that served before.
    """
    start = time.perf_counter()
    watch = Stopwatch()
    with watch.stage("start"):
        reader = open_catalog(settings)
    with reader:
        return _run(settings, reader, watch, start, spec_of, encoder_of)


def _run(
    settings: IngestSettings,
    reader: Reader,
    watch: Stopwatch,
    start: float,
    spec_of: Callable[[str], EmbeddingSpec],
    encoder_of: Callable[[str], Encoder],
) -> IngestReport:
    with watch.stage("start"):
        store = open_store(settings)
        served = store.record()
        model = settings.model or (served.embedding.model if served else DEFAULT_MODEL)
        spec = spec_of(model)
    report = IngestReport(catalog=settings.catalog, collection=settings.collection, model=spec.model)
    with store.lock(), RejectsFile(settings.data_dir / settings.collection) as rejects:
        with watch.stage("scan"):
            found = scan(reader)
        if not found.rows:
            raise CatalogError(f"{settings.catalog} has no rows; nothing was changed")
        job = _Job(reader, found, store, rejects, report, watch)
        if found.products:
            job.update(
                _record(settings.collection, spec, found), LazyEncoder(lambda: encoder_of(model)), settings.prune
            )
        else:
            job.reject_all()
            if settings.prune:
                raise CatalogError(f"no row of {settings.catalog} is a product, so nothing was pruned: {rejects.path}")
    report.rejects = dict(rejects.counts.most_common())
    report.rejects_file = str(rejects.path) if rejects.path else None
    report.stages = {name: round(seconds, 3) for name, seconds in watch.seconds.items()}
    report.seconds = round(time.perf_counter() - start, 3)
    _summarize(report)
    return report


class _Job:
    """The second reading of a catalog, into the report and the index."""

    def __init__(
        self,
        reader: Reader,
        found: Scan,
        store: IndexStore,
        rejects: RejectsFile,
        report: IngestReport,
        watch: Stopwatch,
    ) -> None:
        self._reader = reader
        self._intake = Intake(reader)
        self._found = found
        self._store = store
        self._rejects = rejects
        self._report = report
        self._watch = watch

    def reject_all(self) -> None:
        """Where no row is a product, what is left to do is to say why; no index is touched."""
        for _ in self._entries(lambda _: None):
            raise AssertionError("a product, where the first reading found none")
        self._report.generation = self._store.version()

    def update(self, record: IndexRecord, encoder: LazyEncoder, prune: bool) -> None:
        serving = self._store.record()
        with self._watch.stage("start"):
            build = self._store.begin(record)
        if serving and build.fresh:
            log.info(
                "the index is of the model %s: a new one is made for %s",
                serving.embedding.model,
                record.embedding.model,
            )
        with self._watch.stage("embed"):
            self._index(build, encoder)
        self._watch.move(encoder.seconds, "embed", "start")
        if self._report.embedded_images:
            self._report.images_per_second = round(self._report.embedded_images / self._watch.seconds["embed"], 2)
        if prune:
            with self._watch.stage("prune"):
                self._prune(build)
        if build.fresh:
            self._report.left_behind = self._count_left_behind(build)
        new_fields = serving is None or serving.fields != build.index.record.fields
        written = self._report.indexed or self._report.updated or self._report.deleted
        if (written or build.fresh or build.resumed or new_fields) and build.index.count():
            with self._watch.stage("optimize"):
                build.optimize()
            with self._watch.stage("commit"):
                self._report.generation = build.commit()
        else:
            build.discard()
            self._report.generation = self._store.version()

    def _index(self, build: IndexBuild, encoder: LazyEncoder) -> None:
        limits = PictureLimits()
        loader = PictureLoader(open_root(self._reader.root, limits), limits, encoder)
        embedder = Embedder(encoder, self._watch)
        writer = ProductWriter(build, embedder, self._reader.root, self._rejects, self._report)
        interactive = sys.stderr.isatty()
        with tqdm(total=self._found.rows, unit=" rows", file=sys.stderr, mininterval=0.2 if interactive else 10) as bar:
            index_products(self._entries(bar.update), build.index, loader, writer, bar.update)
        self._report.embedded_images, self._report.embedded_texts = embedder.images, embedder.texts

    def _entries(self, advance: Callable[[int], object]) -> Iterator[Entry]:
        """Entries of rows that are products; others are rejected here. Raises CatalogError when the file changes."""
        for item in self._intake:
            # What the first reading found must hold for every row of the second.
            self._reader.check_unchanged()
            self._report.read += 1
            if isinstance(item, Entry):
                yield item
            else:
                self._rejects.write(item)
                self._report.rejected += 1
                advance(1)
        self._reader.check_unchanged()

    def _prune(self, build: IndexBuild) -> None:
        points = all_points(build.index)
        while batch := list(islice(points, 1000)):
            gone = [point for point in batch if not self._intake.has_seen(point)]
            if gone:
                build.delete(gone)
                self._report.deleted += len(gone)

    def _count_left_behind(self, build: IndexBuild) -> int:
        """Products of the generation that serves which the new one, of another model, does not have."""
        left = 0
        with closing(self._store.open()) as serving:
            points = all_points(serving)
            while batch := list(islice(points, 1000)):
                left += len(batch) - len(build.index.values(batch, ["id"]))
        if left:
            log.warning("%d products of the index before are not in this catalog, and not in the new index", left)
        return left


def _record(collection: str, spec: EmbeddingSpec, found: Scan) -> IndexRecord:
    now = datetime.now(UTC)
    return IndexRecord(
        collection=collection,
        embedding=spec,
        fields=found.fields,
        average_words=found.average_words,
        created=now,
        updated=now,
    )


def _summarize(report: IngestReport) -> None:
    log.info(
        "%d rows: %d indexed, %d updated, %d unchanged, %d rejected; %d degraded, %d deleted",
        *(report.read, report.indexed, report.updated, report.unchanged, report.rejected),
        *(report.degraded, report.deleted),
    )
    for code, count in report.rejects.items():
        log.info("%7d  %s", count, code)
    if report.rejects_file:
        log.info("rejects are in %s", report.rejects_file)
