"""The whole job does the same on every engine: embedded, emulated, and a server where there is one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog import point_id
from index import DENSE, Stored, all_points
from index.protocols import IndexStore
from tests.integration.index.conftest import engine, store
from tests.integration.ingest.jobs import draw, ingest, write_rows
from tests.support.encoders import HashEncoder, Unloadable

__all__ = ["engine", "store"]  # the fixtures

Rows = list[dict[str, Any]]


def _held(store: IndexStore) -> dict[str, Stored]:
    with closing(store.open()) as index:
        stored = index.fetch(list(all_points(index)), vectors=DENSE)
    return {one.payload["id"]: one for one in stored.values()}


def test_nights_of_a_shop(store: IndexStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.job.open_store", lambda _: store)
    for color in ("red", "green", "blue", "yellow"):
        draw(tmp_path / f"{color}.png", color)
    rows: Rows = [
        {"id": str(number), "title": f"Product {number}", "price": 10.0 + number, "image": "red.png"}
        for number in range(20)
    ]
    rows[1]["images"] = ["green.png", "gone.png", "blue.png"]

    def night(**options: Any) -> tuple[int, ...]:
        report = ingest(write_rows(tmp_path / "c.jsonl", rows), tmp_path / "data", **options)
        return (report.indexed, report.updated, report.unchanged, report.deleted, report.embedded_images)

    assert night(dry_run=True) == (20, 0, 0, 0, 3)
    assert night() == (20, 0, 0, 0, 3)  # one red image for twenty products
    assert night(encoder=Unloadable()) == (0, 0, 20, 0, 0)

    rows[2]["price"] = 1.0
    rows[3]["title"] = "Renamed"
    rows[4]["image"] = "yellow.png"
    rows[5:7] = [{"id": "new", "title": "New", "image": "blue.png"}]
    assert night(prune=True) == (3, 1, 15, 2, 1)
    held = _held(store)
    assert set(held) == {row["id"] for row in rows}
    assert held["2"].payload["fields"]["price"] == 1.0
    assert [image["at"] for image in held["1"].payload["pictures"]] == [0, 1, 3]
    assert np.allclose(held["new"].vectors["image"][0], held["1"].vectors["image"][2], atol=1e-5)

    class Otherwise(HashEncoder):
        spec = HashEncoder.spec.model_copy(update={"fingerprint": "other weights"})

    assert night(encoder=Otherwise()) == (19, 0, 0, 0, 4)
    assert [generation.serving for generation in store.generations()] == [False, True]
    store_before = store.generations()[0].name
    with store.lock():
        store.switch(store_before)
    with closing(store.open()) as index:
        assert index.record.embedding.fingerprint == HashEncoder.spec.fingerprint
        assert point_id("new") in index.fetch([point_id("new")])
