"""The first reading: what kind each field is, how many rows, how many words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from catalog import point_id
from ingest.intake import Entry, Intake
from ingest.readers import open_catalog
from ingest.scan import scan
from ingest.settings import IngestSettings
from schemas import Rejection

ROWS: list[dict[str, Any]] = [
    {"id": "a", "title": "one two three", "size": 1, "weight": 1, "eco": True, "mixed": 1},
    {"id": "b", "title": "one", "size": 2, "weight": 2.5, "eco": False, "mixed": "x"},
    {"id": "a", "title": "a repeated id", "size": "counts for nothing"},
    {"id": "c", "price": "no product either", "eco": "counts for nothing"},
]


def _reader(folder: Path, rows: list[dict[str, Any]]) -> Any:
    path = folder / "c.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "broken\n")
    return open_catalog(IngestSettings(catalog=str(path)))


def test_fields_have_the_narrowest_kind_that_holds_the_values_of_products(tmp_path: Path) -> None:
    found = scan(_reader(tmp_path, ROWS))
    assert (found.rows, found.products) == (5, 2)
    kinds = {name: found.fields[name] for name in ("size", "weight", "eco", "mixed", "price", "tags")}
    assert kinds == {
        "size": "integer",
        "weight": "float",
        "eco": "bool",
        "mixed": "keyword",
        "price": "float",
        "tags": "keyword",
    }


def test_words_are_averaged_over_products_and_never_none(tmp_path: Path) -> None:
    assert scan(_reader(tmp_path, [{"id": "a", "image": "a.png"}])).average_words == 1
    rows = [{"id": "a", "description": "one two three"}, {"id": "b", "description": "one"}]
    assert scan(_reader(tmp_path, rows)).average_words == 2
    assert scan(_reader(tmp_path, [])).products == 0


def test_the_first_product_of_an_id_counts_and_every_readable_id_was_seen(tmp_path: Path) -> None:
    rows = [{"id": "c", "price": "x"}, {"id": "c", "title": "mended"}, *ROWS]
    intake = Intake(_reader(tmp_path, rows))
    items = list(intake)
    assert [item.product.title for item in items if isinstance(item, Entry)] == ["mended", "one two three", "one"]
    assert [(item.id, item.code) for item in items if isinstance(item, Rejection)] == [
        ("c", "row-invalid"),
        ("a", "row-repeated"),
        ("c", "row-invalid"),
        (None, "row-unreadable"),
    ]
    assert all(intake.has_seen(point_id(id)) for id in "abc")
    assert not intake.has_seen(point_id("d"))
