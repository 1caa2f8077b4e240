"""``python -m evaluation queries``, and a search that is measured with what it makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.__main__ import main
from evaluation.commands import search as command
from evaluation.queries import read_queries
from search import Searcher
from tests.support.commands import printed
from tests.support.encoders import HashEncoder


def test_a_catalog_makes_queries_that_its_own_products_answer(
    data: Path, searcher: Searcher, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "queries.jsonl"
    assert main(["queries", "--out", str(out), "--data-dir", str(data), "--json"]) == 0
    made = printed(capsys)
    queries = read_queries(out)
    assert made == {"out": str(out), "queries": len(queries), "kinds": made["kinds"]}
    assert {"category", "misspelt", "title"} <= made["kinds"].keys()
    fancy = next(query for query in queries if query.kind == "category" and query.query == "fancy cushions")
    rows = [searcher.product(id).payload["product"] for id in fancy.relevant]
    assert len(rows) == 16
    assert {row["category"].lower() for row in rows} == {"fancy cushions"}

    # Without a file of queries a search is measured with the same ones.
    monkeypatch.setattr(command, "load_encoder", lambda model: HashEncoder())
    found = []
    for given in ([], ["--queries", str(out)]):
        assert main(["search", *given, "--data-dir", str(data), "--no-exact", "--json"]) == 0
        found.append(printed(capsys)["kinds"])
    assert found[0].keys() == made["kinds"].keys()
    assert [kind["fused"]["ndcg@10"] for kind in found[0].values()] == [
        kind["fused"]["ndcg@10"] for kind in found[1].values()
    ]


def test_a_log_of_clicks_becomes_queries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, out = tmp_path / "clicks.jsonl", tmp_path / "queries.jsonl"
    log.write_text(json.dumps({"query": "star", "id": "a", "clicks": 3}) + "\n" + json.dumps({"query": "", "id": "b"}))
    assert main(["queries", "--clicks", str(log), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"1 queries in {out}; 1 of 4 clicks left out\n      1  clicked\n"
    (query,) = read_queries(out)
    assert (query.query, query.relevant, query.frequency) == ("star", {"a": 3}, 3)
    assert main(["queries", "--clicks", str(log), "--out", str(log)]) == 1
    assert "the log itself" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["queries", "--fewest", "0", "--clicks", str(log), "--out", str(out)])
