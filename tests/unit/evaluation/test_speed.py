from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.drawn import write_drawn_catalog
from evaluation.quality import Quality, table
from evaluation.speed import IngestSpeed, picture_paths
from schemas import ConfigurationError


def test_the_bound_of_an_ingest_is_two_cores_decoding_and_computing() -> None:
    # 100 pictures: 1 s of forward pass on both cores, 1 s of decoding on either.
    assert IngestSpeed(forward=100, decode=50, steady=40, with_words=35, stages={}).bound == pytest.approx(50)
    assert IngestSpeed(forward=30, decode=1e9, steady=0, with_words=0, stages={}).bound == pytest.approx(30)


def test_pictures_to_measure_with_are_those_of_the_catalog(tmp_path: Path) -> None:
    paths = picture_paths(write_drawn_catalog(tmp_path))
    assert len(paths) == 48
    assert all(path.is_file() for path in paths)


def test_a_catalog_without_pictures_is_nothing_to_measure_with(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.jsonl"
    catalog.write_text(json.dumps({"id": "a", "title": "A"}))
    with pytest.raises(ConfigurationError, match="no pictures"):
        picture_paths(catalog)


def test_a_table_has_a_line_a_system_and_names_a_kind_once() -> None:
    rows = [Quality("title", "fused", 3, 1.0, 0.5), Quality("title", "lexical", 3, 0.25, 1.0)]
    assert [line.split() for line in table(rows).splitlines()] == [
        ["kind", "system", "queries", "nDCG@10", "Recall@10"],
        ["title", "fused", "3", "1.000", "0.500"],
        ["lexical", "3", "0.250", "1.000"],
    ]
    assert len({len(line) for line in table(rows).splitlines()}) == 1
