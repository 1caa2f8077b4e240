"""One job: a catalog read, an index brought up to date, and a report of what was done.

``run`` opens what a job needs and writes the report whatever happens; ``_Job.run`` is the story of the job itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from embedding import DEFAULT_MODEL, Choice, Encoder, load_encoder, load_preparer, load_spec
from images import DecodePool, ImageLimits, ImageStore, open_images
from index import IndexBuild, IndexStore, open_store
from ingest.catalog import Catalog, remembered_by_index
from ingest.changes import Changes, compare
from ingest.deletions import LostImages, delete_products, delete_superseded, gone_products, products_missing
from ingest.dry_run import DryRun
from ingest.duplicates.new_images import points_with_new_images, write_duplicates
from ingest.embedder import SAMPLE, Embedder, LazyEncoder, choose_encoder
from ingest.images import ImageLoader, decode_pool
from ingest.labelling import label_sets_due, labelled, policy_gate
from ingest.progress import Progress, announced
from ingest.readers import open_reader
from ingest.record import record_of, refuse_another_index
from ingest.rejects import RejectsFile
from ingest.report import ReportCounters, log_summary
from ingest.report_page.page import write_page
from ingest.scan import Scan, Scanner
from ingest.second_pass import CatalogRow, sample_pixels, second_pass
from ingest.settings import IngestSettings
from ingest.timing import Stopwatch, Throughput
from ingest.writer import ProductWriter, TargetIndex
from labels import anything_unlabelled
from schemas import CatalogError, Document, EmbeddingSpec, IndexRecord, IngestReport, StoreLensError


def run(
    settings: IngestSettings,
    *,
    spec_of: Callable[[str], EmbeddingSpec] = load_spec,
    encoder_of: Callable[[str], Encoder] | None = None,
    decoders: DecodePool | None = None,
) -> IngestReport:
    """Do the job that the settings describe.

    Args:
        spec_of: What vectors of a model are; asked in every run, so it is cheap.
        encoder_of: The model itself, in place of the one that ``choose_encoder`` chooses; loaded when there is
            something to embed, and only then.
        decoders: Left running; otherwise the job has its own.

    Raises:
        StoreLensError: the job could not be done. What it wrote is kept for the next run to go on with;
            what serves is the generation that served before.
    """
    start = time.perf_counter()
    watch = Stopwatch()
    with ExitStack() as opened:
        with watch.stage("start"):
            reader = opened.enter_context(open_reader(settings))
            store = open_store(settings)
            served = store.record()
            model = settings.model or (served.embedding.model if served else DEFAULT_MODEL)
            spec = spec_of(model)
            policy = store.documents.read("policies", settings.policy) if settings.policy else None
            label_sets = label_sets_due(store, served, settings.label_set)
            opened.enter_context(store.lock(settings.wait))
        with watch.stage("scan"):
            catalog = Catalog(reader, settings, remembered_by_index(settings, store, served, spec))
        with watch.stage("start"):
            rejects = opened.enter_context(RejectsFile(settings.data_dir / settings.collection, catalog.root))
            image_store = ImageStore(settings.data_dir / "pictures")
            images = opened.enter_context(closing(open_images(catalog.root, image_store, settings, ImageLimits())))
            decoders = decoders or opened.enter_context(decode_pool())
        record = record_of(settings, catalog, spec, served, [document.name for document in label_sets])
        # Without the model's weights where that can be: images are decoded while it loads.
        preparer = cache(lambda: encoder_of(model).preparer if encoder_of else load_preparer(model))
        counters = ReportCounters(catalog, spec, settings, rejects)
        job = _Job(
            settings=settings,
            catalog=catalog,
            store=store,
            record=record,
            loader=ImageLoader(
                images, image_store, decoders, None if settings.dry_run else preparer, record.crops_per_image
            ),
            encoder_of=encoder_of,
            counters=counters,
            watch=watch,
            policy=policy,
            label_sets=label_sets,
        )
        report = counters.report
        failure: str | None = "interrupted"
        try:
            job.run()
            failure = None
        except StoreLensError as error:
            failure = error.message
            raise
        finally:
            counters.finish(watch, start)
            if settings.report:
                write_page(settings, report, images, catalog.root, failure)
    log_summary(report, settings)
    return report


@dataclass(kw_only=True)
class _Job:
    """One catalog, from its first pass to the switch to the new generation."""

    settings: IngestSettings
    catalog: Catalog
    store: IndexStore
    record: IndexRecord
    loader: ImageLoader
    encoder_of: Callable[[str], Encoder] | None
    counters: ReportCounters
    watch: Stopwatch
    policy: Document | None = None
    label_sets: Sequence[Document] = ()
    scan: Scan = field(init=False)
    target: TargetIndex = field(init=False)
    encoder: LazyEncoder = field(init=False)

    @property
    def report(self) -> IngestReport:
        return self.counters.report

    def run(self) -> None:
        with self.watch.stage("start"):
            if self.settings.rejects:
                refuse_another_index(self.store.record(), self.record)
            self.target = TargetIndex(self.store, self.record, self.watch)
        with self.target:
            self.scan = self._first_pass()
            gone = self._gone_products()
            if self.settings.dry_run:
                self._say_what_would_be_done(gone)
                return
            with_new_images = self._write_changes()
            if self._is_anything_new(gone):
                self._finish(self.target.begin(), gone, with_new_images)
            else:
                self.report.generation = self.store.version()

    def _first_pass(self) -> Scan:
        with self.watch.stage("scan"), Progress(None, self.watch, self.settings.log, stage="scan") as progress:
            scanner = Scanner(self.catalog, self.target.index, self.loader.version_tag, self.counters.count_rejection)
            scan = scanner.run(progress.advance)
        if not scan.rows:
            raise CatalogError(f"{self.catalog.name} has no rows; nothing was changed")
        self.counters.count_scan(scan)
        self.target.record = self.record.model_copy(update={"average_words": scan.average_words})
        return scan

    def _gone_products(self) -> list[UUID]:
        """Points to be pruned."""
        if not self.settings.prune:
            return []
        if not self.scan.products:
            raise CatalogError(f"no row of {self.catalog.name} is a product, so nothing was pruned")
        if self.target.index is None:
            return []
        with self.watch.stage("prune"):
            return gone_products(self.target.index, self.scan, force=self.settings.force)

    def _say_what_would_be_done(self, gone: Collection[UUID]) -> None:
        dry_run = DryRun()
        for changes in self._changes():
            dry_run.count(changes, self.target.index)
        self.report.dry_run = True
        self.report.embedded_images, self.report.embedded_texts = dry_run.images, dry_run.texts
        self.report.deleted = len(gone)
        self.report.generation = self.store.version()

    def _write_changes(self) -> bytearray:
        """The second pass; returns the points of products with new images, 16 bytes each."""
        with_new_images = bytearray()
        self.encoder = encoder = LazyEncoder(self._choose_encoder, self.watch)
        embedder = Embedder(encoder, self.watch)
        throughput = Throughput(self.watch)
        gate = policy_gate(self.store, self.policy, lambda: self.target.begin().index, encoder) if self.policy else None
        with (
            ProductWriter(self.target, embedder, self.catalog.root, self.watch, gate) as writer,
            closing(self._changes()) as batches,
        ):
            for changes in batches:
                if not (changes.embed or changes.update):
                    continue
                writer.write(changes)
                for change in changes.embed:
                    if change.new_images:
                        with_new_images += change.point.bytes
                throughput.batch(embedder.images)
        self.report.embedded_images, self.report.embedded_texts = embedder.images, embedder.texts
        self.report.images_per_second = throughput.rate()
        if self.target.build and (choice := encoder.choice):
            spec = choice.encoder.spec
            self.target.build.made_with(spec.precision, choice.quality)
            self.report.precision, self.report.precision_quality = spec.precision, choice.quality
        return with_new_images

    def _changes(self) -> Generator[Changes]:
        """What is new, in batches, counted once they are done. Products that lose images come last, if they may."""
        if not self.scan.to_do:
            return
        lost = LostImages(self.scan)
        with closing(self._second_pass(self.scan.todo)) as batches:
            for rows in batches:
                others, _ = lost.set_aside(rows)
                yield from self._compared(others)
        if not lost.products:
            return
        self.report.lost_images = lost.images
        refusal = lost.refusal(force=self.settings.force)
        still_lost = LostImages(self.scan)
        with closing(self._second_pass(lost.todo)) as batches:
            for rows in batches:
                others, losing = still_lost.set_aside(rows) if refusal else (rows, [])
                yield from self._compared(others)
                for row in losing:
                    self.counters.count_rejection(lost.rejection(row))
        if refusal:
            raise CatalogError(f"{refusal}. Which they are is in {self.counters.rejects_path}")

    def _second_pass(self, todo: bytearray) -> Generator[list[CatalogRow]]:
        rows = second_pass(self.catalog, todo, lambda: self.target.index, self.target.served, self.loader, self.watch)
        with (
            self.watch.stage("embed"),
            Progress(sum(todo), self.watch, self.settings.log) as progress,
            closing(rows) as batches,
        ):
            for batch in batches:
                yield batch
                progress.advance(len(batch))

    def _compared(self, rows: Collection[CatalogRow]) -> Generator[Changes]:
        changes = compare(rows, self.catalog.root)
        yield changes
        self.counters.count_changes(changes)

    def _choose_encoder(self) -> Choice:
        spec, served = self.record.embedding, self.store.record()
        if self.encoder_of:
            return Choice(self.encoder_of(spec.model), None, None)
        return choose_encoder(
            spec.model,
            self.settings.precision,
            lambda: sample_pixels(self.catalog, self.scan.some(SAMPLE), self.loader, SAMPLE),
            self.settings.data_dir / "models",
            served.precision_quality if served else None,
        )

    def _is_anything_new(self, gone: Collection[UUID]) -> bool:
        target = self.target
        if target.build or gone or self.scan.superseded or target.resumed or self.catalog.kind_changes:
            return True
        return target.index is not None and anything_unlabelled(target.index, self.label_sets)

    def _finish(self, build: IndexBuild, gone: Collection[UUID], with_new_images: bytearray) -> None:
        """Delete what is gone, and switch to the new generation where it has any product."""
        delete_superseded(build, self.scan.superseded)
        if gone:
            with self.watch.stage("prune"):
                delete_products(build, gone)
            self.report.deleted = len(gone)
        if build.fresh:
            self.report.left_behind = products_missing(build.index, self.store)
        if not build.index.count():
            build.discard()
            self.report.generation = self.store.version()
            return
        if self.label_sets:
            with self.watch.stage("label"):
                loaded = self.encoder.choice  # where something was embedded
                encoder = loaded.encoder if loaded else (self.encoder_of or load_encoder)(self.record.embedding.model)
                self.report.labelled = labelled(build, self.store, self.label_sets, encoder)
        with announced(self.watch, "optimize"):
            build.optimize()
        self._find_duplicates(build, with_new_images)
        with self.watch.stage("commit"):
            self.report.generation = build.commit()

    def _find_duplicates(self, build: IndexBuild, with_new_images: bytearray) -> None:
        """Of the images that are new, those that show what another does."""
        if build.resumed:  # those of the job that died are new too
            with_new_images = points_with_new_images(build, self.store)
        if not with_new_images:
            return
        with announced(self.watch, "same"):
            folder = self.settings.data_dir / self.settings.collection
            file = write_duplicates(build.index, with_new_images, folder)
        self.report.same_pictures = dict(file.counts.most_common())
        self.report.same_file = str(file.path) if file.path else None
