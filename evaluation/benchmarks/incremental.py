"""The nightly job: what a first ingest, an unchanged catalog and a usual night cost."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from evaluation.benchmarks.jobs import Job, run_job
from evaluation.benchmarks.synthetic import model_directory, synthetic_rows, write_catalog, write_image

EDGE = 256
PRICES, NEW, GONE, PHOTOS = 200, 20, 10, 3
"""What changes in a night, in a catalog of 10,000; of smaller ones as much less."""
USUAL = 10_000


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    kind: str
    seconds: float
    indexed: int
    updated: int
    unchanged: int
    deleted: int
    embedded_images: int
    embedded_texts: int


@dataclass(frozen=True, slots=True)
class Night:
    rows: int
    images: bool
    first: MeasuredRun
    unchanged: MeasuredRun
    nightly: MeasuredRun


def report(model: str, rows: int, *, as_json: bool) -> str:
    """With and without images, as text or as a JSON list."""
    with TemporaryDirectory(prefix="storelens-incremental-") as name:
        folder = Path(name)
        model = model_directory(model, folder)
        nights = [measure(model, rows, folder / f"edge-{edge}", edge) for edge in (EDGE, 0)]
    return json.dumps([asdict(night) for night in nights]) if as_json else "\n".join(map(_lines, nights))


def measure(model: str, rows: int, folder: Path, edge: int) -> Night:
    """Three jobs on one index.

    Args:
        edge: Pixels of an image's side, 0 for products without.
    """
    catalog, data_dir = write_catalog(folder, rows, edge=edge), folder / "data"
    first = _run("first", run_job(catalog, model, data_dir))
    unchanged = _run("unchanged", run_job(catalog, model, data_dir))
    change(catalog, rows, edge)
    nightly = _run("nightly", run_job(catalog, model, data_dir, "--prune"))
    return Night(rows, bool(edge), first, unchanged, nightly)


def change(catalog: Path, rows: int, edge: int) -> None:
    """A night's changes, written over the catalog: prices, new rows, rows that go, and new photos in old files."""
    prices, new, gone, photos = (max(1, number * rows // USUAL) for number in (PRICES, NEW, GONE, PHOTOS))
    kept = [json.loads(line) for line in catalog.read_text(encoding="utf-8").splitlines()][gone:]
    for row in kept[:prices]:
        row["price"] += 1
    if edge:
        for number, row in enumerate(kept[-photos:]):
            write_image(catalog.parent / row["image"], edge, np.random.default_rng((1, number)))
    added = synthetic_rows(catalog.parent, range(rows, rows + new), edge=edge, words=True)
    catalog.write_text("".join(json.dumps(row) + "\n" for row in [*kept, *added]), encoding="utf-8")


def _run(kind: str, job: Job) -> MeasuredRun:
    report = job.report
    return MeasuredRun(
        kind,
        round(job.seconds, 3),
        report.indexed,
        report.updated,
        report.unchanged,
        report.deleted,
        report.embedded_images,
        report.embedded_texts,
    )


def _lines(night: Night) -> str:
    what = "with" if night.images else "without"
    head = f"{night.rows:,} products {what} images; seconds from start to end of the process"
    columns = f"  {'':<10}{'seconds':>9}{'times':>8}{'indexed':>9}{'updated':>9}{'unchanged':>11}{'deleted':>9}"
    lines = [head, f"{columns}{'images':>10}{'texts':>8}"]
    for run in (night.first, night.unchanged, night.nightly):
        times = night.first.seconds / run.seconds
        lines.append(
            f"  {run.kind:<10}{run.seconds:>9.1f}{times:>8.1f}{run.indexed:>9}{run.updated:>9}{run.unchanged:>11}"
            f"{run.deleted:>9}{run.embedded_images:>10}{run.embedded_texts:>8}"
        )
    return "\n".join(lines)
