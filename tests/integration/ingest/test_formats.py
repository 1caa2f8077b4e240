"""A catalog in every format ends in the same index."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from catalog.drawn import write_drawn_catalog
from tests.integration.ingest.jobs import draw, indexed, ingest, rejects


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_catalog(tmp_path_factory.mktemp("drawn"))


def _rows(catalog: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in catalog.read_text().splitlines()]


def _as_csv(catalog: Path) -> Path:
    rows = _rows(catalog)
    with (path := catalog.with_suffix(".csv")).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow({name: "|".join(v) if isinstance(v, list) else v for name, v in row.items()})
    return path


def _as_parquet(catalog: Path) -> Path:
    rows = [
        row | {"color": row["color"] if isinstance(row["color"], list) else [row["color"]]} for row in _rows(catalog)
    ]
    parquet.write_table(pa.Table.from_pylist(rows), catalog.with_suffix(".parquet"), row_group_size=10)
    return catalog.with_suffix(".parquet")


def test_jsonl_csv_and_parquet_make_the_same_index(drawn: Path, tmp_path: Path) -> None:
    contents = {}
    for catalog in (drawn, _as_csv(drawn), _as_parquet(drawn)):
        data_dir = tmp_path / catalog.suffix
        report = ingest(catalog, data_dir)
        assert (report.read, report.indexed, report.degraded) == (48, 48, 0)
        contents[catalog.suffix] = indexed(data_dir)
    first = contents[".jsonl"]
    assert len(first) == 48
    for other in contents.values():
        for id, stored in first.items():
            assert other[id].payload == stored.payload
            for name, vector in stored.vectors.items():
                assert other[id].vectors[name] == pytest.approx(vector, abs=1e-6)


def test_every_product_has_its_vectors_and_its_folder(drawn: Path, tmp_path: Path) -> None:
    ingest(drawn, tmp_path)
    for stored in indexed(tmp_path).values():
        assert {name: vector.shape for name, vector in stored.vectors.items()} == {
            "image": (1, 32),
            "title": (32,),
            "text": (32,),
        }
        assert Path(stored.payload["root"]) == drawn.parent


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    draw(photos / "shoes" / "red-shoe_02.png")
    draw(photos / "blue hat.png", "blue")
    (photos / "broken.jpg").write_text("no picture")
    report = ingest(photos, tmp_path / "data")
    assert (report.read, report.indexed, report.degraded) == (3, 3, 1)
    products = {id: stored.payload["product"]["title"] for id, stored in indexed(tmp_path / "data").items()}
    assert products == {"shoes/red-shoe_02.png": "red shoe 02", "blue hat.png": "blue hat", "broken.jpg": "broken"}
    assert [(r.id, r.code, r.degraded) for r in rejects(report)] == [("broken.jpg", "not-a-picture", True)]


def test_whole_numbers_are_ids_in_parquet_alone(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"id": [7], "title": ["seven"]}), tmp_path / "c.parquet")
    assert ingest(tmp_path / "c.parquet", tmp_path / "parquet").indexed == 1
    assert set(indexed(tmp_path / "parquet")) == {"7"}
    (tmp_path / "c.jsonl").write_text('{"id": 7, "title": "seven"}\n{"id": "8", "title": "eight"}\n')
    report = ingest(tmp_path / "c.jsonl", tmp_path / "jsonl")
    assert (report.indexed, report.rejected) == (1, 1)
