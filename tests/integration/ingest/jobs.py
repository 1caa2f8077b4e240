"""Jobs with an encoder that needs no torch, and a look into what they wrote."""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from PIL import Image

from catalog import point_id
from embedding.encoder import Encoder
from images import DecodePool
from index import DENSE, Stored, all_points, open_store
from ingest.images import decode_pool
from ingest.job import run
from ingest.settings import IngestSettings
from schemas import IngestReport, Rejection
from tests.support.encoders import HashEncoder

DECODERS = decode_pool()
"""One for all jobs of a test run: to start its processes takes half a second."""
atexit.register(DECODERS.close)


def ingest(
    catalog: Path | str | None,
    data_dir: Path,
    *,
    encoder: Encoder | None = None,
    decoders: DecodePool | None = None,
    **options: Any,
) -> IngestReport:
    """One job; its report's arithmetic is checked, whatever else the test is about."""
    encoder = encoder or HashEncoder()
    catalog = None if catalog is None else str(catalog)
    report = run(
        IngestSettings(catalog=catalog, data_dir=data_dir, qdrant_url=None, **options),
        spec_of=lambda _: encoder.spec,
        encoder_of=lambda _: encoder,
        decoders=decoders or DECODERS,
    )
    assert report.read == report.indexed + report.updated + report.unchanged + report.rejected
    assert sum(report.rejects.values()) == report.rejected + report.degraded == len(rejects(report))
    assert sum(not rejected.degraded for rejected in rejects(report)) == report.rejected
    return report


def rejects(report: IngestReport) -> list[Rejection]:
    if report.rejects_file is None:
        return []
    lines = Path(report.rejects_file).read_text(encoding="utf-8").splitlines()
    return [Rejection.model_validate_json(line) for line in lines]


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def draw(path: Path, color: str = "red") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 20), color).save(path)
    return path


def indexed(data_dir: Path, *ids: str) -> dict[str, Stored]:
    """Points of the serving generation with their vectors, by product id; all of them where none is named."""
    settings = IngestSettings(catalog="unused", data_dir=data_dir, qdrant_url=None)
    with closing(open_store(settings).open()) as index:
        points = [point_id(id) for id in ids] or list(all_points(index))
        return {stored.payload["id"]: stored for stored in index.fetch(points, vectors=DENSE).values()}


def generation(data_dir: Path) -> str | None:
    return open_store(IngestSettings(catalog="unused", data_dir=data_dir, qdrant_url=None)).version()
