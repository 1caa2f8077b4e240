"""What rules say of vectors, and what is done about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from images.arrays import Vectors
from labels import Kind, LabelBackground, Moderator, PromptEncoder, judge
from schemas import Policy
from tests.support.encoders import DIMENSION, HashEncoder
from tests.support.points import unit

NO_BACKGROUND: dict[Kind, LabelBackground] = {}


class _Axes(HashEncoder):
    """A text ``7`` is the vector along the seventh axis."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return np.eye(DIMENSION, dtype=np.float32)[[int(text) for text in texts]]


def _moderator(*rules: dict[str, Any]) -> Moderator:
    policy = Policy.model_validate(
        {"rules": [{"name": str(at), "action": "block", **rule} for at, rule in enumerate(rules)]}
    )
    return Moderator(policy, PromptEncoder(_Axes()), lambda one: unit(1, DIMENSION, seed=int(one.product_id or 0))[0])


def _background(n: int = 200) -> LabelBackground:
    things = unit(n, DIMENSION, seed=5)
    return LabelBackground(things, things[:0], things[:0])


def test_a_score_is_the_nearest_prompt_less_the_nearest_counter_prompt() -> None:
    moderator = _moderator({"prompts": ["0", "1"]}, {"prompts": ["0"], "counter_prompts": ["1", "2"]})
    vectors = unit(50, DIMENSION, seed=1)
    scores = moderator.scores(vectors, "image")
    assert scores[:, 0] == pytest.approx(vectors[:, :2].max(axis=1), abs=1e-6)
    assert scores[:, 1] == pytest.approx(vectors[:, 0] - vectors[:, 1:3].max(axis=1), abs=1e-6)


def test_exemplar_images_are_added_for_images_and_say_nothing_of_texts() -> None:
    shown: dict[str, Any] = {
        "images": [{"product_id": "3"}, {"product_id": "4"}],
        "counter_images": [{"product_id": "5"}],
    }
    moderator = _moderator({"prompts": ["0"], **shown}, shown)
    vectors = unit(20, DIMENSION, seed=1)
    likes, dislikes = np.stack([unit(1, DIMENSION, seed=at)[0] for at in (3, 4)]), unit(1, DIMENSION, seed=5)[0]
    by_images = (vectors @ likes.T).max(axis=1) - vectors @ dislikes
    of_images, texts = moderator.scores(vectors, "image"), moderator.scores(vectors, "text")
    assert of_images[:, 0] == pytest.approx(vectors[:, 0] + by_images, abs=1e-5)
    assert of_images[:, 1] == pytest.approx(by_images, abs=1e-5)
    assert texts[:, 0] == pytest.approx(vectors[:, 0], abs=1e-6)
    assert np.isnan(texts[:, 1]).all()
    action, said = judge(texts[0], moderator.rules, moderator.lines("text", NO_BACKGROUND))
    assert [rule.rule for rule in said] == ["0"]
    assert action == "allow"


def test_the_strictest_action_of_the_rules_that_fire_counts() -> None:
    moderator = _moderator(
        {"prompts": ["0"], "threshold": 0.5, "action": "review"},
        {"prompts": ["1"], "threshold": 0.5},
        {"prompts": ["2"], "threshold": 0.5, "action": "allow"},
    )
    lines = moderator.lines("image", NO_BACKGROUND)
    assert all(line.calibrated for line in lines)
    cases = {(0.5, 0.5, 0.0): "block", (0.6, 0.4, 1.0): "review", (0.0, 0.0, 1.0): "allow", (0.0, 0.0, 0.0): "allow"}
    for scores, action in cases.items():
        decided, said = judge(np.array(scores, np.float32), moderator.rules, lines)
        assert decided == action
        assert [rule.fired for rule in said] == [score >= 0.5 for score in scores]


class TestRulesWithoutAThreshold:
    def test_fire_for_what_is_nearer_to_what_is_meant(self) -> None:
        [line] = _moderator({"prompts": ["0"], "counter_prompts": ["1"]}).lines("image", NO_BACKGROUND)
        assert (line.threshold, line.calibrated) == (0.0, False)

    def test_or_nearer_than_nearly_all_of_the_catalog(self) -> None:
        moderator = _moderator({"prompts": ["0"]})
        (line,) = moderator.lines("image", {"image": _background()})
        assert line.threshold is not None
        scores = moderator.scores(_background().things, "image")
        assert 0 < np.mean(scores >= line.threshold) <= 0.02
        assert not line.calibrated

    def test_or_for_what_is_both_where_a_share_is_named(self) -> None:
        rule = {"prompts": ["0"], "counter_prompts": ["1"]}
        moderator = _moderator({**rule, "at_most": 0.05}, {**rule, "at_most": 1.0})
        rare, any_ = moderator.lines("image", {"image": _background()})
        assert rare.threshold is not None
        assert np.mean(moderator.scores(_background().things, "image")[:, 0] >= rare.threshold) <= 0.055
        assert (any_.threshold, any_.calibrated) == (0.0, False)

    def test_or_for_nothing_where_nothing_is_known(self) -> None:
        moderator = _moderator({"prompts": ["0"]})
        (line,) = moderator.lines("image", {"image": _background(5)})
        assert (line.threshold, line.calibrated) == (None, False)
        assert judge(np.array([1.0], np.float32), moderator.rules, [line])[0] == "allow"


def test_a_threshold_of_images_is_moved_to_where_texts_lie() -> None:
    moderator = _moderator({"prompts": ["0"], "threshold": 0.4})
    images = _background()
    near = images.things * 0.5 + np.eye(DIMENSION, dtype=np.float32)[0]
    texts = LabelBackground(near / np.linalg.norm(near, axis=1, keepdims=True), images.items, images.descriptions)
    (line,) = moderator.lines("text", {"image": images, "text": texts})
    assert line.threshold is not None
    assert line.threshold > 0.8
    assert not line.calibrated
