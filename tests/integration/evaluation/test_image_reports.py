"""Pages of ``classify`` and ``moderation``, and the comparison with another run."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from evaluation.__main__ import main
from evaluation.commands import labels
from tests.support.colors import COLORS, color_image, write_lines
from tests.support.commands import printed
from tests.support.encoders import ColorEncoder

POLICY = {
    "rules": [
        {"name": name, "prompts": [f"a {name} thing"], "counter_prompts": ["a yellow thing"], "action": "block"}
        for name in ("red", "blue")
    ]
}


@pytest.fixture(autouse=True)
def _encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "load_encoder", lambda _: ColorEncoder())


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """40 images of four colours with both kinds of label, so noisy that some are taken for another."""
    rows: list[dict[str, Any]] = []
    for at in range(40):
        color = COLORS[at % 4]
        color_image(color, at, 220).save(tmp_path / f"{at}.png")
        rows.append({"image": f"{at}.png", "label": color, "violates": [color] if color in ("red", "blue") else []})
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    return write_lines(tmp_path / "images.jsonl", rows)


def run(images: Path, command: str, report: str | None, *further: str) -> int:
    given: Sequence[str] = [command, "--images", str(images), *further]
    given = [*given, "--policy", str(images.with_name("policy.json"))] if command == "moderation" else given
    return main([*given, *(["--report", str(images.with_name(report))] if report else [])])


def cutoff(page: Path) -> dict[str, Any]:
    """What the sliders of a page count."""
    found = re.search(r'<script type="application/json">(.*?)</script>', page.read_text(encoding="utf-8"), re.S)
    assert found is not None
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


def test_where_it_starts_the_matrix_of_labels_is_what_was_measured(images: Path) -> None:
    assert run(images, "classify", "c.html", "--labels", "red,green,blue") == 0
    measured = json.loads(images.with_name("c.json").read_text())
    data = cutoff(images.with_name("c.html"))
    assert data["rows"] == ["red", "green", "blue", "(none of the labels)"]
    assert data["columns"] == ["red", "green", "blue", "unknown"]
    start, cases = data["choices"]["similarity"]["start"], data["choices"]["similarity"]["cases"]
    assert start == measured["unknown"]["threshold"]
    unknown = [row for row, _, score in cases if score < start]
    told = measured["unknown"]["confusion"]
    assert unknown.count(3) == told["unknown"]["unknown"]
    assert len(unknown) - unknown.count(3) == told["known"]["unknown"]
    right = sum(row == column for row, column, _ in cases)
    assert right / 30 == pytest.approx(measured["accuracy"]["chosen"], abs=1e-5)
    low, high = measured["intervals"]["chosen"]
    assert low <= measured["accuracy"]["chosen"] <= high
    details = measured["details"]["images"]
    assert [row["image"] for row in details] == sorted(f"{at}.png" for at in range(40))
    assert sum(row["right"] is None for row in details) == 10


def test_where_it_starts_the_matrix_of_a_policy_is_what_was_measured(images: Path) -> None:
    assert run(images, "moderation", "m.html") == 0
    measured = json.loads(images.with_name("m.json").read_text())
    choices = cutoff(images.with_name("m.html"))["choices"]
    assert list(choices) == ["the whole policy", "red", "blue"]
    for name, its in zip(choices, [measured["best"], *measured["rules"].values()], strict=True):
        stopped = [row for row, _, score in choices[name]["cases"] if score >= choices[name]["start"]]
        meant = sum(row == 0 for row, *_ in choices[name]["cases"])
        assert stopped.count(0) / meant == pytest.approx(its["recall"], abs=1e-5)
        assert stopped.count(0) / len(stopped) == pytest.approx(its["precision"], abs=1e-5)
    for name, (low, high) in measured["intervals"].items():
        assert low <= measured["test"][name] <= high
    assert sum(row["right"] for row in measured["details"]["images"]) < 40


def test_nothing_of_every_image_is_printed(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(images, "classify", None, "--json") == 0
    said = printed(capsys)
    assert "intervals" in said
    assert "details" not in said


@pytest.mark.parametrize("command", ["classify", "moderation"])
def test_two_runs_are_compared_image_by_image(
    command: str, images: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(images, command, "one.html") == 0
    one = images.with_name("one.json")
    assert run(images, command, "same.html", "--against", str(one)) == 0
    same = json.loads(images.with_name("same.json").read_text())["comparison"]
    assert (same["difference"], same["p"], same["gained"], same["lost"]) == (0.0, 1.0, [], [])

    class Blind(ColorEncoder):
        COLORS: ClassVar = dict.fromkeys(ColorEncoder.COLORS, (90, 90, 90))

    monkeypatch.setattr(labels, "load_encoder", lambda _: Blind())
    capsys.readouterr()
    assert run(images, command, "blind.html", "--against", str(one)) == 0
    worse = json.loads(images.with_name("blind.json").read_text())["comparison"]
    assert worse["this"] < worse["against"]
    assert worse["p"] < 0.05
    assert worse["interval"][1] < 0
    assert len(worse["lost"]) - len(worse["gained"]) == round(-worse["difference"] * worse["images"])
    assert f"{len(worse['lost'])} lost" in capsys.readouterr().out
    page = images.with_name("blind.html").read_text(encoding="utf-8")
    assert "Wrong now, and right before" in page

    rows = [json.loads(line) for line in images.read_text().splitlines()]
    write_lines(images, [{**rows[0], "label": "green", "violates": ["blue"]}, *rows[1:]])
    assert run(images, command, None, "--against", str(one)) == 1
    assert "with other labels of them" in capsys.readouterr().err
    other = {"classify": "m.json", "moderation": "c.json"}[command]
    images.with_name(other).write_text('{"details": {"images": [{"image": "a", "right": true}]}}')
    assert run(images, command, None, "--against", str(images.with_name(other))) == 1
    assert "is not the JSON of such a run" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_to_is_told_before_anything_is_measured(
    images: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "load_encoder", lambda _: pytest.fail("it was measured"))
    assert run(images, "classify", "c.txt") == 1
    assert "name an .html file" in capsys.readouterr().err
