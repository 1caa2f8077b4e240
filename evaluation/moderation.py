"""How well a policy tells what it is about, over all thresholds, and which one to take.

A threshold is picked by a goal: the best F1 (``labels.robust_threshold``), or so much recall or precision with the
most of the other. ``best`` and ``curve`` are of one threshold for whatever rule scores most, on all images, those it
was picked on. ``together`` is the policy as it is stored, each rule with its own threshold. ``test`` is what to expect
of that: each half of the images, copies on one side, judged with the thresholds that the other half picks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from embedding import Encoder
from evaluation.labelled_images import embed, halves, read_rows
from evaluation.significance import rate_intervals
from images import ImageLimits, decode_for_model
from images.arrays import Flags, Floats, Vectors
from images.inline import decode_query_image
from labels import Goal, Moderator, PrecisionRecall, PromptEncoder, robust_threshold
from schemas import ConfigurationError, Exemplar, ImageQuery, Policy, place_in

MOST_POINTS = 200
"""Of a curve."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What a threshold is to be good for."""

    goal: Goal = "f1"
    at_least: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Aim:
        """``f1``, ``recall=0.95`` or ``precision=0.9``. Raises ValueError."""
        name, given, value = text.partition("=")
        if name == "f1" and not given:
            return cls()
        goals: dict[str, Goal] = {"recall": "recall", "precision": "precision"}
        if name in goals and 0 < float(value) <= 1:
            return cls(goals[name], float(value))
        raise ValueError(text)

    def threshold(self, scores: Floats, positive: Flags) -> float:
        if self.goal == "f1":
            return robust_threshold(scores, positive)
        curve = PrecisionRecall.of(scores, positive)
        return float(curve.thresholds[curve.best(self.goal, self.at_least)])


def read_policy(path: Path) -> Policy:
    """Raises ConfigurationError, naming what is wrong in it."""
    try:
        return Policy.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"cannot read the policy in {path}: {error}") from error
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        place = ".".join(place_in(wrong["loc"]))
        said = wrong["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{path}: {place}: {said}" if place else f"{path}: {said}") from error


def measure(file: Path, policy: Policy, encoder: Encoder, aim: Aim | None = None) -> dict[str, Any]:
    """Hold the images of a file to a policy; ``details`` of what is given tell of every image.

    Args:
        file: JSONL, ``{"image": path, "violates": true | false | [rule, ..]}`` a line, paths relative to it.

    Raises:
        ConfigurationError: the file is none, or has no image that violates anything, or none that does not; in one
            half or the other as well.
    """
    aim = aim or Aim()
    names = [rule.name for rule in policy.rules]
    rows = read_rows(file, lambda row: _wrong(row, names))
    moderator = Moderator(policy, PromptEncoder(encoder), lambda one: _exemplar(one, encoder))
    images = embed(rows, file.parent, encoder)
    written = [row["violates"] for row in images.rows]
    scores = moderator.scores(images.vectors, "image")
    second = halves(images, [json.dumps(violates) for violates in written])
    violates = np.array([bool(one) for one in written])
    nearest: Floats = scores.max(axis=1)
    overall = _Judged(nearest, violates, second)
    if not overall.splits:
        raise ConfigurationError(
            "too few images, copies not counted, to pick a threshold on some and judge it by others: both halves need "
            "images that violate the policy and images that do not"
        )
    best = overall.at(aim)
    thresholds = {rule.name: rule.threshold for rule in policy.rules}
    rules: dict[str, Any] = {}
    stopped, crossed = np.zeros(len(written), np.bool_), np.zeros(len(written), np.bool_)
    for at, name in enumerate(names):
        # That something is violated says which rule only where there is but one.
        told = np.array([one is not True or len(names) == 1 for one in written])
        truth = np.array([name in one if isinstance(one, list) else one for one in written])
        judged = _Judged(scores[told, at], truth[told], second[told])
        rules[name] = {"examples": int(truth[told].sum())}
        of_halves = None
        if judged.splits:
            rules[name] |= judged.at(aim)
            thresholds[name], of_halves = rules[name]["threshold"], judged.of_halves(aim)
        elif not told.all():
            thresholds[name], of_halves = best["threshold"], overall.of_halves(aim)
        if (threshold := thresholds[name]) is not None:
            stopped |= scores[:, at] >= threshold
            crossed |= scores[:, at] >= (np.where(second, *of_halves) if of_halves else threshold)
    return {
        "images": len(written),
        "unusable": images.unusable,
        "clusters": int(images.clusters.max()) + 1,
        "violating": int(violates.sum()),
        "model": encoder.spec.model,
        "goal": aim.goal if aim.goal == "f1" else f"{aim.goal}={aim.at_least:g}",
        "best": {name: best[name] for name in ("threshold", "precision", "recall", "f1")},
        "together": _told(stopped, violates),
        "test": _told(crossed, violates),
        "intervals": rate_intervals(crossed, violates),
        "curve": overall.curve(),
        "rules": rules,
        "policy": _with_thresholds(policy, thresholds),
        "details": {"images": _details(images.rows, scores, names, crossed, violates)},
    }


def _details(
    rows: Sequence[Mapping[str, Any]], scores: Floats, rules: Sequence[str], taken: Flags, violates: Flags
) -> list[dict[str, Any]]:
    """Every image, and whether it is stopped by the threshold that the other half picks."""
    return [
        {
            "image": row["image"],
            "violates": row["violates"],
            "scores": {
                rule: round(float(score), 6) for rule, score in zip(rules, own, strict=True) if not np.isnan(score)
            },
            "stopped": bool(stopped),
            "right": bool(stopped == meant),
        }
        for row, own, stopped, meant in sorted(
            zip(rows, scores, taken, violates, strict=True), key=lambda one: str(one[0]["image"])
        )
    ]


def _wrong(row: dict[str, Any], rules: Sequence[str]) -> str | None:
    violates = row.get("violates")
    if isinstance(violates, bool):
        return None
    if not isinstance(violates, list) or not all(isinstance(rule, str) for rule in violates):
        return "it needs `violates`: true, false, or a list of rules"
    unknown = [rule for rule in violates if rule not in rules]
    return f"there is no rule {unknown[0]!r}; the policy has {', '.join(rules)}" if unknown else None


def _exemplar(exemplar: Exemplar, encoder: Encoder) -> Vectors | None:
    if exemplar.base64 is None:
        raise ConfigurationError("exemplar images by product are in an index; here, give them as base64")
    data = decode_query_image(ImageQuery(base64=exemplar.base64))
    vector: Vectors = encoder.encode_prepared(decode_for_model(data, ImageLimits(), encoder.preparer).pixels[:1])[0]
    return vector


@dataclass(frozen=True, slots=True)
class _Judged:
    """Scores, ``(n,)``, of what is to be taken and what is not, and which half each is in."""

    scores: Floats
    positive: Flags
    second: Flags

    @property
    def splits(self) -> bool:
        """Whether both halves have what is to be taken, and what is not."""
        return all(len(np.unique(self.positive[half])) == 2 for half in (self.second, ~self.second))

    def at(self, aim: Aim) -> dict[str, Any]:
        """The threshold of a goal, and what it does: here, and of each half as the other one has it."""
        threshold = aim.threshold(self.scores, self.positive)
        return {
            "threshold": round(threshold, 6),
            **_told(self.scores >= threshold, self.positive),
            "test": _told(self.crossed(aim), self.positive),
        }

    def of_halves(self, aim: Aim) -> tuple[float, float]:
        """The threshold that the first half picks, for the second, and the other way round."""
        first, second = (aim.threshold(self.scores[half], self.positive[half]) for half in (~self.second, self.second))
        return first, second

    def crossed(self, aim: Aim) -> Flags:
        """What is taken of each half by the threshold that the other one picks."""
        return np.asarray(self.scores >= np.where(self.second, *self.of_halves(aim)))

    def curve(self) -> list[dict[str, float]]:
        """What every threshold would do, or so many of them."""
        curve = PrecisionRecall.of(self.scores, self.positive)
        places = np.unique(np.linspace(0, len(curve.thresholds) - 1, MOST_POINTS).round().astype(int))
        columns = {
            "threshold": curve.thresholds,
            "precision": curve.precision,
            "recall": curve.recall,
            "f1": curve.f1,
        }
        return [{name: round(float(column[at]), 6) for name, column in columns.items()} for at in places]


def _told(taken: Flags, positive: Flags) -> dict[str, float]:
    right, wrong, missed = (
        int(n) for n in ((taken & positive).sum(), (taken & ~positive).sum(), (~taken & positive).sum())
    )
    return {
        "precision": round(right / (right + wrong), 6) if right + wrong else 1.0,
        "recall": round(right / (right + missed), 6) if right + missed else 1.0,
        "f1": round(2 * right / (2 * right + wrong + missed), 6) if right + wrong + missed else 1.0,
    }


def _with_thresholds(policy: Policy, thresholds: Mapping[str, float | None]) -> dict[str, Any]:
    """The policy, to be written as a document."""
    content: dict[str, Any] = policy.model_dump(mode="json", exclude_none=True)
    for rule in content["rules"]:
        if (threshold := thresholds[rule["name"]]) is not None:
            rule["threshold"] = round(threshold, 6)
    return content
