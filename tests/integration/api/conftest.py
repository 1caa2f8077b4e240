"""Two small indexes, made once: the drawn catalog, and products with awkward ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from demo.drawn import write_drawn_catalog
from tests.support.images import photo
from tests.support.serving import client, ingest

AWKWARD = ["a/b", "ä ü 毛", "50%", "100%25", "v1.2..x", "a?b#c", "../../etc/passwd", 'q"\\uote', "a+b&c", "/"]


@dataclass(frozen=True)
class Drawn:
    catalog: Path
    data: Path
    rows: list[dict[str, Any]]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("drawn")
    catalog = write_drawn_catalog(folder / "catalog")
    ingest(catalog, folder / "data")
    rows = [json.loads(line) for line in catalog.read_text(encoding="utf-8").splitlines()]
    return Drawn(catalog, folder / "data", rows)


@pytest.fixture(scope="session")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Products whose ids are ``AWKWARD``, an image each; and ``replaced``, whose image a test may swap."""
    folder = tmp_path_factory.mktemp("awkward")
    rows = [{"id": id, "title": f"Vase {n}", "image": "vase.jpg"} for n, id in enumerate(AWKWARD)]
    rows.append({"id": "replaced", "title": "Vase", "image": "replaced.jpg"})
    for name in ("vase.jpg", "replaced.jpg"):
        (folder / name).write_bytes(photo())
    catalog = folder / "catalog.jsonl"
    catalog.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = ingest(catalog, folder / "data")
    assert (report.indexed, report.degraded) == (len(rows), 0)
    return folder


@pytest.fixture(scope="module")
def api(drawn: Drawn) -> Iterator[TestClient]:
    with client(drawn.data) as opened:
        yield opened
