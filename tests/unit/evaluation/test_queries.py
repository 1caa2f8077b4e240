from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.queries import read_queries
from schemas import ConfigurationError

GOOD = '{"qid": "1", "kind": "title", "query": "red", "relevant": {"a": 2}, "note": "not read"}'


def test_lines_are_queries_and_blank_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "queries.jsonl"
    (tmp_path / "a.jpg").touch()
    path.write_text(f'{GOOD}\n\n{{"qid": "2", "kind": "photo", "image": "a.jpg", "relevant": {{"b": 1}}}}\n')
    first, second = read_queries(path)
    assert (first.qid, first.query, first.relevant, first.frequency) == ("1", "red", {"a": 2}, 1.0)
    assert (second.query, second.image, second.line) == (None, "a.jpg", 3)


def test_a_query_need_not_be_named_nor_graded_and_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "queries.jsonl"
    row = {"text": "red\u2028mug", "relevant": ["a", "b"], "frequency": 12.5, "filter": {"price": {"lt": 5}}}
    path.write_text("\ufeff" + json.dumps(row, ensure_ascii=False) + "\r\n")
    (query,) = read_queries(path)
    assert (query.qid, query.kind, query.query, query.frequency) == ("line 1", "text", "red\u2028mug", 12.5)
    assert query.relevant == {"a": 1, "b": 1}
    assert query.request(limit=3).model_dump(exclude_defaults=True) == {
        "text": "red mug",
        "filter": {"price": {"lt": 5}},
        "limit": 3,
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 2: "),
        ("[]", "line 2: "),
        ('{"qid": "2", "kind": "k", "relevant": {"a": 1}}', "line 2: .*needs a query, an image, or both"),
        ('{"qid": "2", "kind": "k", "query": "", "relevant": {"a": 1}}', "line 2: .*needs a query"),
        ('{"qid": "2", "kind": "k", "query": "x", "relevant": {}}', "line 2: .*at least 1 item"),
        ('{"qid": "2", "kind": "k", "query": "x", "relevant": {"a": "good"}}', "line 2: .*integer"),
        ('{"qid": "2", "kind": "k", "query": "x", "relevant": {"a": 0}}', "line 2: .*nothing is relevant"),
        ('{"qid": "2", "kind": "k", "query": "x", "relevant": {"a": -1}}', "line 2: relevant.a: .*greater"),
        ('{"qid": "2", "kind": "k", "query": "x", "relevant": {"a": 0.5}}', "line 2: .*integer"),
        ('{"qid": "2", "kind": "k", "query": "x", "relevant": [["a"]]}', "line 2: "),
        ('{"qid": "2", "kind": "k", "query": "x"}', "line 2: relevant: .*required"),
        ('{"qid": "2", "kind": "k", "query": "x", "relevant": ["a"], "frequency": 0}', "line 2: frequency: .*greater"),
        ('{"qid": "2", "kind": "k", "query": "x", "relevant": ["a"], "frequency": NaN}', "line 2: frequency: "),
        ('{"qid": "2", "kind": "k", "query": " ", "relevant": ["a"]}', "line 2: .*blank"),
        ('{"qid": "2", "kind": "k", "query": "%s", "relevant": ["a"]}' % ("x" * 5000), "line 2: .*4000"),
        ('{"qid": "2", "kind": "k", "query": "\\ud800", "relevant": ["a"]}', "line 2: "),
        ('{"qid": "2", "kind": "k", "image": "none.jpg", "relevant": ["a"]}', "line 2: there is no image none.jpg"),
        ('{"qid": "1", "kind": "k", "query": "x", "relevant": ["a"]}', "line 2: qid '1' is that of line 1"),
        ("[" * 100_000, "line 2: "),
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
