"""``python -m ingest documents``."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.command import main

SOFAS = {"groups": [["sofa", "couch"]]}
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, Any, str]:
        status = main(["documents", *arguments, "--data-dir", str(tmp_path / "data")])
        said = capsys.readouterr()
        return status, json.loads(said.out) if said.out else None, said.err

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sofas.json"
    path.write_text(json.dumps(SOFAS), encoding="utf-8-sig")
    return path


def test_a_document_goes_in_and_comes_out_and_goes(run: Run, file: Path) -> None:
    assert run("list") == (0, {"documents": []}, "there are no documents\n")
    assert run("put", "synonyms", "house", str(file))[:2] == (0, {"kind": "synonyms", "name": "house", "version": 1})
    assert run("get", "synonyms", "house")[:2] == (0, SOFAS)
    status, listed, told = run("list", "synonyms")
    assert (status, listed) == (0, {"documents": [{"kind": "synonyms", "name": "house", "version": 1}]})
    assert told.split() == ["synonyms", "house", "version", "1"]
    assert run("list", "rules")[1] == {"documents": []}
    status, _, told = run("put", "synonyms", "house", str(file), "--if-version", "0")
    assert (status, "is of version 1, and was to be new" in told) == (1, True)
    assert run("put", "synonyms", "house", str(file), "--if-version", "1")[1]["version"] == 2
    status, _, told = run("delete", "synonyms", "house", "--if-version", "1")
    assert (status, "is of version 2, not 1" in told) == (1, True)
    assert run("delete", "synonyms", "house")[:2] == (0, {"kind": "synonyms", "name": "house", "deleted": True})
    assert run("get", "synonyms", "house") == (
        1,
        None,
        "python -m ingest documents: there is no document 'house' of synonyms\n",
    )


def test_standard_input_is_a_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(SOFAS).encode())))
    assert run("put", "synonyms", "house", "-")[0] == 0
    assert run("get", "synonyms", "house")[1] == SOFAS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"", "it is no JSON"),
        (b"\xff", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b'{"groups": [["a", "b"]], "groups": []}', "'groups' is given twice"),
        (b'{"groups": [["a", "b"], ["c"]]}', "groups.1: List should have at least 2 items"),
        (b" " * (2**20 + 1), "it is larger than 1,048,576 bytes"),
    ],
    ids=["missing", "empty", "no text", "deep", "twice", "wrong", "large"],
)
def test_a_file_that_will_not_do_is_named(run: Run, tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_bytes(content)
    status, out, told = run("put", "synonyms", "house", str(path))
    assert (status, out) == (1, None)
    assert f"{path}: {said}" in told
    assert told.count("\n") == 1
    assert run("list")[1] == {"documents": []}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: action"),
        (["put", "synonyms"], "put needs KIND NAME FILE"),
        (["get", "synonyms", "a", "b"], "get takes no FILE"),
        (["list", "synonyms", "a"], "list takes no NAME"),
        (["get", "sinonims", "a"], "invalid choice: 'sinonims'"),
        (["get", "synonyms", "a", "--if-version", "1"], "get takes no --if-version"),
    ],
)
def test_what_it_does_not_understand(run: Run, arguments: list[str], said: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as exited:
        run(*arguments)
    assert exited.value.code == 2
    assert said in capsys.readouterr().err
