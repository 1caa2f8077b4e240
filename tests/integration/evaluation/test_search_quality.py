"""Labelled queries asked of a real index, and two configurations compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evaluation.__main__ import main
from evaluation.commands import paraphrases
from evaluation.commands import search as command
from evaluation.comparison import compare
from evaluation.configuration import Configuration
from evaluation.exact import nearest
from evaluation.quality import document, run, summary
from evaluation.queries import read_queries
from index import IndexSettings, open_store
from labels import appeal
from schemas import Appealed, ConfigurationError, Match
from search import Searcher
from tests.support.commands import printed
from tests.support.encoders import DIMENSION, HashEncoder
from tests.support.points import unit
from tests.support.serving import ingest

Rows = list[dict[str, Any]]
Measure = Callable[[Rows], dict[str, Any]]
STAR = "star-striped-blue"


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "load_encoder", lambda model: HashEncoder())


@pytest.fixture
def queries(catalog: Path) -> Callable[[Rows], Path]:
    def write(rows: Rows) -> Path:
        path = catalog.parent / "queries.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def measure(searcher: Searcher, queries: Callable[[Rows], Path]) -> Measure:
    def measure(rows: Rows) -> dict[str, Any]:
        path = queries(rows)
        return summary(run(searcher, read_queries(path), path))

    return measure


def titles(catalog: Path, count: int, text: str = "title") -> Rows:
    rows = [json.loads(line) for line in catalog.read_text(encoding="utf-8").splitlines()][:count]
    return [{"qid": row["id"], "kind": "title", "query": row[text], "relevant": {row["id"]: 1}} for row in rows]


def test_exact_titles_are_found_as_well_as_can_be(measure: Measure, catalog: Path) -> None:
    title = measure(titles(catalog, 6))["kinds"]["title"]
    assert title["queries"] == 6
    assert (title["fused"]["ndcg@10"], title["fused"]["recall@1"], title["fused"]["interval"]) == (1, 1, [1, 1])
    assert set(title["legs"]) == {"text->image", "text->title", "text->text", "lexical"}
    for leg in title["legs"].values():
        low, high = leg["interval"]
        assert 0 <= low <= leg["ndcg@10"] <= high <= 1
    assert title["random"]["recall@10"] == pytest.approx(10 / 48)
    assert title["latency_ms"]["search"]["p95"] >= title["latency_ms"]["search"]["p50"] > 0


def test_images_are_read_beside_the_queries_and_kinds_are_kept_apart(measure: Measure) -> None:
    found = measure(
        [
            {"kind": "view", "image": f"pictures/{STAR}.png", "relevant": [STAR]},
            {"kind": "title", "query": "Striped blue star cushion", "relevant": [STAR]},
        ]
    )
    view, title = found["kinds"]["view"], found["kinds"]["title"]
    assert view["legs"]["image->image"]["ndcg@10"] == title["fused"]["ndcg@10"] == 1
    assert set(view["legs"]) == {"image->image", "image->text"}
    assert set(found["overall"]["legs"]) == set(view["legs"]) | set(title["legs"])
    assert found["overall"]["legs"]["image->text"]["queries"] == 1


def test_grades_and_frequencies_count_and_what_is_not_found_is_nothing(measure: Measure) -> None:
    found = measure(
        [
            {"kind": "lost", "query": STAR, "relevant": {"not in the catalog": 1}},
            {"kind": "none", "query": STAR, "filter": {"brand": "nobody"}, "relevant": {STAR: 1}},
            {"kind": "half", "query": STAR, "relevant": {STAR: 1, "not in the catalog": 3}},
            {"kind": "often", "query": STAR, "relevant": [STAR], "frequency": 3},
            {"kind": "often", "query": "zzz qqq", "relevant": ["not in the catalog"]},
        ]
    )
    kinds = {kind: its["fused"] for kind, its in found["kinds"].items()}
    assert kinds["lost"]["ndcg@10"] == kinds["none"]["ndcg@10"] == 0
    assert 0 < kinds["half"]["ndcg@10"] < 0.5
    assert kinds["half"]["recall@10"] == 0.5
    assert kinds["often"]["success@1"] == 0.75
    assert found["kinds"]["none"]["random"]["recall@10"] == 0
    assert found["unknown_products"] == ["not in the catalog"]


def test_the_engine_finds_what_comparing_every_vector_finds_also_under_a_filter(
    measure: Measure, catalog: Path, searcher: Searcher
) -> None:
    rows = [row | {"filter": {"color": "blue"}} for row in titles(catalog, 6)]
    exact = measure(rows + [row | {"qid": f"{row['qid']} all", "filter": None} for row in rows])["exact"]
    assert set(exact) == {"text->image", "text->title", "text->text"}
    for leg in exact.values():
        assert (leg["found@10"], leg["incomplete"], leg["queries"]) == (1, 0, 12)
        assert leg["exact"]["ndcg@10"] == pytest.approx(leg["approximate"]["ndcg@10"], abs=0.2)


def test_the_exact_answer_is_that_of_a_plain_loop(searcher: Searcher) -> None:
    index, asked = searcher.index, unit(3, DIMENSION, seed=1)
    blue = Match("color", "keyword", ("blue",))
    (all_of, some, none) = nearest(index, {"image": asked}, 5, {"image": [None, blue, Match("id", "keyword", ("?",))]})[
        "image"
    ]
    stored = index.fetch(index.scan(None, 100), ["image"])
    cosines = {id: float((point.vectors["image"] @ asked[0]).max()) for id, point in stored.items()}
    assert all_of.points == sorted(cosines, key=lambda id: -cosines[id])[:5]
    assert all_of.scores == pytest.approx(sorted(cosines.values(), reverse=True)[:5])
    assert set(some.points) <= set(index.scan(blue, 100)) and len(some.points) == 5
    assert none.points == []


def test_what_nobody_is_shown_is_in_no_exact_answer(
    catalog: Path, tmp_path: Path, queries: Callable[[Rows], Path]
) -> None:
    ingest(catalog, tmp_path / "data", HashEncoder())
    store = open_store(IndexSettings(data_dir=tmp_path / "data"))
    asked = titles(catalog, 4)
    path = queries(asked)
    appeal(store, tmp_path, [Appealed(id=str(asked[0]["qid"]), action="block")], "anna")
    with closing(store.open()) as index:
        legs = summary(run(Searcher(index, HashEncoder()), read_queries(path), path))["exact"]
    assert {leg["found@10"] for leg in legs.values()} == {1}


def test_an_engine_that_misses_the_best_is_found_out(
    measure: Measure, catalog: Path, searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = searcher.index.query
    monkeypatch.setattr(searcher.index, "query", lambda *asked: [found[2:] for found in query(*asked)])
    leg = measure(titles(catalog, 4))["exact"]["text->title"]
    assert leg["found@10"] <= 0.9
    assert leg["incomplete"] == 4
    assert leg["approximate"]["ndcg@10"] < leg["exact"]["ndcg@10"] == 1


@pytest.fixture(scope="module")
def two(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two generations: in the second, half of the products have lost their words."""
    data = tmp_path_factory.mktemp("two")
    ingest(catalog, data)
    rows = [json.loads(line) for line in catalog.read_text(encoding="utf-8").splitlines()]
    for row in rows[::2]:
        row |= {"title": "cushion", "description": "cushion", "category": None, "brand": None, "color": None}
    changed = catalog.with_name("changed.jsonl")
    changed.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingest(changed, data)
    return data


def test_two_generations_are_compared_and_who_lost_is_named(
    two: Path, catalog: Path, queries: Callable[[Rows], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = titles(catalog, 32, "description")  # the words of a title are in their ids as well
    for row in rows[16:]:
        row["kind"] = "second"
    old = open_store(IndexSettings(data_dir=two)).generations()[0].name
    arguments = ["search", "--queries", str(queries(rows)), "--data-dir", str(two)]
    assert main([*arguments, "--against", f"generation={old}", "--json"]) == 0
    comparison = printed(capsys)["comparison"]
    assert comparison["against"]["generation"] == old != comparison["this"]["generation"]
    overall = comparison["overall"]["ndcg@10"]
    assert (overall["against"], overall["p"] < 0.05, overall["interval"][1] < 0) == (1, True, True)
    assert overall["difference"] == pytest.approx(overall["this"] - 1)
    lost = {query["qid"] for query in comparison["lost"]}
    assert lost and lost <= {row["qid"] for row in rows[::2]}
    assert comparison["gained"] == []
    for kind in ("title", "second"):
        its = comparison["kinds"][kind]["ndcg@10"]
        assert its["p"] <= its["p_corrected"] <= 1
    assert main([*arguments, "--against", f"generation={old}"]) == 0
    text = capsys.readouterr().out
    assert "corrected" in text and f"other generation ({old})" in text and "lost" in text


def test_the_same_configuration_does_not_differ_from_itself_and_other_weights_do(
    two: Path,
    catalog: Path,
    queries: Callable[[Rows], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["search", "--queries", str(queries(titles(catalog, 8))), "--data-dir", str(two), "--json"]
    page = tmp_path / "run.html"
    assert main([*arguments, "--no-exact", "--report", str(page)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["exact"] == {}
    written = json.loads(page.with_suffix(".json").read_text())
    assert found.items() <= {**written, "depth": 100}.items()
    assert len(written["queries"]) == 8 and "data:image/webp;base64," in page.read_text()
    assert main([*arguments, "--against", str(page.with_suffix(".json"))]) == 0
    assert json.loads(capsys.readouterr().out)["comparison"]["changed"] == 0
    weights = found["configuration"]["weights"]
    own = tmp_path / "own.json"
    own.write_text(json.dumps(weights))
    assert main([*arguments, "--weights", str(own), "--against", "collection=products"]) == 0
    comparison = json.loads(capsys.readouterr().out)["comparison"]
    assert comparison["changed"] == 0 and comparison["overall"]["ndcg@10"]["p"] == 1
    for legs in weights["words"].values():
        legs.update(dict.fromkeys(legs, 0.0) | {"text->image": 1.0})
    other = tmp_path / "other.json"
    other.write_text(json.dumps(weights))
    assert main([*arguments, "--against", f"weights={other}"]) == 0
    comparison = json.loads(capsys.readouterr().out)["comparison"]
    assert comparison["overall"]["ndcg@10"]["difference"] > 0
    monkeypatch.setenv("STORELENS_QDRANT_URL", "http://127.0.0.1:9")  # of no concern where a folder is named
    assert Configuration(IndexSettings(data_dir=two)).changed([f"data_dir={two}"]).settings.qdrant_url is None
    assert comparison["against"]["weights"] == weights


def test_what_cannot_be_measured_is_said(
    two: Path, catalog: Path, queries: Callable[[Rows], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str) -> str:
        assert main(["search", *arguments]) == 1
        return capsys.readouterr().err.splitlines()[-1]

    (tmp_path / "broken.jpg").write_bytes(b"no image")
    (tmp_path / "broken.jsonl").write_text('\n{"image": "broken.jpg", "relevant": ["a"]}\n')
    (tmp_path / "weights.json").write_text('{"words": {}, "image": {}}')
    path, data = str(queries(titles(catalog, 2))), str(two)
    assert "cannot read the queries" in said("--queries", str(tmp_path / "none"), "--data-dir", data)
    assert "ingest a catalog first" in said("--queries", path, "--data-dir", str(tmp_path / "none"))
    assert "broken.jsonl, line 2: " in said("--queries", str(tmp_path / "broken.jsonl"), "--data-dir", data)
    arguments = ("--queries", path, "--data-dir", data)
    assert "no weights of legs: words.covered" in said(*arguments, "--weights", str(tmp_path / "weights.json"))
    legs = {"text->title": 1, "text->text": 1, "text->image": 1, "lexical": 1}
    words = dict.fromkeys(("covered", "expanded", "uncovered", "long"), legs)
    for wrong in ({"lexical": 1}, {**legs, "lexical": -1}, dict.fromkeys(legs, 0)):
        changed = {"words": {**words, "long": wrong}, "image": {"image->image": 1, "image->text": 0}}
        (tmp_path / "weights.json").write_text(json.dumps(changed))
        assert "long is to have a weight" in said(*arguments, "--weights", str(tmp_path / "weights.json"))
    assert "those kept are" in said(*arguments, "--generation", "none")
    assert "neither the JSON of a run nor one of" in said(*arguments, "--against", "limit=3", "collection=x")
    assert "is not the JSON of a run" in said(*arguments, "--against", path)
    assert "there is no index" in said(*arguments, "--against", "collection=other")
    for name in ("none/run.html", "run.pdf"):
        assert "name an .html file in a folder that is there" in said(*arguments, "--report", str(tmp_path / name))
    queries([{"query": "x", "relevant": ["a"], "filter": {"nonsense": 1}}])
    assert "queries.jsonl, line 1: " in said(*arguments)


def test_queries_of_another_file_are_not_compared(
    searcher: Searcher, catalog: Path, queries: Callable[[Rows], Path]
) -> None:
    path = queries(titles(catalog, 3))
    one = run(searcher, read_queries(path), path, exact=False)
    other = run(searcher, read_queries(queries(titles(catalog, 4))), path, exact=False)
    with pytest.raises(ConfigurationError, match="other queries"):
        compare(one, document(other))


def test_wordings_of_one_need_are_compared_and_the_least_stable_is_first(
    two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paraphrases, "load_encoder", lambda model: HashEncoder())
    needs: Rows = [
        {"wordings": ["striped star", "star striped", "STRIPED STAR"]},
        {"need": "any", "queries": ["striped blue star", "plain red circle"], "filter": {"in_stock": True}},
    ]
    path = tmp_path / "paraphrases.jsonl"
    path.write_text("".join(json.dumps(need) + "\n" for need in needs))
    arguments = ["paraphrases", "--queries", str(path), "--data-dir", str(two)]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["need"] for one in found["worst"]] == ["any", "striped star"]
    assert (found["worst"][1]["overlap@10"], found["worst"][1]["rbo"]) == (1, pytest.approx(1))
    assert found["worst"][0]["rbo"] < found["rbo"] < 1
    assert found["worst"][0]["farthest"]["wordings"] == needs[1]["queries"]
    assert main(arguments) == 0
    assert "farthest apart: striped blue star | plain red circle" in capsys.readouterr().out
    path.write_text('{"wordings": ["a", "b"], "filter": {"nonsense": 1}}')
    assert main(arguments) == 1
    assert "paraphrases.jsonl, line 1: " in capsys.readouterr().err
