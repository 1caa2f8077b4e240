"""``python -m ingest synonyms``: what a catalog suggests, and what of it is accepted."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from images.arrays import Vectors
from index import CatalogIndex, IndexSettings, open_store
from ingest.command import main
from ingest.commands.synonym_suggestions import suggest
from schemas import DocumentChanged
from tests.integration.ingest.jobs import write_rows
from tests.support.encoders import HashEncoder
from tests.support.serving import ingest

COLOURS = ("scarlet", "crimson", "azure", "olive")
OTHERS = (
    "lamp",
    "desk",
    "spoon",
    "towel",
    "candle",
    "mirror",
    "pillow",
    "carpet",
    "kettle",
    "basket",
    "drawer",
    "vase",
)
ROWS = [
    *({"title": f"{colour} sofa", "color": colour, "category": "Seating"} for colour in COLOURS),
    *({"title": f"{colour} corner couch", "color": colour, "category": "Seating"} for colour in COLOURS),
    *({"title": f"{colour} settee bench", "color": colour, "category": "Seating"} for colour in COLOURS),
    {"title": "Zenith", "category": "Seating"},
    *({"title": f"{word} no {n}", "category": "Rest", "brand": "Divan"} for word in OTHERS for n in range(2)),
    *({"title": f"Divan {n}", "brand": "Divan"} for n in range(2)),
]
NEAR = [{"sofa", "couch", "divan", "zenith"}, {"settee", "bench"}, {"scarlet", "crimson"}]


def encode(words: Sequence[str], groups: Sequence[set[str]] = NEAR) -> Vectors:
    """Words of one group are near each other, and all others are far from every one."""
    rows = np.random.default_rng(1).normal(size=(len(words), 64))
    for row, word in enumerate(words):
        for number, near in enumerate(groups):
            if word in near:
                rows[row] = 20 * np.eye(64)[number] + rows[row] / 4
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synonyms")
    rows = ({"id": str(number)} | row for number, row in enumerate(ROWS))
    ingest(write_rows(folder / "rows.jsonl", rows), folder / "data")
    return folder / "data"


@pytest.fixture
def index(data: Path) -> Iterator[CatalogIndex]:
    with closing(open_store(IndexSettings(data_dir=data)).open()) as opened:
        yield opened


def test_words_that_are_near_and_apart_are_suggested_and_none_that_the_shop_tells_apart(index: CatalogIndex) -> None:
    (found,) = suggest(index, encode, 100)
    assert set(found.synonyms) == {"sofa", "couch"}
    assert all(word in title for word, title in zip(found.synonyms, found.examples, strict=True))
    assert found.examples[0].split()[0] == found.examples[1].split()[0]  # of one colour, as the products most alike
    assert "near in meaning (cosine " in found.reason
    assert "never in one product" in found.reason


FEW = [{"title": f"{word} no {n}"} for word in OTHERS for n in range(2)]
PACKS = [
    {"title": f"Blue yoga {word} {name}"} for word, names in (("strap", "bcd"), ("shoulder", "efg")) for name in names
]
SIZES = [{"title": f"Walnut bowl, {wood}, {size}"} for wood in COLOURS for size in ("small", "large")]


@pytest.mark.parametrize(
    ("rows", "near", "suggested"),
    [
        (PACKS, {"strap", "shoulder"}, 1),
        ([*PACKS, {"title": "Bag", "description": "With a shoulder strap."}], {"strap", "shoulder"}, 0),
        (
            [{"title": f"{name} Rise", "category": kind} for kind in ("Tees", "Bras & Tops") for name in "ab"],
            {"tees", "bras"},
            0,
        ),
        (SIZES, {"small", "large"}, 0),
    ],
    ids=["alike", "side by side", "categories", "all that titles differ in"],
)
def test_words_that_go_together_or_exclude_each_other_are_no_synonyms(
    tmp_path: Path, rows: list[dict[str, Any]], near: set[str], suggested: int
) -> None:
    every = [{"id": str(number)} | row for number, row in enumerate([*FEW, *rows])]
    ingest(write_rows(tmp_path / "rows.jsonl", every), tmp_path / "data")
    with closing(open_store(IndexSettings(data_dir=tmp_path / "data")).open()) as opened:
        found = suggest(opened, partial(encode, groups=[near]), 100)
    assert [set(one.synonyms) for one in found] == [near] * suggested


def test_words_are_suggested_that_are_nearest_to_each_other_and_how_often_they_meet(tmp_path: Path) -> None:
    names = {"sofa": "bcde", "couch": "fghj", "settee": "klmn"}
    rows = [{"title": f"Garden {word} {name}"} for word in names for name in names[word]]
    rows += [{"title": "Garden sofa, once settee, twice couch"}]
    every = [{"id": str(number)} | row for number, row in enumerate([*FEW, *rows])]
    ingest(write_rows(tmp_path / "rows.jsonl", every), tmp_path / "data")

    def near(words: Sequence[str]) -> Vectors:
        return encode(words, [{"sofa", "couch", "settee"}])

    with closing(open_store(IndexSettings(data_dir=tmp_path / "data")).open()) as opened:
        (one,) = suggest(opened, near, 100)
    assert "both in 1 of 5 products" in one.reason


def test_what_is_known_is_not_suggested_again(index: CatalogIndex) -> None:
    assert suggest(index, encode, 100, [frozenset(("couch", "sofa"))]) == []
    assert suggest(index, encode, 0) == []


def test_a_catalog_with_next_to_no_words_suggests_nothing(tmp_path: Path) -> None:
    ingest(write_rows(tmp_path / "rows.jsonl", [{"id": "1", "title": "Sofa"}]), tmp_path / "data")
    with closing(open_store(IndexSettings(data_dir=tmp_path / "data")).open()) as one:
        assert suggest(one, encode, 100) == []


class _Encoder(HashEncoder):
    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return encode(texts)


Run = Callable[..., tuple[int, list[Any], str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("embedding.load_encoder", lambda _: _Encoder())

    def run(*arguments: str, data_dir: Path = tmp_path / "data") -> tuple[int, list[Any], str]:
        status = main([*arguments, "--data-dir", str(data_dir)])
        said = capsys.readouterr()
        return status, [json.loads(line) for line in said.out.splitlines()], said.err

    return run


def _file(path: Path, lines: Iterable[object]) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def test_what_is_suggested_is_accepted_line_by_line(run: Run, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.jsonl"
    assert run("synonyms", "suggest", "--out", str(out), data_dir=data) == (
        0,
        [],
        f"suggestions: 1 in {out}: remove those that are none, then `python -m ingest synonyms add {out}`\n",
    )
    printed = run("synonyms", "suggest", data_dir=data)[1]
    assert printed == [json.loads(out.read_text(encoding="utf-8"))]
    assert printed[0].keys() == {"synonyms", "reason", "examples"}
    status, _, told = run("synonyms", "suggest", "--out", str(out), data_dir=data)
    assert (status, "it is there already" in told) == (1, True)
    status, added, _ = run("synonyms", "add", str(out))
    assert (status, added) == (0, [{"kind": "synonyms", "name": "accepted", "version": 1, "added": 1}])
    assert open_store(IndexSettings(data_dir=tmp_path / "data")).documents.read("synonyms", "accepted").content == {
        "groups": [printed[0]["synonyms"]]
    }


def test_what_is_there_already_is_not_added_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = open_store(IndexSettings(data_dir=tmp_path / "data")).documents
    documents.write("synonyms", "house", {"groups": [["Sofa", "settee"]], "language": "en"})
    lines = [
        {"synonyms": ["settee", "sofa"]},
        {"synonyms": ["mug", "cup"]},
        {"synonyms": ["cup", "Mug", "beaker"]},  # what a smaller group says, and more
        {"from": "trainers", "to": ["running shoes"], "reason": "asked for"},
        {"from": "Trainers", "to": ["Running Shoes", "sneakers"]},
    ]
    added = run("synonyms", "add", _file(tmp_path / "a.jsonl", lines), "--name", "house")[1]
    assert added == [{"kind": "synonyms", "name": "house", "version": 2, "added": 4}]
    assert documents.read("synonyms", "house").content == {
        "groups": [["Sofa", "settee"], ["cup", "Mug", "beaker"]],
        "one_way": [{"from": "trainers", "to": ["running shoes", "sneakers"]}],
        "language": "en",
    }
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(lines[0]).encode() + b"\n\n")))
    assert run("synonyms", "add", "-", "--name", "house")[1][0] == {
        "kind": "synonyms",
        "name": "house",
        "version": 2,
        "added": 0,
    }


def test_what_others_write_meanwhile_is_kept(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from index.documents import Documents

    write, others = Documents.write, iter([True])

    def meanwhile(self: Documents, *arguments: Any) -> Any:
        if next(others, False):
            write(self, "synonyms", "accepted", {"groups": [["mug", "cup"]]})
        return write(self, *arguments)

    monkeypatch.setattr(Documents, "write", meanwhile)
    assert run("synonyms", "add", _file(tmp_path / "a.jsonl", [{"synonyms": ["sofa", "couch"]}]))[1][0]["version"] == 2
    document = open_store(IndexSettings(data_dir=tmp_path / "data")).documents.read("synonyms", "accepted")
    assert document.content == {"groups": [["mug", "cup"], ["sofa", "couch"]]}
    monkeypatch.setattr(Documents, "write", _always_late)
    status, _, told = run("synonyms", "add", _file(tmp_path / "b.jsonl", [{"synonyms": ["a", "b"]}]))
    assert (status, "try again" in told) == (1, True)


def _always_late(*_: Any) -> Any:
    raise DocumentChanged("no")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"synonyms": ["sofa"]}'], "line 1: List should have at least 2 items"),
        (["", '{"synonyms": ["sofa", "Sofa"]}'], "line 2: 'Sofa' is in it twice"),
        (['{"synonyms": "sofa, couch"}'], "line 1: Input should be a valid list"),
        (['{"words": ["sofa", "couch"]}'], 'line 1: it has neither "synonyms" nor "from" and "to"'),
        (['["sofa", "couch"]'], "line 1: it has neither"),
        (["sofa, couch"], "line 1: it is no JSON"),
    ],
)
def test_a_line_that_will_not_do_is_named_and_nothing_is_added(
    run: Run, tmp_path: Path, lines: list[str], said: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    status, out, told = run("synonyms", "add", str(path))
    assert (status, out) == (1, [])
    assert f"{path}: {said}" in told
    assert open_store(IndexSettings(data_dir=tmp_path / "data")).documents.read_all() == []


def test_nothing_ingested_and_wrong_arguments_are_told(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, told = run("synonyms", "suggest")
    assert (status, "ingest a catalog first" in told) == (1, True)
    for arguments, said in (
        (["add"], "add what?"),
        (["suggest", "file"], "suggest takes no FILE"),
        (["suggest", "--name", "a"], "suggest takes no --name"),
        (["add", "file", "--out", "a"], "add takes no --out"),
        (["suggest", "--limit", "0"], "--limit: at least 1"),
    ):
        with pytest.raises(SystemExit):
            run("synonyms", *arguments)
        assert said in capsys.readouterr().err
