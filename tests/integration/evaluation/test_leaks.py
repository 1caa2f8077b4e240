"""Leaks that were planted into a split of a real catalog, found by the command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from evaluation.__main__ import main
from evaluation.benchmarks.random_clip import make_clip
from evaluation.splits import duplicates
from tests.support.duplicates import png, saved_again, scene
from tests.support.serving import ingest

Rows = list[dict[str, Any]]


@pytest.fixture
def shop(tmp_path: Path) -> Rows:
    """Twenty products that have nothing to do with each other."""
    (tmp_path / "images").mkdir()
    return [_row(tmp_path, f"p{number:02}", scene(number)) for number in range(20)]


def _row(folder: Path, id: str, image: Image.Image, **changes: Any) -> dict[str, Any]:
    (folder / "images" / f"{id}.png").write_bytes(png(image))
    return {
        "id": id,
        "title": f"Thing {id}",
        "description": f"It is {id}",
        "image": f"images/{id}.png",
        "category": "ab"[int(id[1:]) % 2],
        **changes,
    }


def _write(folder: Path, rows: Rows, split: dict[str, str]) -> list[str]:
    catalog, parts = folder / "catalog.jsonl", folder / "split.jsonl"
    catalog.write_text("".join(json.dumps(row) + "\n" for row in rows))
    parts.write_text("".join(json.dumps({"id": id, "split": part}) + "\n" for id, part in split.items()))
    return ["leaks", "--catalog", str(catalog), "--split", str(parts)]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job, in this process and with the encoder of tests."""
    monkeypatch.setattr(
        duplicates, "ingest", lambda catalog, model, folder: ingest(Path(catalog), Path(folder), collection="products")
    )


@pytest.mark.usefixtures("hashed")
def test_planted_leaks_are_found_and_nothing_else(
    shop: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split = {row["id"]: "train" for row in shop[:10]} | {row["id"]: "test" for row in shop[10:]}
    arguments = _write(tmp_path, shop, split)
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["leaks"] == []
    (tmp_path / "images" / "p10.png").write_bytes((tmp_path / "images" / "p00.png").read_bytes())
    (tmp_path / "images" / "p11.png").write_bytes(saved_again(scene(1)))
    shop[12]["group_id"] = shop[2]["group_id"] = "G"
    shop[13] |= {"title": "  THING, p03", "description": "it is\np03!"}
    shop[14] |= {"images": ["images/p04.png"]}
    shop[5]["group_id"] = shop[6]["group_id"] = "in one part"
    assert main([*_write(tmp_path, shop, split), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {(leak["a"], leak["b"], leak["why"]) for leak in found["leaks"]} == {
        ("p00", "p10", "same image"),
        ("p01", "p11", "near-duplicate"),
        ("p02", "p12", "same group"),
        ("p03", "p13", "same text"),
        ("p04", "p14", "same image"),
    }
    assert (found["count"], found["why"]["same image"], found["splits"]) == (5, 2, {"train": 10, "test": 10})
    assert found["leaks"][0]["a_split"] == "train"


@pytest.mark.usefixtures("hashed")
def test_what_is_not_in_the_catalog_the_split_or_readable_is_said(
    shop: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images" / "p00.png").write_bytes(b"no image")
    split = {"p00": "train", "p01": "test", "gone": "test"}
    assert main(_write(tmp_path, shop, split)) == 0
    text = capsys.readouterr().out
    assert "no leaks" in text
    assert "1 products are in the split and not in the catalog: gone" in text
    assert "18 products are in the catalog and not in the split" in text
    assert "1 products have an image that could not be read, and was compared with none: p00" in text


@pytest.mark.usefixtures("hashed")
def test_a_split_that_is_made_keeps_what_is_alike_together(
    shop: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "images" / "p10.png").write_bytes(saved_again(scene(0)))
    shop[10]["group_id"] = shop[11]["group_id"] = "G"
    arguments = _write(tmp_path, shop, {})
    out = tmp_path / "made.jsonl"
    assert main(["split", arguments[2], "--out", str(out), "--shares", "train=0.5", "test=0.5", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["splits"], made["largest_cluster"], made["leaks"]) == ({"train": 10, "test": 10}, 3, 0)
    split = {row["id"]: row["split"] for row in map(json.loads, out.read_text().splitlines())}
    assert split["p00"] == split["p10"] == split["p11"]
    assert main(["split", arguments[2], "--out", arguments[2]]) == 1
    assert "is the catalog itself" in capsys.readouterr().err
    assert main([*arguments[:3], "--split", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["count"] == 0


def test_the_job_reads_the_catalog_and_what_it_cannot_read_is_said(
    tmp_path: Path, python: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", str(python))  # of the job, which finds its imports done
    monkeypatch.setenv("STORELENS_QDRANT_URL", "http://127.0.0.1:9")  # another index has no say here
    catalog = tmp_path / "catalog.csv"
    catalog.write_text("id;title;group_id\na;Red mug;1\nb;Blue mug;1\nc;red  MUG;2\n")
    (tmp_path / "split.jsonl").write_text("".join(f'{{"id": "{id}", "split": "{id}"}}\n' for id in "abc"))
    model = str(make_clip(tmp_path / "tiny"))
    arguments = ["leaks", "--split", str(tmp_path / "split.jsonl"), "--json"]
    assert main([*arguments, "--catalog", str(catalog), "--model", model]) == 0
    leaks = json.loads(capsys.readouterr().out)["leaks"]
    assert [(leak["a"], leak["b"], leak["why"]) for leak in leaks] == [
        ("a", "b", "same group"),
        ("a", "c", "same text"),
    ]
    assert main([*arguments, "--catalog", str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl could not be read" in capsys.readouterr().err
