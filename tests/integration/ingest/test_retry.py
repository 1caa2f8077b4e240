"""``--rejects FILE``: exactly the rejected rows are tried again, and their paths mean what they meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.settings import IngestSettings
from schemas import CatalogError, ConfigurationError, IngestReport
from tests.integration.ingest.jobs import draw, indexed, ingest, rejects, write_rows
from tests.support.image_server import image_server
from tests.support.images import photo


@pytest.fixture
def first(tmp_path: Path) -> IngestReport:
    """A run of a catalog with two good rows, and one of each kind that is rejected."""
    shop = tmp_path / "shop"
    draw(shop / "good.png")
    rows: list[dict[str, Any]] = [
        {"id": "good", "title": "Good", "image": "good.png"},
        {"id": "other", "title": "Other"},
        {"id": "late", "title": "Comes late", "image": "pictures/late.png"},
        {"id": "alone", "image": "pictures/alone.png"},
        {"id": "price", "description": {"de": "Sieben"}, "price": "cheap"},
        {"id": "good", "title": "The same id again"},
    ]
    catalog = write_rows(shop / "catalog.jsonl", rows)
    catalog.write_text(catalog.read_text() + '{"id": "torn", "tit\n')
    report = ingest(catalog, tmp_path / "data")
    assert (report.read, report.indexed, report.rejected, report.degraded) == (7, 3, 4, 1)
    return report


def _retry(first: IngestReport, tmp_path: Path) -> IngestReport:
    return ingest(None, tmp_path / "data", rejects=first.rejects_file)


def test_rows_whose_images_came_are_indexed_wherever_the_job_runs(
    first: IngestReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    draw(tmp_path / "shop" / "pictures" / "late.png", "blue")
    draw(tmp_path / "shop" / "pictures" / "alone.png", "green")
    report = _retry(first, tmp_path)
    assert (report.read, report.indexed, report.rejected, report.degraded) == (5, 2, 3, 0)
    after = indexed(tmp_path / "data")
    assert set(after) == {"good", "other", "late", "alone"}
    assert after["late"].payload["root"] == str(tmp_path / "shop")
    assert after["good"].payload["product"]["title"] == "Good"
    assert [(r.line, r.id, r.code) for r in rejects(report)] == [
        (5, "price", "row-invalid"),
        (6, "good", "row-repeated"),
        (7, None, "row-unreadable"),
    ]


def test_rows_that_somebody_mended_are_indexed(first: IngestReport, tmp_path: Path) -> None:
    assert first.rejects_file
    lines = [json.loads(line) for line in Path(first.rejects_file).read_text().splitlines()]
    for line in lines:
        if line["id"] == "price":
            line["content"]["description"] = "Seven"
        if line["id"] is None:
            line["content"] = '{"id": "torn", "title": "Whole again"}'
    mended = tmp_path / "mended.jsonl"
    mended.write_text("".join(json.dumps(line) + "\n" for line in lines if line["id"] in ("price", None)))
    report = ingest(None, tmp_path / "data", rejects=mended)
    assert (report.read, report.indexed, report.rejected) == (2, 2, 0)
    assert {"price", "torn"} < set(indexed(tmp_path / "data"))


def test_what_is_rejected_again_can_be_tried_a_third_time(first: IngestReport, tmp_path: Path) -> None:
    second = _retry(first, tmp_path)
    assert (second.read, second.unchanged, second.rejected) == (5, 1, 4)
    draw(tmp_path / "shop" / "pictures" / "alone.png")
    third = _retry(second, tmp_path)
    assert (third.read, third.indexed, third.rejected, third.degraded) == (5, 1, 3, 1)


def test_a_retry_never_takes_the_place_of_the_index_that_serves(first: IngestReport, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"crops per image.*--crops"):
        ingest(None, tmp_path / "data", rejects=first.rejects_file, crops=True)
    assert len(indexed(tmp_path / "data")) == first.indexed


def test_pruning_is_refused(first: IngestReport, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="--prune goes with a whole catalog"):
        IngestSettings(rejects=Path("r.jsonl"), prune=True, data_dir=tmp_path, qdrant_url=None)


def test_a_line_that_a_killed_job_left_half_written_costs_no_other_line(first: IngestReport, tmp_path: Path) -> None:
    assert first.rejects_file
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(Path(first.rejects_file).read_bytes() + b'{"line": 8, "id": "half')
    draw(tmp_path / "shop" / "pictures" / "alone.png")
    report = ingest(None, tmp_path / "data", rejects=torn)
    assert (report.read, report.indexed, report.unchanged, report.rejected) == (6, 1, 1, 4)
    (half,) = [r.content for r in rejects(report) if r.code == "row-unreadable" and r.line != 7]
    assert half == '{"line": 8, "id": "half'
    assert ingest(None, tmp_path / "data", rejects=report.rejects_file).read == 5


def test_the_longest_row_that_a_reader_takes_can_be_tried_again(tmp_path: Path) -> None:
    quotes = '\\"' * 4_900_000
    catalog = tmp_path / "c.jsonl"
    catalog.write_text(f'{{"id": "a", "title": "x", "price": "{quotes}", "deep": {"[" * 70}{"]" * 70}}}\n')
    first = ingest(catalog, tmp_path / "data")
    again = ingest(None, tmp_path / "data", rejects=first.rejects_file)
    assert (again.read, again.rejects) == (1, {"value-unusable": 1})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"id": "a", "title": "x"}\n', "is no rejects file: line 1"),
        ('{"line": 1, "code": "x", "reason": "y"}\n', "older version"),
        ("", "has no rows"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "r.jsonl").write_text(text)
    with pytest.raises(CatalogError, match=says):
        ingest(None, tmp_path / "data", rejects=tmp_path / "r.jsonl")


def test_rows_of_two_places_are_refused(tmp_path: Path) -> None:
    line = {"line": 1, "code": "x", "reason": "y", "content": {"id": "a", "title": "x"}}
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(line | {"root": root}) + "\n" for root in ("/a", "/b")))
    with pytest.raises(CatalogError, match="2 places"):
        ingest(None, tmp_path / "data", rejects=tmp_path / "r.jsonl")


def test_a_image_that_a_server_gave_half_is_asked_for_again(tmp_path: Path) -> None:
    """That it is kept, and young, must not keep it from being mended."""
    whole = photo()
    with image_server() as server:
        url = server.gives("/a.jpg", whole[: len(whole) // 2])
        rows = [{"id": str(at), "title": "Tee", "image": url} for at in range(3)]
        catalog = write_rows(tmp_path / "c.jsonl", rows)
        first = ingest(catalog, tmp_path / "data", picture_private_addresses=True)
        assert (first.degraded, first.rejects) == (3, {"picture-damaged": 3})
        server.gives("/a.jpg", whole)
        again = ingest(None, tmp_path / "data", rejects=first.rejects_file, picture_private_addresses=True)
        assert (again.indexed, again.degraded) == (3, 0)
        assert ingest(catalog, tmp_path / "data", picture_private_addresses=True).unchanged == 3
