"""``python -m evaluation moderation``: thresholds that hold on other images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evaluation import __main__ as command
from evaluation.commands import labels
from evaluation.moderation import Aim, measure
from index import IndexSettings, open_store
from schemas import ConfigurationError, Policy
from tests.support.colors import COLORS, color_image, write_lines
from tests.support.commands import printed
from tests.support.encoders import ColorEncoder, HashEncoder
from tests.support.serving import ingest

POLICY = {
    "rules": [
        {"name": "red", "prompts": ["red"], "counter_prompts": ["green", "blue", "yellow"], "action": "block"},
        {"name": "blue", "prompts": ["blue"], "counter_prompts": ["green", "red", "yellow"], "action": "review"},
    ]
}


def _write(folder: Path, name: str, seed: int, noise: int, label: Any, per_color: int = 25) -> Path:
    rows: list[dict[str, Any]] = []
    for color in COLORS:
        for at in range(per_color):
            file = f"{name}-{color}-{at}.png"
            color_image(color, 1_000 * seed + len(rows), noise).save(folder / file)
            rows.append({"image": file, "violates": label(color)})
    return write_lines(folder / f"{name}.jsonl", rows)


def _rules(color: str) -> list[str]:
    return [color] if color in ("red", "blue") else []


def _policy() -> Policy:
    return Policy.model_validate(POLICY)


def test_a_threshold_picked_on_some_is_as_good_on_others(tmp_path: Path) -> None:
    some = measure(_write(tmp_path, "some", 1, 90, _rules), _policy(), ColorEncoder())
    others = measure(_write(tmp_path, "others", 2, 90, _rules), _policy(), ColorEncoder())
    curve = others["curve"]
    nearest = min(curve, key=lambda point: abs(point["threshold"] - some["best"]["threshold"]))
    assert nearest["f1"] >= max(point["f1"] for point in curve) - 0.03
    assert some["test"]["f1"] == pytest.approx(nearest["f1"], abs=0.08)


def test_each_rule_has_a_threshold_of_its_own(tmp_path: Path) -> None:
    measured = measure(_write(tmp_path, "some", 1, 40, _rules), _policy(), ColorEncoder())
    assert (measured["images"], measured["violating"]) == (100, 50)
    for name in ("red", "blue"):
        rule = measured["rules"][name]
        assert rule["examples"] == 25
        assert rule["f1"] > 0.95
        assert rule["test"]["f1"] > 0.9
    thresholds = [rule["threshold"] for rule in measured["policy"]["rules"]]
    assert thresholds == [measured["rules"][name]["threshold"] for name in ("red", "blue")]
    Policy.model_validate(measured["policy"])
    # What is told of the policy is what it does as it is stored.
    rows = measured["details"]["images"]
    stopped = [
        any(row["scores"][name] >= at for name, at in zip(("red", "blue"), thresholds, strict=True)) for row in rows
    ]
    rightly = sum(some and bool(row["violates"]) for some, row in zip(stopped, rows, strict=True))
    assert measured["together"]["precision"] == pytest.approx(rightly / sum(stopped), abs=1e-5)
    assert measured["together"]["recall"] == pytest.approx(rightly / 50, abs=1e-5)


def test_true_and_false_say_which_rule_only_where_there_is_one(tmp_path: Path) -> None:
    file = _write(tmp_path, "some", 1, 40, lambda color: color in ("red", "blue"))
    measured = measure(file, _policy(), ColorEncoder())
    assert measured["rules"] == {"red": {"examples": 0}, "blue": {"examples": 0}}
    assert measured["best"]["f1"] > 0.9
    assert {rule["threshold"] for rule in measured["policy"]["rules"]} == {measured["best"]["threshold"]}
    alone = Policy.model_validate({"rules": POLICY["rules"][:1]})
    measured = measure(_write(tmp_path, "red", 1, 40, lambda color: color == "red"), alone, ColorEncoder())
    assert measured["rules"]["red"]["threshold"] == measured["best"]["threshold"]


@pytest.mark.parametrize("goal", ["recall=0.9", "precision=0.95"])
def test_goals_are_reached_with_the_most_of_the_other(tmp_path: Path, goal: str) -> None:
    measured = measure(_write(tmp_path, "some", 1, 120, _rules), _policy(), ColorEncoder(), Aim.parse(goal))
    name, _, least = goal.partition("=")
    other = "precision" if name == "recall" else "recall"
    assert measured["best"][name] >= float(least)
    assert measured["best"][other] == max(point[other] for point in measured["curve"] if point[name] >= float(least))


def test_rules_with_few_examples_keep_the_threshold_they_have(tmp_path: Path) -> None:
    file = _write(tmp_path, "some", 1, 40, lambda color: ["red"] if color == "red" else [])
    rules = [POLICY["rules"][0], POLICY["rules"][1] | {"threshold": 0.3}]
    measured = measure(file, Policy.model_validate({"rules": rules}), ColorEncoder())
    assert measured["rules"]["blue"] == {"examples": 0}
    assert measured["policy"]["rules"][1]["threshold"] == 0.3


@pytest.mark.parametrize(
    ("violates", "said"),
    [
        (lambda _: [], "too few images"),
        (lambda _: True, "too few images"),
        (lambda _: "red", "it needs `violates`"),
        (lambda _: ["purple"], "there is no rule 'purple'; the policy has red, blue"),
    ],
)
def test_files_that_say_too_little_are_refused(tmp_path: Path, violates: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        measure(_write(tmp_path, "some", 1, 40, violates, per_color=4), _policy(), ColorEncoder())


class TestTheCommand:
    @pytest.fixture(autouse=True)
    def _encoder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(labels, "load_encoder", lambda _: ColorEncoder())

    def _run(self, folder: Path, *further: str) -> int:
        (folder / "policy.json").write_text(json.dumps(POLICY), encoding="utf-8")
        given: Sequence[str] = ("--images", str(_write(folder, "some", 1, 40, _rules)))
        return command.main(["moderation", *given, "--policy", str(folder / "policy.json"), *further])

    def test_prints_one_object_and_stores_what_it_found(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self._run(tmp_path, "--json", "--store", "house", "--data-dir", str(tmp_path / "data")) == 0
        measured = printed(capsys)
        assert set(measured["best"]) == {"threshold", "precision", "recall", "f1"}
        assert measured["stored"] == {"name": "house", "version": 1}
        document = open_store(IndexSettings(data_dir=tmp_path / "data")).documents.read("policies", "house")
        assert document.content == measured["policy"]

    def test_refuses_to_store_under_no_name_or_what_another_models_vectors_would_be_held_to(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit, match="2"):
            self._run(tmp_path, "--store", "Bad Name")
        assert "'Bad Name' is no name of a policy" in capsys.readouterr().err
        ingest(write_lines(tmp_path / "c.jsonl", [{"id": "a", "title": "a"}]), tmp_path / "data", HashEncoder())
        assert self._run(tmp_path, "--store", "house", "--data-dir", str(tmp_path / "data")) == 1
        assert "vectors are of model 'hash'" in capsys.readouterr().err

    def test_prints_a_table(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert self._run(tmp_path) == 0
        assert "F1 of others" in capsys.readouterr().out

    @pytest.mark.parametrize("goal", ["recall", "recall=0", "precision=2", "f2", "f1=1"])
    def test_refuses_goals_that_are_none(self, tmp_path: Path, goal: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            self._run(tmp_path, "--goal", goal)
        assert "none of f1" in capsys.readouterr().err

    def test_refuses_a_policy_that_is_none(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "wrong.json").write_text('{"rules": [{"name": "a", "action": "block"}]}', encoding="utf-8")
        assert self._run(tmp_path, "--policy", str(tmp_path / "wrong.json")) == 1
        assert "rules.0: a rule needs prompts or images" in capsys.readouterr().err
