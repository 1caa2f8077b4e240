"""``python -m evaluation classify``: nothing is judged by what it was fitted on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evaluation import __main__ as command
from evaluation.classification import measure
from evaluation.commands import labels
from evaluation.labelled_images import embed, halves, read_rows
from schemas import ConfigurationError
from tests.support.colors import COLORS, color_image, write_lines
from tests.support.commands import printed
from tests.support.encoders import ColorEncoder


def _write(folder: Path, per_label: int = 10, noise: int = 60, labels: Sequence[str] = COLORS) -> Path:
    rows: list[dict[str, Any]] = []
    for color in labels:
        for at in range(per_label):
            name = f"{color}-{at}.png"
            color_image(color, len(rows), noise).save(folder / name)
            rows.append({"image": name, "label": color})
    return write_lines(folder / "images.jsonl", rows)


def test_every_image_is_judged_once(tmp_path: Path) -> None:
    measured = measure(_write(tmp_path), ColorEncoder(), COLORS)
    assert (measured["images"], measured["unusable"], measured["halves"]) == (40, 0, [20, 20])
    assert sum(count for row in measured["confusion"].values() for count in row.values()) == 40
    for system in ("bare", "single", "averaged", "ensemble", "bias_removed", "chosen"):
        assert measured["accuracy"][system] > 0.9
        assert measured["macro"][system] > 0.9
    right = sum(row.get(label, 0) for label, row in measured["confusion"].items())
    assert right / 40 == pytest.approx(measured["accuracy"]["chosen"], abs=1e-5)
    assert sum(bin["count"] for bin in measured["calibration"]["reliability"]) == 40


def test_classes_left_out_of_the_labels_are_unknown(tmp_path: Path) -> None:
    measured = measure(_write(tmp_path, noise=30), ColorEncoder(), COLORS, held_out=["yellow"])
    unknown = measured["unknown"]
    assert measured["labels"] == ["red", "green", "blue"]
    assert set(measured["confusion"]) == {"red", "green", "blue"}
    assert unknown["examples"] == 10
    assert unknown["f1"] > 0.8
    assert -1 < unknown["threshold"] < 1
    of_unknown = unknown["confusion"]["unknown"]
    assert of_unknown["unknown"] + of_unknown["known"] == 10
    assert unknown["recall"] == pytest.approx(of_unknown["unknown"] / 10)
    assert unknown["without_examples"]["recall"] > 0.5
    assert unknown["compared"]["similarity"]["f1"] == unknown["f1"]
    assert unknown["f1"] > unknown["compared"]["similarity below 0.25"]["f1"]
    # The same as by labels that are given and do not have it.
    assert measure(_write(tmp_path, noise=30), ColorEncoder(), COLORS[:3])["unknown"] == unknown


def test_the_order_of_the_file_changes_nothing(tmp_path: Path) -> None:
    file = _write(tmp_path)
    measured = measure(file, ColorEncoder(), COLORS)
    write_lines(file, [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()][::-1])
    assert measure(file, ColorEncoder(), COLORS) == measured


def test_what_a_label_scores_with_every_image_is_taken_away_where_that_helps(tmp_path: Path) -> None:
    class Biased(ColorEncoder):
        def encode_texts(self, texts: Sequence[str]) -> Any:
            vectors = super().encode_texts(texts)
            for row, text in enumerate(texts):
                if "green" in text:  # near to every image
                    vectors[row, 13] = 3.0
            return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

        def encode_prepared(self, pixels: Sequence[Any]) -> Any:
            vectors = super().encode_prepared(pixels)
            vectors[:, 13] = 3.0
            return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    measured = measure(_write(tmp_path, noise=20), Biased(), COLORS)
    assert measured["accuracy"]["averaged"] < 0.5
    assert measured["accuracy"]["bias_removed"] > 0.9
    assert measured["accuracy"]["ensemble"] > 0.9
    assert measured["chosen"]["bias"] != "kept"
    assert measured["accuracy"]["chosen"] > 0.9


def test_copies_of_an_image_are_in_one_half(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = []
    for color in COLORS:
        for at in range(6):
            image = color_image(color, len(rows), 60)
            for copy, size in enumerate((48, 40, 64)):
                name = f"{color}-{at}-{copy}.png"
                image.resize((size, size), Image.Resampling.LANCZOS).save(tmp_path / name)
                rows.append({"image": name, "label": color})
    images = embed(read_rows(write_lines(tmp_path / "images.jsonl", rows), lambda _: None), tmp_path, ColorEncoder())
    second = halves(images, [row["label"] for row in images.rows])
    originals = second.reshape(-1, 3)
    assert (originals == originals[:, :1]).all()
    assert images.clusters.max() + 1 <= 24
    assert 30 <= second.sum() <= 42
    for color in COLORS:
        of_color = [bool(side) for side, row in zip(second, images.rows, strict=True) if row["label"] == color]
        assert 0 < sum(of_color) < len(of_color)


def test_it_refuses_to_judge_by_what_it_was_fitted_on(tmp_path: Path) -> None:
    color_image("red", 1, 60).save(tmp_path / "one.png")
    copies = write_lines(tmp_path / "copies.jsonl", [{"image": "one.png", "label": "red"}] * 20)
    with pytest.raises(ConfigurationError, match="too few images, copies not counted"):
        measure(copies, ColorEncoder(), ["red", "green"])


def test_images_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    file = _write(tmp_path)
    (tmp_path / "red-0.png").write_bytes(b"no image")
    (tmp_path / "red-1.png").unlink()
    measured = measure(file, ColorEncoder(), COLORS)
    assert (measured["images"], measured["unusable"]) == (38, 2)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "load_encoder", lambda _: ColorEncoder())
    file, templates = _write(tmp_path), tmp_path / "templates.txt"
    templates.write_text("a photo of a {label}\n\n{} thing\n", encoding="utf-8")
    given = ["classify", "--images", str(file), "--templates", str(templates)]
    assert command.main([*given, "--labels", "red, green,blue", "--hold-out", "blue", "--json"]) == 0
    measured = printed(capsys)
    assert measured["labels"] == ["red", "green"]
    assert set(measured["templates"]) == {"a photo of a {}", "{} thing"}
    assert set(measured["unknown"]) >= {"threshold", "precision", "recall"}
    assert command.main(given) == 0
    assert "bias_removed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--labels", "red", "--hold-out", "purple"], "no such label"),
        (["--labels", "red", "--hold-out", "red"], "no label is left"),
        (["--labels", "cat,dog"], "images of none of these labels"),
        (["--labels", "red,RED"], "'RED' is in it twice"),
    ],
)
def test_labels_that_are_not_there_are_told(
    given: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(labels, "load_encoder", lambda _: ColorEncoder())
    assert command.main(["classify", "--images", str(_write(tmp_path, 1)), *given]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", ["", "no JSON", "[]", '{"label": "red"}', '{"image": "a.png"}', '{"image": "a", "label": " "}']
)
def test_files_that_are_no_labelled_images_are_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "images.jsonl").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"images\.jsonl"):
        measure(tmp_path / "images.jsonl", ColorEncoder(), ["red"])


def test_templates_without_a_place_for_the_label_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "templates.txt").write_text("a photo\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        command.main(["classify", "--images", "x", "--templates", str(tmp_path / "templates.txt")])
    assert "it needs one {label}" in capsys.readouterr().err
