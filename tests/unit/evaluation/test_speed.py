from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo.drawn import write_drawn_catalog
from evaluation.benchmarks.speed import IngestSpeed, Turns, image_paths, images_only, ingest_lines
from evaluation.benchmarks.synthetic import write_catalog
from schemas import ConfigurationError


def test_the_bound_of_an_ingest_is_two_cores_decoding_and_computing() -> None:
    # 100 images: 1 s of forward pass on both cores, 1 s of decoding on either.
    assert Turns(forward=[100], job=[50]).of_bound([50]) == pytest.approx(1)
    assert Turns(forward=[30], job=[15]).of_bound([1e9]) == pytest.approx(0.5)


def test_ratios_are_formed_within_a_turn_since_machines_drift() -> None:
    turns = Turns(forward=[30, 60, 15], job=[30, 60, 15])
    assert turns.of_plain([10, 20, 5]) == 3
    assert turns.of_bound([1e9, 1e9, 1e9]) == pytest.approx(1)


def test_images_are_measured_once_each_and_without_words(tmp_path: Path) -> None:
    catalog = write_catalog(tmp_path / "catalog", 5, edge=32)
    rows = [json.loads(line) for line in catalog.read_text().splitlines()]
    catalog.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {**rows[0], "id": "again"}]))
    copy = images_only(catalog, tmp_path / "copy")
    alone = [json.loads(line) for line in copy.read_text().splitlines()]
    assert [set(row) for row in alone] == [{"id", "image"}] * 5
    assert [(copy.parent / row["image"]).read_bytes() for row in alone] == [
        (catalog.parent / row["image"]).read_bytes() for row in rows
    ]


def test_the_table_of_an_ingest_says_what_was_asked_for_and_why_there_is_no_int8() -> None:
    speed = IngestSpeed("clip", 384, None, "too few images", decode=[200.0], plain=[13.0])
    speed.precisions = {"bfloat16": Turns([34.0], [31.0])}
    *lines, last = ingest_lines(speed)
    assert lines[-1].split() == ["bfloat16", "34.0", "31.3", "31.0", "0.99", "2.38", "0.95,", "2.3x"]
    assert last == "  not in int8: too few images"


def test_images_to_measure_with_are_those_of_the_catalog(tmp_path: Path) -> None:
    paths = image_paths(write_drawn_catalog(tmp_path))
    assert len(paths) == 48
    assert all(path.is_file() for path in paths)


def test_a_catalog_without_images_is_nothing_to_measure_with(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.jsonl"
    catalog.write_text(json.dumps({"id": "a", "title": "A"}))
    with pytest.raises(ConfigurationError, match="no images"):
        image_paths(catalog)
