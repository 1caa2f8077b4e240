"""The first pass: how many rows, how many words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from catalog import point_id
from images import ImageLimits, open_root
from ingest.catalog import Catalog, open_catalog
from ingest.scan import Scan, Scanner
from ingest.second_pass import catalog_rows
from ingest.settings import IngestSettings
from schemas import Rejection

ROWS: list[dict[str, Any]] = [
    {"id": "a", "title": "one two three"},
    {"id": "b", "title": "one"},
    {"id": "a", "title": "a repeated id"},
    {"id": "c", "price": "no product either"},
]


def _reader(folder: Path, rows: list[dict[str, Any]]) -> Catalog:
    path = folder / "c.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "broken\n")
    return open_catalog(IngestSettings(catalog=str(path)))


def _scan(reader: Catalog) -> tuple[Scan, list[Rejection]]:
    rejected: list[Rejection] = []
    return Scanner(reader, None, open_root(reader.root, ImageLimits()).version_tag, rejected.append).run(), rejected


def test_rows_and_products_are_counted(tmp_path: Path) -> None:
    found, _ = _scan(_reader(tmp_path, ROWS))
    assert (found.rows, found.products) == (5, 2)


def test_words_are_averaged_over_products_and_never_none(tmp_path: Path) -> None:
    assert _scan(_reader(tmp_path, [{"id": "a", "image": "a.png"}]))[0].average_words == 1
    rows = [{"id": "a", "description": "one two three"}, {"id": "b", "description": "one"}]
    assert _scan(_reader(tmp_path, rows))[0].average_words == 2
    assert _scan(_reader(tmp_path, []))[0].products == 0


def test_the_first_product_of_an_id_counts_and_every_readable_id_was_seen(tmp_path: Path) -> None:
    rows = [{"id": "c", "price": "x"}, {"id": "c", "title": "mended"}, *ROWS]
    reader = _reader(tmp_path, rows)
    found, rejected = _scan(reader)
    assert [row.product.title for row in catalog_rows(reader, found.todo)] == ["mended", "one two three", "one"]
    assert [(item.id, item.code) for item in rejected] == [
        ("c", "row-invalid"),
        ("a", "row-repeated"),
        ("c", "row-invalid"),
        (None, "row-unreadable"),
    ]
    assert all(found.has_seen(point_id(id)) for id in "abc")
    assert not found.has_seen(point_id("d"))


def test_some_rows_are_of_all_parts_of_the_catalog(tmp_path: Path) -> None:
    found, _ = _scan(_reader(tmp_path, [{"id": str(number), "title": "x"} for number in range(100)]))
    chosen = [row for row, todo in enumerate(found.some(10)) if todo]
    assert chosen == list(range(0, 100, 10))
    assert found.some(1_000) == found.todo
