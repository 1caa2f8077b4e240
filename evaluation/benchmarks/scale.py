"""Memory, rate and size of ingests from a thousand to a hundred thousand rows.

The model costs next to nothing and makes vectors as long as those of CLIP ViT-B/32: what is measured is everything
around a model. A real one adds its own memory, the same for any number of rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from evaluation.benchmarks.jobs import Job, Memory, run_job
from evaluation.benchmarks.random_clip import make_clip
from evaluation.benchmarks.synthetic import write_catalog

ROWS = (1_000, 10_000, 100_000)
EDGE = 64
_MB, _GB = 1e6, 1e9


@dataclass(frozen=True, slots=True)
class MeasuredScale:
    """One ingest into an empty index; bytes and seconds."""

    rows: int
    seconds: float
    stages: dict[str, float]
    peak_own: int
    peak_resident: int
    size: int
    parts: dict[str, int]
    """Bytes of the index by what they are of, largest first."""
    memory: list[Memory]

    @property
    def rate(self) -> float:
        """Rows a second of reading, embedding and writing: without loading the model and building the graph."""
        return self.rows / (self.seconds - self.build - self.stages.get("start", 0.0))

    @property
    def build(self) -> float:
        return self.stages.get("optimize", 0.0)


def report(rows: Sequence[int], plot: Path | None, *, as_json: bool) -> str:
    """Text, or a JSON list; and memory over time drawn into the file ``plot``, whose ending says its format."""
    scales = []
    with TemporaryDirectory(prefix="storelens-scale-") as name:
        folder = Path(name)
        model = make_clip(folder / "tiny", "tiny-512")
        for count in rows:
            scales.append(measure(str(model), count, folder / str(count)))
    if plot:
        draw(scales, plot)
    return json.dumps([asdict(scale) for scale in scales]) if as_json else "\n".join(_lines(scales))


def measure(model: str, rows: int, folder: Path) -> MeasuredScale:
    """An ingest of as many made-up products with a small image each."""
    catalog, data_dir = write_catalog(folder, rows, edge=EDGE), folder / "data"
    job: Job = run_job(catalog, model, data_dir)
    parts = sizes(data_dir)
    return MeasuredScale(
        rows=rows,
        seconds=job.seconds,
        stages=job.report.stages,
        peak_own=job.peak.own,
        peak_resident=max(sample.resident for sample in job.memory),
        size=sum(parts.values()),
        parts=parts,
        memory=job.memory,
    )


def sizes(data_dir: Path) -> dict[str, int]:
    """Bytes on disk, not those that sparse files only promise, by the folder of a segment that holds them."""
    parts: dict[str, int] = {}
    for path in data_dir.rglob("*"):
        if path.is_file() and not path.is_symlink():
            folders = path.relative_to(data_dir).parts
            inside = folders[folders.index("segments") + 2 :] if "segments" in folders else folders[-2:]
            part = inside[0] if len(inside) > 1 else "other files"
            parts[part] = parts.get(part, 0) + path.stat().st_blocks * 512
    return dict(sorted(parts.items(), key=lambda item: -item[1]))


def draw(scales: Sequence[MeasuredScale], plot: Path) -> None:
    """Memory of each ingest over its time, and the peaks by rows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    over_time, by_rows = figure.subplots(1, 2, sharey=True)
    for scale in scales:
        times = [sample.seconds / scale.seconds for sample in scale.memory]
        over_time.plot(times, [sample.own / _MB for sample in scale.memory], label=f"{scale.rows:,} rows")
    over_time.set(xlabel="share of the job's time", ylabel="memory of the job's processes, MB", ylim=(0, None))
    over_time.legend()
    by_rows.plot([scale.rows for scale in scales], [scale.peak_own / _MB for scale in scales], "o-")
    by_rows.set(xlabel="rows", ylabel="peak", xscale="log")
    figure.savefig(plot)


def _lines(scales: Sequence[MeasuredScale]) -> list[str]:
    lines = [
        "ingest of made-up products with words and an image, tiny model, vectors of 512",
        f"{'rows':>9}{'peak MB':>9}{'resident':>10}{'rows/s':>8}{'seconds':>9}{'build s':>9}{'index MB':>10}",
    ]
    lines += [
        f"{scale.rows:>9,}{scale.peak_own / _MB:>9,.0f}{scale.peak_resident / _MB:>10,.0f}{scale.rate:>8,.0f}"
        f"{scale.seconds:>9.1f}{scale.build:>9.1f}{scale.size / _MB:>10,.0f}"
        for scale in scales
    ]
    largest = max(scales, key=lambda scale: scale.rows)
    stages = sorted(largest.stages.items(), key=lambda item: -item[1])
    return [
        *lines,
        f"of {largest.rows:,} rows",
        "  seconds: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in stages if seconds >= 0.05),
        "  bytes: " + ", ".join(f"{part} {size / largest.size:.0%}" for part, size in list(largest.parts.items())[:8]),
        f"  a million products: {largest.size / largest.rows * 1e6 / _GB:.1f} GB",
    ]
