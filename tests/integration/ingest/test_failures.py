"""Jobs that fail, are refused, or are killed: what serves stays whole, and a rerun completes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embedding import Preparer, keep_freed_memory
from images import WHOLE, Decoded, DecodePool, ImageLimits
from images.arrays import Pixels, Vectors
from ingest.images import decode_pool
from ingest.second_pass import BATCH, WINDOW
from schemas import CatalogError, Crop, DuplicatePair, IndexLocked, ModelNotFound
from tests.integration.ingest.jobs import draw, generation, indexed, ingest, rejects, write_rows
from tests.support.decoders import forkservers
from tests.support.encoders import HashEncoder, Poisoned, crash, exhaust, hang


def _catalog(folder: Path, count: int, title: str = "Product") -> Path:
    for i in range(count):
        if not (folder / f"{i}.png").exists():
            draw(folder / f"{i}.png", f"#{i * 7919 % 0xFFFFFF:06x}")
            os.utime(folder / f"{i}.png", (i, i))  # long ago, so that it counts as unchanged from the first run on
    return write_rows(
        folder / "c.jsonl", ({"id": str(i), "title": f"{title} {i}", "image": f"{i}.png"} for i in range(count))
    )


class FailingAfter(HashEncoder):
    """Embeds some batches of images, then fails as a model would."""

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
        self.batches -= 1
        if self.batches < 0:
            raise RuntimeError("out of memory")
        return super().encode_prepared(pixels)


def test_a_failed_job_leaves_what_serves_and_a_rerun_goes_on(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path, 3 * BATCH)
    with pytest.raises(RuntimeError, match="out of memory"):
        ingest(catalog, tmp_path / "data", encoder=FailingAfter(2))
    assert generation(tmp_path / "data") is None
    report = ingest(catalog, tmp_path / "data")
    assert (report.unchanged, report.indexed) == (2 * BATCH, BATCH)
    assert len(indexed(tmp_path / "data")) == 3 * BATCH


def test_a_job_that_had_all_but_committed_is_committed_by_a_rerun_without_an_encoder(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path, 2 * BATCH)
    rows = catalog.read_text()
    catalog.write_text(rows + '{"id": "last", "image": "last.png"}')
    draw(tmp_path / "last.png")
    with pytest.raises(RuntimeError, match="out of memory"):
        ingest(catalog, tmp_path / "data", encoder=FailingAfter(2))
    catalog.write_text(rows)
    report = ingest(catalog, tmp_path / "data", encoder=FailingAfter(0))
    assert (report.unchanged, report.indexed) == (2 * BATCH, 0)
    assert len(indexed(tmp_path / "data")) == 2 * BATCH


def test_a_rerun_also_compares_the_images_that_the_failed_job_wrote(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path, BATCH)
    ingest(catalog, tmp_path / "data")
    draw(tmp_path / "copy.png", "blue")
    lines = _catalog(tmp_path, 3 * BATCH).read_text().splitlines(keepends=True)
    lines[BATCH:BATCH] = [json.dumps({"id": id, "image": "copy.png"}) + "\n" for id in ("one", "other")]
    catalog.write_text("".join(lines))
    with pytest.raises(RuntimeError, match="out of memory"):
        ingest(catalog, tmp_path / "data", encoder=FailingAfter(1))
    report = ingest(catalog, tmp_path / "data")
    assert report.indexed == BATCH + 2
    assert report.same_file
    pairs = [DuplicatePair.model_validate_json(line) for line in Path(report.same_file).read_text().splitlines()]
    identical = [{pair.one.product, pair.other.product} for pair in pairs if pair.kind == "identical"]
    assert identical == [{"one", "other"}]


def test_an_encoder_that_cannot_be_loaded_fails_the_job_and_no_image(tmp_path: Path) -> None:
    from ingest.job import run
    from ingest.settings import IngestSettings

    def unloadable(_: str) -> HashEncoder:
        raise ModelNotFound("no such model")

    settings = IngestSettings(catalog=str(_catalog(tmp_path, 5)), data_dir=tmp_path / "data", qdrant_url=None)
    with pytest.raises(ModelNotFound):
        run(settings, spec_of=lambda _: HashEncoder.spec, encoder_of=unloadable)
    assert not list((tmp_path / "data").rglob("rejects-*"))


@pytest.mark.parametrize(
    ("harm", "code", "says"),
    [
        (exhaust, "picture-too-costly", "memory"),
        (crash, "picture-damaged", "decoders die of"),
        (hang, "picture-too-costly", "not decoded within 2 s"),
    ],
)
def test_a_poisoned_image_is_a_reject_and_costs_no_other(
    tmp_path: Path, harm: Callable[[], object], code: str, says: str
) -> None:
    catalog = _catalog(tmp_path, 20)
    draw(tmp_path / "3.png", "#010203")
    with decode_pool(workers=2, seconds=2) as decoders:
        report = ingest(catalog, tmp_path / "data", encoder=Poisoned(harm), decoders=decoders)
    assert (report.indexed, report.degraded, report.embedded_images) == (20, 1, 19)
    assert [(r.id, r.code) for r in rejects(report)] == [("3", code)]
    assert says in rejects(report)[0].reason


def test_a_job_that_fails_does_not_wait_for_images(tmp_path: Path) -> None:
    class Failing(Poisoned):
        def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
            raise RuntimeError("out of memory")

    catalog = _catalog(tmp_path, 2 * BATCH)
    draw(tmp_path / f"{BATCH + 9}.png", "#010203")
    with decode_pool(workers=2, seconds=1_000) as decoders, pytest.raises(RuntimeError, match="out of memory"):
        ingest(catalog, tmp_path / "data", encoder=Failing(hang), decoders=decoders)


def test_decode_processes_that_are_killed_are_replaced_and_no_image_is_lost(tmp_path: Path) -> None:
    class Killing(HashEncoder):
        def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
            for forker in forkservers():
                children = forker.children()
                for process in [*children, forker] if children else []:
                    process.kill()
            return super().encode_prepared(pixels)

    with decode_pool(workers=2) as decoders:
        report = ingest(_catalog(tmp_path, 4 * BATCH), tmp_path / "data", encoder=Killing(), decoders=decoders)
    assert (report.indexed, report.degraded, report.embedded_images) == (4 * BATCH, 0, 4 * BATCH)


def test_a_catalog_that_changes_while_it_is_read_is_not_committed(tmp_path: Path) -> None:
    count = 2 * WINDOW  # more than is read ahead
    ingest(_catalog(tmp_path, count), tmp_path / "data")
    served = generation(tmp_path / "data")
    catalog = _catalog(tmp_path, count, "Renamed")

    class Rewriting(HashEncoder):
        def encode_texts(self, texts: Sequence[str]) -> Vectors:
            catalog.write_text('{"id": "0", "title": "half a cat')
            return super().encode_texts(texts)

    with pytest.raises(CatalogError, match="changed while it was read"):
        ingest(catalog, tmp_path / "data", encoder=Rewriting())
    assert generation(tmp_path / "data") == served


def test_a_second_job_is_refused_and_told_who_holds_the_index(tmp_path: Path) -> None:
    catalog = _catalog(tmp_path, 3)
    refusals: list[IndexLocked] = []

    class Meanwhile(HashEncoder):
        def encode_texts(self, texts: Sequence[str]) -> Vectors:
            with pytest.raises(IndexLocked, match="another job") as refused:
                ingest(catalog, tmp_path / "data")
            refusals.append(refused.value)
            return super().encode_texts(texts)

    assert ingest(catalog, tmp_path / "data", encoder=Meanwhile()).indexed == 3
    assert refusals


def test_prepared_images_are_bounded_whatever_the_size_of_the_catalog(tmp_path: Path) -> None:
    changed = threading.Condition()
    decoding = held = most = 0

    class Counting(DecodePool):
        def decode(
            self,
            data: bytes,
            prepare: Preparer | None,
            crops_per_image: int = WHOLE,
            gone: Callable[[], bool] | None = None,
            crop: Crop | None = None,
        ) -> Decoded:
            nonlocal decoding, held, most
            with changed:
                decoding += 1
            try:
                return super().decode(data, prepare, crops_per_image, gone, crop)
            finally:
                with changed:
                    decoding -= 1
                    held += 1
                    most = max(most, held)
                    changed.notify()

    class Last(HashEncoder):
        def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
            nonlocal held
            with changed:
                changed.wait_for(lambda: not decoding)  # they have run ahead as far as they may
                held -= len(pixels)
            return super().encode_prepared(pixels)

    with Counting(ImageLimits(), 3, 60.0, keep_freed_memory) as decoders:
        ingest(_catalog(tmp_path, WINDOW + 2 * BATCH), tmp_path / "data", encoder=Last(), decoders=decoders)
    assert held == 0
    assert most <= WINDOW + BATCH


_JOBS = """
import os, sys
from pathlib import Path
from tests.integration.ingest.jobs import ingest
from tests.support.encoders import HashEncoder
from tests.support.harm import ENCODING, die_at_step

class Encoder(HashEncoder):
    def encode_prepared(self, pixels):
        sys.audit(ENCODING)
        return super().encode_prepared(pixels)

catalog, data = sys.argv[1:]
for step in sys.stdin:
    job = os.fork()
    if job == 0:
        die_at_step(Path(data), int(step))
        ingest(Path(catalog), Path(data), encoder=Encoder())
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]), flush=True)
"""
"""A job for each line: it dies at that step, or is over before."""


def test_killed_at_random_moments_the_index_stays_whole_and_a_rerun_completes(tmp_path: Path) -> None:
    count, data = 3 * BATCH, tmp_path / "data"
    ingest(_catalog(tmp_path, count, "Old"), data)
    catalog = _catalog(tmp_path, count, "New")
    for i in range(count):
        draw(tmp_path / f"{i}.png", f"#{i * 104729 % 0xFFFFFF:06x}")
    endings = []
    with subprocess.Popen(
        [sys.executable, "-c", _JOBS, catalog, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as jobs:
        assert jobs.stdin and jobs.stdout
        for step in random.Random(7).sample(range(24), 8):
            print(step, file=jobs.stdin, flush=True)
            endings.append(int(jobs.stdout.readline()))
            after = indexed(data)
            assert {stored.payload["product"]["title"].split()[0] for stored in after.values()} in ({"Old"}, {"New"})
            assert len(after) == count
        jobs.stdin.close()
    assert -signal.SIGKILL in endings and set(endings) <= {0, -signal.SIGKILL}
    report = ingest(catalog, data)
    assert report.indexed + report.unchanged == count
    after = indexed(data)
    assert {stored.payload["product"]["title"].split()[0] for stored in after.values()} == {"New"}
    expected = HashEncoder().encode_images([Image.new("RGB", (20, 20), f"#{5 * 104729 % 0xFFFFFF:06x}")])
    assert np.allclose(after["5"].vectors["image"], expected, atol=1e-5)
