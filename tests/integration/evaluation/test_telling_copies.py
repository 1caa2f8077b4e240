from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.__main__ import main
from evaluation.benchmarks.duplicates import CHANGES, measure, report
from schemas import ConfigurationError
from tests.support.duplicates import png, scene
from tests.support.encoders import HashEncoder


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Twelve images, the last two one image saved twice in other ways, and rows that cannot be used."""
    rows = []
    for number in range(12):
        image = scene(min(number, 10))
        data = png(image if number < 11 else image.resize((150, 150)))
        (tmp_path / f"{number}.png").write_bytes(data)
        rows.append({"id": f"p{number}", "image": f"{number}.png", "group_id": "two" if number < 2 else f"g{number}"})
    rows += [{"id": "gone", "image": "gone.png"}, {"id": "words", "title": "words"}, {"title": "no id"}]
    catalog = tmp_path / "catalog.jsonl"
    catalog.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    return catalog


def test_copies_are_found_and_the_pairs_called_the_same_are_named(shop: Path) -> None:
    told = measure(shop, HashEncoder())
    assert (told.images, told.copies, told.others, told.variants) == (12, 12, 65, 1)
    assert told.found.keys() == CHANGES.keys()
    # Around images as gaudy as these a white border is another image.
    assert min(share for name, share in told.found.items() if "border" not in name) > 0.5
    assert told.mirrored == 0
    assert told.wrong_others == [("p10", "p11")]
    assert told.wrong_variants == []
    text = report(shop, HashEncoder())
    assert "precision" in text
    assert "p10  p11" in text


def test_what_cannot_be_measured_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the catalog"):
        measure(tmp_path / "none.jsonl", HashEncoder())
    (tmp_path / "words.jsonl").write_text('{"id": "a", "title": "A"}\n')
    with pytest.raises(ConfigurationError, match="fewer than two images"):
        measure(tmp_path / "words.jsonl", HashEncoder())
    with pytest.raises(SystemExit, match="2"):
        main(["same"])
    assert "--catalog" in capsys.readouterr().err
