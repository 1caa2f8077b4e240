"""The job that runs every night: what changed is done and nothing else, and what would be done can be told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from schemas import CatalogError, IngestReport
from tests.integration.ingest.jobs import draw, generation, indexed, ingest, write_rows
from tests.support.encoders import HashEncoder, Unloadable

COUNT = 100


class Night:
    """A catalog of many rows, each with an image that has lain there since yesterday."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.rows: dict[str, dict[str, Any]] = {}
        for number in range(COUNT):
            self.add(number)

    def add(self, number: int) -> None:
        self.photograph(number, f"#{number * 7919 % 0xFFFFFF:06x}")
        row = {"id": str(number), "title": f"Product {number}", "image": f"p/{number}.png", "price": 10.0 + number}
        self.rows[str(number)] = row

    def photograph(self, number: int, color: str) -> None:
        path = draw(self.folder / "p" / f"{number}.png", color)
        os.utime(path, ns=(1, 10**18 + int(color[1:], 16)))

    def ingest(self, **options: Any) -> IngestReport:
        return ingest(write_rows(self.folder / "c.jsonl", self.rows.values()), self.data, **options)


@pytest.fixture
def night(tmp_path: Path) -> Night:
    night = Night(tmp_path)
    report = night.ingest()
    assert (report.indexed, report.embedded_images) == (COUNT, COUNT)
    return night


def _change(night: Night) -> None:
    for number in range(20, 26):
        night.rows[str(number)]["price"] = 1.0
    for number in range(COUNT, COUNT + 4):
        night.add(number)
    for number in range(5):
        del night.rows[str(number)]
    for number in (50, 51, 52):
        night.photograph(number, "#ffffff")
    night.rows["60"]["title"] = "Renamed"


def _counts(report: IngestReport) -> tuple[int, ...]:
    return (
        *(report.read, report.indexed, report.updated, report.unchanged, report.deleted),
        *(report.embedded_images, report.embedded_texts),
    )


# Three new photos of one colour are one picture: embedded once.
EXPECTED = (COUNT - 1, 4 + 3 + 1, 6, COUNT - 5 - 6 - 3 - 1, 5, 4 + 1, 4 + 1)


def test_a_night_does_what_changed_and_nothing_else(night: Night) -> None:
    _change(night)
    assert _counts(night.ingest(prune=True)) == EXPECTED
    after = indexed(night.data)
    assert set(after) == set(night.rows)
    assert after["20"].payload["fields"]["price"] == 1.0
    white = HashEncoder().encode_images([Image.new("RGB", (20, 20), "white")])
    assert all(np.allclose(after[id].vectors["image"], white, atol=1e-5) for id in ("50", "51", "52"))
    assert _counts(night.ingest(prune=True)) == (COUNT - 1, 0, 0, COUNT - 1, 0, 0, 0)


def test_a_dry_run_says_what_a_night_will_do_and_does_nothing(night: Night) -> None:
    _change(night)
    served = generation(night.data)
    before = indexed(night.data)
    files = set(night.data.rglob("*"))
    dry_run = night.ingest(prune=True, dry_run=True, encoder=Unloadable())
    assert dry_run.dry_run
    assert _counts(dry_run) == EXPECTED
    assert generation(night.data) == served == dry_run.generation
    assert indexed(night.data).keys() == before.keys()
    assert set(night.data.rglob("*")) == files
    assert _counts(night.ingest(prune=True)) == EXPECTED


def test_a_dry_run_of_a_first_ingest_makes_no_index(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    (tmp_path / "bad.png").write_text("no image")
    rows: list[dict[str, Any]] = [{"id": "a", "title": "A", "image": "a.png"}, {"id": "b", "image": "bad.png"}]
    report = ingest(write_rows(tmp_path / "c.jsonl", rows), tmp_path / "data", dry_run=True, encoder=Unloadable())
    assert (report.indexed, report.rejected, report.embedded_images, report.embedded_texts) == (1, 1, 1, 1)
    assert generation(tmp_path / "data") is None


def test_unchanged_rows_are_not_even_made_products(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("an unchanged row was looked at again")

    monkeypatch.setattr("ingest.scan.product_from_row", never)
    monkeypatch.setattr("images.roots.read_image", never)
    assert night.ingest().unchanged == COUNT


def test_files_that_were_only_touched_are_read_again_and_nothing_is_written(night: Night) -> None:
    served = generation(night.data)
    for path in (night.folder / "p").iterdir():
        os.utime(path, (5, 5))
    report = night.ingest(encoder=Unloadable())
    assert (report.unchanged, report.indexed, report.updated) == (COUNT, 0, 0)
    assert generation(night.data) == served
    assert not (night.data / "products" / "building").exists()


def test_pruning_more_than_a_fifth_asks_for_force_and_changes_nothing(night: Night) -> None:
    served = generation(night.data)
    for number in range(COUNT // 5 + 1):
        del night.rows[str(number)]
    with pytest.raises(CatalogError, match=rf"delete {COUNT // 5 + 1} of {COUNT} products, more than a fifth.*--force"):
        night.ingest(prune=True)
    assert generation(night.data) == served
    assert night.ingest(prune=True, force=True).deleted == COUNT // 5 + 1
    assert set(indexed(night.data)) == set(night.rows)


def test_a_catalog_that_moved_writes_payloads_alone(night: Night, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    (night.folder / "p").rename(moved / "p")
    catalog = write_rows(moved / "c.jsonl", night.rows.values())
    report = ingest(catalog, night.data, encoder=Unloadable())
    assert (report.updated, report.embedded_images) == (COUNT, 0)
    assert ingest(catalog, night.data).unchanged == COUNT
