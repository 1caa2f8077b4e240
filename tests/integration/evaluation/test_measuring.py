from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from evaluation.__main__ import main
from evaluation.benchmarks.query_load import fill_index
from evaluation.quality import measure
from evaluation.queries import LabelledQuery
from index import IndexSettings, open_store
from schemas import SearchRequest
from search import Searcher
from tests.support.encoders import HashEncoder


def test_exact_titles_are_found_as_well_as_can_be(searcher: Searcher, catalog: Path) -> None:
    rows = [json.loads(line) for line in catalog.read_text(encoding="utf-8").splitlines()][:6]
    queries = [LabelledQuery(qid=row["id"], kind="title", query=row["title"], relevant={row["id"]: 1}) for row in rows]
    fused, *legs = measure(searcher, queries, catalog.parent)
    assert (fused.kind, fused.system, fused.queries) == ("title", "fused", 6)
    assert (fused.ndcg, fused.recall) == (1, 1)
    assert {leg.system for leg in legs} == {"text->image", "text->title", "text->text", "lexical"}
    assert all(0 <= leg.ndcg <= 1 and leg.queries == 6 for leg in legs)


def test_photos_are_read_beside_the_queries_and_kinds_are_kept_apart(searcher: Searcher, catalog: Path) -> None:
    id = "star-striped-blue"
    photo = LabelledQuery(qid="p", kind="photo", image=f"pictures/{id}.png", relevant={id: 1})
    title = LabelledQuery(qid="t", kind="title", query="Striped blue star cushion", relevant={id: 1})
    results = {(row.kind, row.system): row for row in measure(searcher, [photo, title], catalog.parent)}
    assert results["photo", "image->image"].ndcg == 1
    assert results["title", "fused"].ndcg == 1
    assert ("photo", "lexical") not in results
    assert ("title", "image->image") not in results


def test_grades_count_and_what_is_not_found_is_nothing(searcher: Searcher, catalog: Path) -> None:
    id = "star-striped-blue"
    lost = LabelledQuery(qid="l", kind="lost", query=id, relevant={"not in the catalog": 1})
    nothing = LabelledQuery(qid="n", kind="none", query=id, filter={"brand": "nobody"}, relevant={id: 1})
    second = LabelledQuery(qid="s", kind="half", query=id, relevant={id: 1, "not in the catalog": 3})
    found = {row.kind: row for row in measure(searcher, [lost, nothing, second], Path()) if row.system == "fused"}
    assert (found["lost"].ndcg, found["none"].ndcg, found["none"].queries) == (0, 0, 1)
    assert 0 < found["half"].ndcg < 0.5
    assert found["half"].recall == 0.5


def test_an_audit_counts_what_is_wrong_with_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill_index(tmp_path, HashEncoder.spec, 20)
    assert main(["audit", "--data-dir", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"points": 20, "foreign": 0, "not_unit": 0, "not_finite": 0}

    store = open_store(IndexSettings(data_dir=tmp_path))
    with store.lock(), closing(store.open()) as index:
        (strange,), record = index.scan(None, 1), index.record
        build = store.begin(record)
        build.set_payload({strange: {"colour": "red"}})
        build.commit()
    assert main(["audit", "--data-dir", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == ["19", "points", "1", "foreign", "0", "not", "unit", "0", "not", "finite"]


def test_an_index_of_synthetic_products_answers_like_any_other(tmp_path: Path) -> None:
    fill_index(tmp_path, HashEncoder.spec, 200)
    with closing(open_store(IndexSettings(data_dir=tmp_path)).open()) as index:
        searcher = Searcher(index, HashEncoder())
        response = searcher.search(SearchRequest(text="word1 word2", facets=["brand"], group_by="group_id")).response
        assert index.count() == 200
    assert response.total.value == 67
    assert len(response.hits) == 20
    assert response.facets is not None
    assert len(response.facets["brand"].values) == 37


@pytest.mark.parametrize("arguments", [[], ["search"], ["speed", "--runs", "many"], ["search", "--queries"]])
def test_wrong_arguments_end_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


def test_queries_or_an_index_that_is_not_there_end_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    queries = tmp_path / "queries.jsonl"
    arguments = ["search", "--queries", str(queries), "--data-dir", str(tmp_path / "data")]
    assert main(arguments) == 1
    assert "cannot read the queries" in capsys.readouterr().err
    queries.write_text('{"qid": "1", "kind": "k", "query": "x", "relevant": {"a": 1}}')
    assert main(arguments) == 1
    assert "ingest a catalog first" in capsys.readouterr().err
