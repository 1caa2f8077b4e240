"""Speed on this machine: ingest against what its parts allow, and a text query through HTTP.

Everything runs as a user would run it: the job and the API in processes of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from catalog import PictureLimits, decode_picture, locate_picture, product_from_row, read_picture
from catalog.drawn import write_drawn_catalog
from embedding import Encoder, Pixels, load_encoder
from evaluation.queryload import QuerySpeed, query_speed
from schemas import ConfigurationError, IngestReport

BATCH = 32
MOST_PICTURES = 512


@dataclass(frozen=True, slots=True)
class IngestSpeed:
    """Pictures a second. ``bound`` is what the two cores allow when nothing but decoding on both and the
    forward pass were to be done: ``1 / (1/forward + 1/(2 decode))``."""

    forward: float
    decode: float
    steady: float
    with_words: float
    """The same pictures over the seconds of embedding pictures and words: the bound knows no words."""
    stages: dict[str, float]

    @property
    def bound(self) -> float:
        return 1 / (1 / self.forward + 1 / (2 * self.decode))


def report(model: str, catalog: Path | None, *, products: int, runs: int) -> str:
    """Both benchmarks as text; medians of ``runs`` runs."""
    with TemporaryDirectory(prefix="storelens-speed-") as folder:
        if catalog is None:
            catalog = write_drawn_catalog(Path(folder) / "drawn")
        ingest = ingest_speed(model, catalog, Path(folder), runs)
        query = query_speed(model, products, Path(folder))
    return "\n".join([*_ingest_lines(model, catalog, ingest, runs), "", *_query_lines(query)])


def ingest_speed(model: str, catalog: Path, folder: Path, runs: int) -> IngestSpeed:
    """Forward pass, one thread's decoding, and the job's steady rate, in turn ``runs`` times."""
    paths = picture_paths(catalog)
    encoder = load_encoder(model)
    pixels = [_decode(encoder, path) for path in paths]
    encoder.encode_prepared(pixels[:BATCH])  # the first batch pays for what is set up lazily
    forwards, decodes, jobs = [], [], []
    for run in range(runs):
        forwards.append(len(pixels) / _seconds(lambda: _forward(encoder, pixels)))
        decodes.append(len(paths) / _seconds(lambda: [_decode(encoder, path) for path in paths]))
        jobs.append(_ingest(model, catalog, folder / f"run-{run}"))
    typical = sorted(jobs, key=_rate)[len(jobs) // 2]
    embedding = typical.stages["embed"] + typical.stages["texts"]
    with_words = typical.embedded_images / embedding
    return IngestSpeed(median(forwards), median(decodes), _rate(typical), with_words, typical.stages)


def picture_paths(catalog: Path) -> list[Path]:
    """First pictures of a JSONL catalog's products, at most ``MOST_PICTURES``.

    Raises:
        ConfigurationError: it has none.
    """
    paths: list[Path] = []
    for line in catalog.read_text(encoding="utf-8").splitlines():
        product = product_from_row(json.loads(line)).product
        if product.images and len(paths) < MOST_PICTURES:
            paths.append(locate_picture(catalog.parent, product.images[0]))
    if not paths:
        raise ConfigurationError(f"{catalog} has no pictures to measure with")
    return paths


def _decode(encoder: Encoder, path: Path) -> Pixels:
    limits = PictureLimits()
    return encoder.prepare_image(decode_picture(read_picture(path, limits), limits))


def _forward(encoder: Encoder, pixels: Sequence[Pixels]) -> None:
    for start in range(0, len(pixels), BATCH):
        encoder.encode_prepared(pixels[start : start + BATCH])


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _rate(job: IngestReport) -> float:
    return job.images_per_second or 0.0


def _ingest(model: str, catalog: Path, data_dir: Path) -> IngestReport:
    command = [sys.executable, "-m", "ingest", str(catalog), "--model", model, "--data-dir", str(data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConfigurationError(f"the ingest failed: {done.stderr.strip().splitlines()[-1]}")
    return IngestReport.model_validate_json(done.stdout.strip().splitlines()[-1])


def _ingest_lines(model: str, catalog: Path, speed: IngestSpeed, runs: int) -> list[str]:
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in speed.stages.items())
    return [
        f"ingest of {catalog.name} with {model}, medians of {runs} runs",
        f"  forward pass f      {speed.forward:8.1f} images/s",
        f"  decoding, a thread d{speed.decode:8.1f} images/s",
        f"  1 / (1/f + 1/(2 d)) {speed.bound:8.1f} images/s",
        f"  the job, steady     {speed.steady:8.1f} images/s  = {speed.steady / speed.bound:.2f} of it",
        f"  with its words      {speed.with_words:8.1f} images/s  = {speed.with_words / speed.bound:.2f} of it",
        f"  its stages          {stages}",
    ]


def _query_lines(speed: QuerySpeed) -> list[str]:
    return [
        f"text query through HTTP, {speed.products:,} products, {speed.queries} distinct queries, medians",
        f"  encode              {speed.encode:8.2f} ms",
        f"  search              {speed.search:8.2f} ms",
        f"  the rest (HTTP)     {speed.rest:8.2f} ms",
        f"  beyond encode       {speed.beyond_encode:8.2f} ms",
    ]
