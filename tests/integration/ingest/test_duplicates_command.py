"""``python -m ingest same``, as it is called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from index import IndexSettings, open_store
from ingest.command import main
from tests.support.duplicates import WithImages, many, png, saved_again, scene, write


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    a, b = scene(1), scene(2)
    products = [
        *many(20),
        WithImages("größe 1", [png(a)]),
        WithImages("copy", [saved_again(a)]),
        *(WithImages(f"same{number}", [png(b)]) for number in range(3)),
    ]
    write(open_store(IndexSettings(data_dir=folder)), products)
    return folder


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[dict[str, Any]], str]:
    assert main(["same", *arguments]) == 0
    out, err = capsys.readouterr()
    return [json.loads(line) for line in out.splitlines()], err


def test_a_line_is_a_cluster_and_stderr_says_how_many(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, said = listed(capsys, "--data-dir", str(data_dir))
    assert [(line["kind"], {image["product"] for image in line["pictures"]}) for line in lines] == [
        ("identical", {"same0", "same1", "same2"}),
        ("near-identical", {"größe 1", "copy"}),
    ]
    assert all(image.keys() == {"product", "picture", "source", "root"} for image in lines[0]["pictures"])
    assert "2 groups of 5 images that show the same: 1 identical, 1 near-identical" in said


def test_one_product_and_few_lines_can_be_asked_for(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, _ = listed(capsys, "--data-dir", str(data_dir), "--product", "größe 1")
    assert [line["kind"] for line in lines] == ["near-identical"]
    lines, said = listed(capsys, "--data-dir", str(data_dir), "--limit", "1")
    assert [line["kind"] for line in lines] == ["identical"]
    assert "the first 1 are listed" in said
    lines, said = listed(capsys, "--data-dir", str(data_dir), "--product", "other1003")
    assert not lines
    assert "no images that show the same" in said


def test_what_cannot_be_done_is_said(data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["same", "--data-dir", str(data_dir), "--product", "nobody"]) == 1
    assert "there is no product 'nobody'" in capsys.readouterr().err
    assert main(["same", "--data-dir", str(tmp_path)]) == 1
    assert "ingest a catalog first" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["same", "--data-dir", str(data_dir), "--limit", "0"])
