"""One job: a catalog read, an index brought up to date, and a report of what was done."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from embedding import DEFAULT_MODEL, Choice, Encoder, Pixels, Preparer, load_preparer, load_spec
from images import WHOLE, WITH_CROPS, DecodePool, ImageLimits, ImageRoot, ImageStore, open_images
from index import CatalogIndex, IndexBuild, IndexStore, all_points, open_store
from ingest.batches import batched
from ingest.catalog import Before, Catalog
from ingest.columns.kinds import Votes, vote
from ingest.dry_run import Rehearsal
from ingest.duplicates.file import SameFile
from ingest.duplicates.find import find_same, new_images
from ingest.embedder import Embedder
from ingest.encoders import SAMPLE, choose_encoder, sample_images
from ingest.images import ImageLoader, decode_pool
from ingest.intake import entries
from ingest.lazy_encoder import LazyEncoder
from ingest.lost_images import LostImages
from ingest.pipeline import changes
from ingest.progress import Progress, announced
from ingest.pruning import gone_products, prune
from ingest.readers import open_reader
from ingest.rejects import RejectsFile
from ingest.report import Tally
from ingest.report_page.page import write_page
from ingest.scan import Scan, Scanner
from ingest.settings import IngestSettings
from ingest.target import Target, refuse_another_index
from ingest.timing import Stopwatch, Throughput, bottleneck
from ingest.writer import Changes, ProductWriter
from ingest.writes import Writes
from schemas import CatalogError, EmbeddingSpec, IndexRecord, IngestReport, Missing, Not, StoreLensError

log = logging.getLogger(__name__)


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
    with ExitStack() as held:
        with watch.stage("start"):
            reader = held.enter_context(open_reader(settings))
            store = open_store(settings)
            served = store.record()
            model = settings.model or (served.embedding.model if served else DEFAULT_MODEL)
            spec = spec_of(model)
            held.enter_context(store.lock(settings.wait))
        with watch.stage("scan"):
            catalog = Catalog(reader, settings, _before(settings, store, served, spec))
        with watch.stage("start"):
            rejects = held.enter_context(RejectsFile(settings.data_dir / settings.collection, catalog.root))
            kept_images = ImageStore(settings.data_dir / "pictures")
            limits = ImageLimits()
            images = held.enter_context(closing(open_images(catalog.root, kept_images, settings, limits)))
            decoders = decoders or held.enter_context(decode_pool())
        report = IngestReport(
            catalog=catalog.name,
            collection=settings.collection,
            model=spec.model,
            mapping=catalog.mapping,
            mapping_changes=catalog.mapping_changes,
            kind_changes=catalog.kind_changes,
            fields_left_out=len(catalog.fields_left_out),
        )
        views = _views(settings, served)
        preparer = None if settings.dry_run else cache(lambda: _preparer(model, encoder_of))
        loader = ImageLoader(images, kept_images, decoders, preparer, views)
        tally = Tally(report, rejects)
        job = _Job(settings, catalog, images, loader, store, spec, views, encoder_of, tally, watch)
        failure: str | None = "interrupted"
        try:
            job.run()
            failure = None
        except StoreLensError as error:
            failure = error.message
            raise
        finally:
            tally.finish()
            report.stages = {name: round(seconds, 3) for name, seconds in watch.seconds.items()}
            report.bottleneck = bottleneck(watch.seconds)
            report.seconds = round(time.perf_counter() - start, 3)
            if settings.report:
                write_page(settings, report, images, catalog.root, failure)
    _summarize(report, settings)
    return report


class _Job:
    """One catalog, from its first reading to the switch to the new generation."""

    def __init__(
        self,
        settings: IngestSettings,
        catalog: Catalog,
        images: ImageRoot,
        loader: ImageLoader,
        store: IndexStore,
        spec: EmbeddingSpec,
        views: int,
        encoder_of: Callable[[str], Encoder] | None,
        tally: Tally,
        watch: Stopwatch,
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._images = images
        self._loader = loader
        self._store = store
        self._spec = spec
        self._views = views
        self._encoder_of = encoder_of
        self._encoder = LazyEncoder(self._choose_encoder, watch)
        self._tally = tally
        self._report = tally.report
        self._watch = watch
        self._scan = Scan()
        self._with_images = bytearray()
        """Points of products with new images, 16 bytes each."""

    def run(self) -> None:
        with self._watch.stage("start"):
            record = self._record()
            if self._settings.rejects:
                refuse_another_index(self._store.record(), record)
            target = Target(self._store, record)
        with target:
            self._read(target)
            gone = self._gone(target)
            if self._settings.dry_run:
                self._rehearse(target)
                self._report.deleted = len(gone)
                return
            self._update(target)
            self._finish(target, gone)

    def _read(self, target: Target) -> None:
        """The first reading."""
        with self._watch.stage("scan"), Progress(None, self._watch, self._settings.log, stage="scan") as progress:
            scanner = Scanner(self._catalog, target.index, self._images, self._tally.reject)
            self._scan = scanner.run(progress.advance)
        if not self._scan.rows:
            raise CatalogError(f"{self._catalog.name} has no rows; nothing was changed")
        self._tally.scanned(self._scan)

    def _gone(self, target: Target) -> list[UUID]:
        if not self._settings.prune:
            return []
        if not self._scan.products:
            raise CatalogError(f"no row of {self._catalog.name} is a product, so nothing was pruned")
        if target.index is None:
            return []
        with self._watch.stage("prune"):
            return gone_products(target.index, self._scan, force=self._settings.force)

    def _changes(self, target: Target) -> Generator[Changes]:
        """The second reading, in batches, counted. Products that lose images come last, if they may."""
        if not self._scan.to_do:
            return
        lost = LostImages(self._scan)
        with closing(self._read_again(target, self._scan.todo, lost)) as batches:
            for batch in batches:
                yield batch
                self._tally.changed(batch)
        if not lost.products:
            return
        self._report.lost_images = lost.images
        refusal = lost.refusal(force=self._settings.force)
        with closing(self._read_again(target, lost.rows, LostImages(self._scan) if refusal else None)) as batches:
            for batch in batches:
                if refusal:
                    self._tally.kept(batch.losing)
                else:
                    yield batch
                    self._tally.changed(batch)
        if refusal:
            raise CatalogError(f"{refusal}. Which they are is in {self._tally.rejects_path}")

    def _read_again(self, target: Target, rows: bytearray, lost: LostImages | None) -> Generator[Changes]:
        """What is new of some rows, in batches."""
        batches = changes(
            entries(self._catalog, rows),
            lambda: target.index,
            target.before,
            self._loader,
            self._catalog.root,
            self._watch,
            lost,
        )
        with (
            self._watch.stage("embed"),
            Progress(sum(rows), self._watch, self._settings.log) as progress,
            closing(batches),
        ):
            for batch in batches:
                yield batch
                progress.advance(batch.rows)

    def _choose_encoder(self) -> Choice:
        model, served = self._spec.model, self._store.record()
        if self._encoder_of:
            return Choice(self._encoder_of(model), None, None)

        def sample() -> list[Pixels]:
            return sample_images(entries(self._catalog, self._scan.some(SAMPLE)), self._loader)

        models = self._settings.data_dir / "models"
        known = served.precision_quality if served else None
        return choose_encoder(model, self._settings.precision, sample, models, known)

    def _rehearse(self, target: Target) -> None:
        rehearsal = Rehearsal()
        for batch in self._changes(target):
            rehearsal.count(batch, target.index)
        self._report.dry_run = True
        self._report.embedded_images, self._report.embedded_texts = rehearsal.images, rehearsal.texts
        self._report.generation = self._store.version()

    def _update(self, target: Target) -> None:
        embedder = Embedder(self._encoder, self._watch)
        throughput = Throughput(self._watch)
        writer: ProductWriter | None = None
        with ExitStack() as held, closing(self._changes(target)) as batches:
            for batch in batches:
                if not (batch.embed or batch.update):
                    continue
                if writer is None:
                    with self._watch.stage("start"):
                        build = target.begun(self._record)
                    writes = held.enter_context(Writes(build, self._watch))
                    writer = ProductWriter(build, embedder, writes, self._catalog.root, self._watch)
                writer.write(batch)
                for change in batch.embed:
                    if change.new_images:
                        self._with_images += change.point.bytes
                throughput.batch(embedder.images)
        self._report.embedded_images, self._report.embedded_texts = embedder.images, embedder.texts
        self._report.images_per_second = throughput.rate()
        if target.build and (choice := self._encoder.choice):
            precision = choice.encoder.spec.precision
            target.build.made_with(precision, choice.quality)
            self._report.precision, self._report.precision_quality = precision, choice.quality

    def _finish(self, target: Target, gone: list[UUID]) -> None:
        """Prune and switch, where there is anything to switch to."""
        superseded = self._scan.superseded
        if gone or superseded or target.resumed or self._catalog.kind_changes:
            target.begun(self._record)
        build = target.build
        if build is None:
            self._report.generation = self._store.version()
            return
        for batch in batched(superseded.items(), 1000):
            there = build.index.payloads([point for _, point in batch], ["id"])
            build.delete([before for before, point in batch if point in there])
        if gone:
            with self._watch.stage("prune"):
                self._report.deleted = prune(build, gone)
        if build.fresh:
            self._count_left_behind(build)
        if build.index.count():
            with announced(self._watch, "optimize"):
                build.optimize()
            if build.resumed:
                self._with_images = self._with_images_since(build)
            if self._with_images:
                with announced(self._watch, "same"):
                    self._find_same(build.index)
            with self._watch.stage("commit"):
                self._report.generation = build.commit()
        else:
            build.discard()
            self._report.generation = self._store.version()

    def _find_same(self, index: CatalogIndex) -> None:
        """Of the images that are new, those that show what another does."""
        with SameFile(self._settings.data_dir / self._settings.collection) as same:
            for pair in find_same(index, _points(self._with_images)):
                same.write(pair)
        self._report.same_pictures = dict(same.counts.most_common())
        self._report.same_file = str(same.path) if same.path else None

    def _with_images_since(self, build: IndexBuild) -> bytearray:
        """Points with images that what serves has not: those of the job that died too."""
        with ExitStack() as held:
            serves = self._store.version() and not build.fresh
            before = held.enter_context(closing(self._store.open())) if serves else None
            return bytearray().join(point.bytes for point in new_images(build.index, before))

    def _count_left_behind(self, build: IndexBuild) -> None:
        """Products of the generation that serves which the new one, of another model, does not have."""
        left = 0
        with closing(self._store.open()) as serving:
            for batch in batched(all_points(serving), 1000):
                left += len(batch) - len(build.index.values(batch, ["id"]))
        self._report.left_behind = left
        if left:
            log.warning("%d products of the index before are not in this catalog, and not in the new index", left)

    def _record(self) -> IndexRecord:
        now = datetime.now(UTC)
        return IndexRecord(
            collection=self._settings.collection,
            embedding=self._spec,
            views=self._views,
            fields=self._catalog.kinds,
            mapping=self._catalog.remembered,
            average_words=self._scan.average_words,
            created=now,
            updated=now,
        )


def _before(settings: IngestSettings, store: IndexStore, served: IndexRecord | None, spec: EmbeddingSpec) -> Before:
    """What the index that serves knows of the catalogs that made it."""
    if served is None:
        return Before()

    def others(name: str, points: Collection[UUID]) -> Votes:
        votes = Votes()
        if settings.prune or served.embedding.differences(spec):
            return votes  # they do not stay
        with closing(store.open()) as index:
            after: UUID | None = None
            while ids := index.scan(Not(Missing(name)), 1_000, after):
                after = ids[-1]
                held = index.values([id for id in ids if id not in points], [name])
                votes.update(vote(values[name]) for values in held.values() if name in values)
        return votes

    return Before(served.mapping, served.fields, others)


def _views(settings: IngestSettings, served: IndexRecord | None) -> int:
    if settings.crops is None:
        return served.views if served else WHOLE
    return WITH_CROPS if settings.crops else WHOLE


def _preparer(model: str, encoder_of: Callable[[str], Encoder] | None) -> Preparer:
    """Without the model's weights where that can be: images are decoded while it loads."""
    return encoder_of(model).preparer if encoder_of else load_preparer(model)


def _points(packed: bytearray) -> Iterator[UUID]:
    return (UUID(bytes=bytes(packed[at : at + 16])) for at in range(0, len(packed), 16))


def _summarize(report: IngestReport, settings: IngestSettings) -> None:
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
