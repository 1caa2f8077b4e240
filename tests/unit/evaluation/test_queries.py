from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.queries import read_queries
from schemas import ConfigurationError

GOOD = '{"qid": "1", "kind": "title", "query": "red", "relevant": {"a": 2}, "note": "not read"}'


def test_lines_are_queries_and_blank_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "queries.jsonl"
    path.write_text(f'{GOOD}\n\n{{"qid": "2", "kind": "photo", "image": "a.jpg", "relevant": {{"b": 1}}}}\n')
    first, second = read_queries(path)
    assert (first.qid, first.query, first.relevant) == ("1", "red", {"a": 2})
    assert (second.query, second.image) == (None, "a.jpg")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 2: "),
        ("[]", "line 2: "),
        ('{"qid": "2", "kind": "k", "relevant": {"a": 1}}', "line 2: .*needs a query, an image, or both"),
        ('{"qid": "2", "kind": "k", "query": "", "relevant": {"a": 1}}', "line 2: .*needs a query"),
        ('{"qid": "2", "kind": "k", "query": "x", "relevant": {}}', "line 2: .*at least 1 item"),
        ('{"qid": "2", "kind": "k", "query": "x", "relevant": {"a": "good"}}', "line 2: .*integer"),
        ('{"kind": "k", "query": "x", "relevant": {"a": 1}}', "line 2: .*required"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "queries.jsonl"
    path.write_text(f"{GOOD}\n{line}\n")
    with pytest.raises(ConfigurationError, match=reason):
        read_queries(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"", b"\n \n"], ids=["missing", "not UTF-8", "empty", "blank"])
def test_a_file_without_queries_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "queries.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"queries\.jsonl"):
        read_queries(path)
