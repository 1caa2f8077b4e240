from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.clicks import read_clicks
from schemas import ConfigurationError


def written(tmp_path: Path, *clicks: dict[str, Any]) -> Path:
    path = tmp_path / "clicks.jsonl"
    path.write_text("".join(json.dumps(click) + "\n" for click in clicks), encoding="utf-8")
    return path


def test_products_are_graded_by_how_often_they_were_chosen(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"query": "Red  Mug", "id": "a", "clicks": 9, "at": "2026-11-01"},
        {"text": "red mug", "product_id": " b ", "clicks": 6},
        *[{"q": "RED MUG", "id": "c"}] * 3,
        {"query": "red mug", "id": "d", "clicks": 2},
        {"query": "red mug", "id": "slip"},
        {"query": "sofa", "id": "e", "clicks": 30},
        {"query": "lamp", "id": "f"},
        {"query": " ", "id": "f", "clicks": 4},
        {"query": "x" * 5_000, "id": "f", "clicks": 5},
    )
    found = read_clicks(path)
    sofa, mug = found.queries
    assert (sofa.query, sofa.frequency, sofa.relevant) == ("sofa", 30, {"e": 3})
    assert (mug.query, mug.frequency, mug.kind) == ("Red Mug", 21, "clicked")
    assert mug.relevant == {"a": 3, "b": 3, "c": 2, "d": 1}
    assert (found.clicks, found.left_out) == (61, 11)
    assert [query.query for query in read_clicks(path, fewest=1).queries] == ["sofa", "Red Mug", "lamp"]


@pytest.mark.parametrize(
    ("click", "reason"),
    [
        ({"query": "mug"}, "line 2: id: .*required"),
        ({"id": "a"}, "line 2: query: .*required"),
        ({"query": "mug", "id": ""}, "line 2: id: "),
        ({"query": "mug", "id": "a", "clicks": 0}, "line 2: clicks: .*greater"),
        ({"query": "mug", "id": "a", "clicks": 1.5}, "line 2: clicks: .*integer"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, click: dict[str, Any], reason: str) -> None:
    path = written(tmp_path, {"query": "mug", "id": "a", "clicks": 3}, click)
    with pytest.raises(ConfigurationError, match=reason):
        read_clicks(path)


def test_a_log_of_slips_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no product was clicked 2 times"):
        read_clicks(written(tmp_path, {"query": "mug", "id": "a"}))
