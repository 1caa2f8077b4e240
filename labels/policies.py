"""Policies: how near things are to what rules look for, and what is done about it.

The score of a rule is the cosine with the nearest of its prompts, less that with the nearest counter-prompt; and the
same of exemplar images, added, where images are judged. So it grows with what is meant, and falls with what merely
looks like it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from images.arrays import Floats, Vectors, check_vectors
from labels.background import FEWEST, Kind, LabelBackground
from labels.prompts import PromptEncoder
from schemas import Action, Exemplar, Policy, PolicyRule, RuleScore

STRICTNESS: dict[Action, int] = {"allow": 0, "review": 1, "block": 2}

_RARE = 0.01
"""Of a catalog, what an uncalibrated rule without anything to compare with may fire for."""


@dataclass(frozen=True, slots=True)
class Line:
    """From which score a rule fires; ``calibrated`` where its policy says so, of what is judged."""

    threshold: float | None
    calibrated: bool


class Moderator:
    """A policy with the vectors of what its rules look for.

    Args:
        exemplars: The vector of an image that a rule names, ``(dim,) float32``, unit length; None where it is gone.
    """

    def __init__(
        self, policy: Policy, prompts: PromptEncoder, exemplars: Callable[[Exemplar], Vectors | None] = lambda _: None
    ) -> None:
        self.rules: list[PolicyRule] = policy.rules
        self.missing = 0
        """Exemplars that are gone."""
        rows: list[Vectors] = []
        self._places: list[list[list[int]]] = []
        """Of each rule the rows of its prompts, counter-prompts, images and counter-images."""
        for rule in policy.rules:
            places: list[list[int]] = []
            for texts in (rule.prompts, rule.counter_prompts):
                places.append(list(range(len(rows), len(rows) + len(texts or ()))))
                rows.extend(prompts.encode(texts) if texts else ())
            for images in (rule.images, rule.counter_images):
                found = [vector for image in images or () if (vector := exemplars(image)) is not None]
                self.missing += len(images or ()) - len(found)
                places.append(list(range(len(rows), len(rows) + len(found))))
                rows += found
            self._places.append(places)
        dimension = prompts.encoder.spec.dimension
        self._vectors = np.stack(rows) if rows else np.empty((0, dimension), np.float32)
        if rows:
            check_vectors(self._vectors, (len(rows), dimension), "what the policy looks for")

    def scores(self, vectors: Vectors, kind: Kind) -> Floats:
        """``(n, rules) float32`` of ``(n, dim) float32``, unit rows; NaN where a rule has nothing to compare with."""
        found = np.full((len(vectors), len(self.rules)), np.nan, np.float32)
        if not len(vectors):
            return found
        check_vectors(vectors, (len(vectors), self._vectors.shape[1]), "what is moderated")
        cosines = vectors @ self._vectors.T
        for at in range(len(self.rules)):
            parts = self._parts(at, kind)
            margins = [_margin(cosines, meant, not_meant) for meant, not_meant in parts if meant]
            if margins:
                found[:, at] = np.sum(margins, axis=0)
        return found

    def _parts(self, rule: int, kind: Kind) -> list[tuple[list[int], list[int]]]:
        """What is meant and what is not, by texts and, for images, by images."""
        prompts, counters, images, counter_images = self._places[rule]
        return [(prompts, counters), *([(images, counter_images)] if kind == "image" else [])]

    def lines(self, kind: Kind, backgrounds: dict[Kind, LabelBackground]) -> list[Line]:
        """From which scores the rules fire.

        Thresholds of policies are of images. Those of texts lie as many deviations from what the catalog's titles
        score as they lie from what its images score. Without a threshold, what is nearer to prompts than to
        counter-prompts fires, or what is nearer than nearly all of the catalog, or what is both.
        """
        usual: dict[Kind, Floats] = {}
        for of, background in backgrounds.items():
            if len(background.things) >= FEWEST:
                usual[of] = self.scores(background.things, of)
        return [self._line(at, rule, kind, usual) for at, rule in enumerate(self.rules)]

    def _line(self, at: int, rule: PolicyRule, kind: Kind, usual: dict[Kind, Floats]) -> Line:
        if rule.threshold is not None:
            if kind == "image" or not {"image", "text"} <= usual.keys():
                return Line(rule.threshold, kind == "image")
            images, texts = (usual[of][:, at].astype(np.float64) for of in ("image", "text"))
            deviations = (rule.threshold - images.mean()) / max(float(images.std()), 1e-6)
            return Line(float(texts.mean() + deviations * texts.std()), False)
        compared = all(not_meant for meant, not_meant in self._parts(at, kind) if meant)
        if kind not in usual or (compared and rule.at_most is None):
            return Line(0.0 if compared else None, False)
        rare = float(np.quantile(usual[kind][:, at], 1.0 - (rule.at_most or _RARE)))
        return Line(max(rare, 0.0) if compared else rare, False)


def _margin(cosines: Floats, meant: Sequence[int], not_meant: Sequence[int]) -> Floats:
    near: Floats = cosines[:, meant].max(axis=1)
    return near - cosines[:, not_meant].max(axis=1) if not_meant else near


def judge(scores: Floats, rules: Sequence[PolicyRule], lines: Sequence[Line]) -> tuple[Action, list[RuleScore]]:
    """The strictest action of the rules that fire, and what each says.

    Args:
        scores: ``(rules,)``: of several images of a product, the most that any scores.
    """
    said = [
        RuleScore(
            rule=rule.name,
            score=round(float(score), 6),
            threshold=None if line.threshold is None else round(line.threshold, 6),
            fired=line.threshold is not None and bool(score >= line.threshold),
            action=rule.action,
            calibrated=line.calibrated,
        )
        for score, rule, line in zip(scores, rules, lines, strict=True)
        if not np.isnan(score)
    ]
    fired: list[Action] = [one.action for one in said if one.fired]
    return max(fired, key=STRICTNESS.__getitem__, default="allow"), said
