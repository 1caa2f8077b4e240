"""Speed on this machine: the job in each precision against a plain loop and against what its parts allow.

Everything runs as a user would run it: jobs, the loop and the API in processes of their own. A shared machine drifts
by half within minutes, so the measurements take turns, the forward pass before and after its job, and ratios are formed
within a turn.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import harmonic_mean, median
from tempfile import TemporaryDirectory

from catalog import product_from_row
from embedding import load_preparer
from evaluation.benchmarks.jobs import run_job
from evaluation.benchmarks.parts import decode_rate, forward_rate, load_encoders, prepared
from evaluation.benchmarks.processor import this_processor
from evaluation.benchmarks.query_load import QuerySpeed, query_speed
from evaluation.benchmarks.synthetic import model_directory, write_catalog
from images import locate_image
from schemas import ConfigurationError, Precision, PrecisionQuality

MOST_IMAGES = 1_024
"""Many, because a job decodes ahead: what it has done of that when its first batch ends must not count for much."""
PARTS_IMAGES = 256
EDGE = 512
"""Pixels of a made-up image's side, about what shops show."""

LEAST_OF_BOUND = 0.95
LEAST_OF_PLAIN: dict[Precision, float] = {"bfloat16": 2.3, "int8": 3.5}


@dataclass(slots=True)
class Turns:
    """Images a second of one precision, a value a turn."""

    forward: list[float] = field(default_factory=list)
    job: list[float] = field(default_factory=list)

    def of_bound(self, decode: Sequence[float]) -> float:
        """The job against what two cores allow that do nothing but decode and compute: ``1 / (1/f + 1/(2 d))``."""
        parts = zip(self.job, self.forward, decode, strict=True)
        return median(job * (1 / forward + 1 / (2 * one)) for job, forward, one in parts)

    def of_plain(self, plain: Sequence[float]) -> float:
        return median(job / loop for job, loop in zip(self.job, plain, strict=True))


@dataclass(slots=True)
class IngestSpeed:
    model: str
    images: int
    quality: PrecisionQuality | None
    refused: str | None
    """Why nothing was measured in int8."""
    decode: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    precisions: dict[Precision, Turns] = field(default_factory=dict)
    with_words: float | None = None
    """Images a second of one more job over the seconds for images and words: the bound knows no words."""


def report(model: str, catalog: Path | None, *, products: int, runs: int, as_json: bool) -> str:
    """Both benchmarks, as text or as a JSON object; medians of ``runs`` turns."""
    with TemporaryDirectory(prefix="storelens-speed-") as name:
        folder = Path(name)
        model = model_directory(model, folder)
        if catalog is None:
            catalog = write_catalog(folder / "made-up", MOST_IMAGES, edge=EDGE)
        ingest = ingest_speed(model, catalog, folder, runs)
        query = query_speed(model, products, folder)
    if as_json:
        quality = ingest.quality.model_dump() if ingest.quality else None
        measured = {"ingest": asdict(ingest) | {"quality": quality}, "query": asdict(query)}
        return json.dumps({"processor": asdict(this_processor()), **measured})
    return "\n".join([f"on {this_processor()}", *ingest_lines(ingest), "", *_query_lines(query)])


def ingest_speed(model: str, catalog: Path, folder: Path, runs: int) -> IngestSpeed:
    """In turn, ``runs`` times: decoding, the plain loop, and for each precision the forward pass and the job."""
    images = images_only(catalog, folder / "images-only")
    paths = image_paths(images)
    prepare = load_preparer(model)
    some = paths[:PARTS_IMAGES]
    pixels = prepared(prepare, some)
    encoders = load_encoders(model, pixels, folder / "int8")
    speed = IngestSpeed(model, len(paths), encoders.quality, encoders.refused)
    speed.precisions = {precision: Turns() for precision in encoders.by_precision}
    for run in range(runs):
        speed.decode.append(decode_rate(prepare, some))
        if encoders.by_precision["float32"].spec.model != "builtin":  # which no other program loads
            speed.plain.append(_plain_rate(images, model))
        for precision, turns in speed.precisions.items():
            encoder = encoders.by_precision[precision]
            before = forward_rate(encoder, pixels)
            data_dir = folder / f"job-{precision}-{run}"
            turns.job.append(_job_rate(images, model, data_dir, precision))
            shutil.rmtree(data_dir)
            turns.forward.append(harmonic_mean([before, forward_rate(encoder, pixels)]))
    speed.with_words = _rate_with_words(catalog, model, folder / "job-with-words")
    return speed


def image_paths(catalog: Path) -> list[Path]:
    """First images of a JSONL catalog's products, at most ``MOST_IMAGES``.

    Raises:
        ConfigurationError: it has none.
    """
    paths: list[Path] = []
    for line in catalog.read_text(encoding="utf-8").splitlines():
        product = product_from_row(json.loads(line)).product
        if product.images and len(paths) < MOST_IMAGES:
            paths.append(locate_image(catalog.parent, product.images[0]))
    if not paths:
        raise ConfigurationError(f"{catalog} has no images to measure with")
    return paths


def images_only(catalog: Path, folder: Path) -> Path:
    """A catalog of the same images and no words, none twice: what the formula of the bound is about."""
    folder.mkdir()
    paths = image_paths(catalog)
    distinct = {path.read_bytes(): path for path in paths}
    rows = []
    for number, (content, path) in enumerate(distinct.items()):
        name = f"{number}{path.suffix}"
        (folder / name).write_bytes(content)
        rows.append(json.dumps({"id": str(number), "image": name}) + "\n")
    copy = folder / "catalog.jsonl"
    copy.write_text("".join(rows), encoding="utf-8")
    return copy


def _plain_rate(catalog: Path, model: str) -> float:
    command = [sys.executable, "-m", "evaluation.benchmarks.baseline", str(catalog), model]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConfigurationError(f"the plain loop failed: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout.strip().splitlines()[-1])


def _job_rate(catalog: Path, model: str, data_dir: Path, precision: Precision) -> float:
    job = run_job(catalog, model, data_dir, "--precision", precision)
    if job.report.images_per_second is None:
        raise ConfigurationError(f"a job over {catalog} embedded no image")
    return job.report.images_per_second


def _rate_with_words(catalog: Path, model: str, data_dir: Path) -> float:
    report = run_job(catalog, model, data_dir).report
    images = report.embedded_images / (report.images_per_second or float("inf"))
    return report.embedded_images / (images + report.stages.get("texts", 0.0))


def ingest_lines(speed: IngestSpeed) -> list[str]:
    turns = len(speed.decode)
    lines = [
        f"ingest with {speed.model}, {speed.images} images without words, images/s, medians of {turns} turns;",
        "ratios are medians of those within a turn",
        f"  decoding and preparing, one thread (d)  {median(speed.decode):8.1f}",
    ]
    if speed.plain:
        lines.append(f"  the plain loop, float32                 {median(speed.plain):8.1f}")
    lines.append(f"  {'':<10}{'forward f':>10}{'bound':>8}{'job':>8}{'of bound':>10}{'of plain':>10}   asked for")
    for precision, turn in speed.precisions.items():
        forward, job, decode = median(turn.forward), median(turn.job), median(speed.decode)
        bound = 1 / (1 / forward + 1 / (2 * decode))
        of_plain = f"{turn.of_plain(speed.plain):.2f}" if speed.plain else "-"
        asked = f"{LEAST_OF_BOUND:.2f}"
        asked += f", {LEAST_OF_PLAIN[precision]}x" if precision in LEAST_OF_PLAIN else ""
        of_bound = turn.of_bound(speed.decode)
        lines.append(
            f"  {precision:<10}{forward:>10.1f}{bound:>8.1f}{job:>8.1f}{of_bound:>10.2f}{of_plain:>10}   {asked}"
        )
    if speed.with_words is not None:
        lines.append(f"  with the catalog's words, the usual precision {speed.with_words:.1f}")
    return [*lines, *_int8_lines(speed)]


def _int8_lines(speed: IngestSpeed) -> list[str]:
    lines = []
    if quality := speed.quality:
        lines.append(
            f"  int8 against float32, {quality.pictures} images: cosine {quality.cosine_mean:.4f} "
            f"(least {quality.cosine_min:.4f}), {quality.overlap_at_10:.1%} of the ten nearest"
        )
    if speed.refused:
        lines.append(f"  not in int8: {speed.refused}")
    return lines


def _query_lines(speed: QuerySpeed) -> list[str]:
    return [
        f"text query through HTTP, {speed.products:,} products, {speed.queries} distinct queries, medians",
        f"  encode              {speed.encode:8.2f} ms",
        f"  search              {speed.search:8.2f} ms",
        f"  the rest (HTTP)     {speed.rest:8.2f} ms",
        f"  beyond encode       {speed.beyond_encode:8.2f} ms",
    ]
