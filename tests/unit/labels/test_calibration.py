"""Temperatures, thresholds and calibration errors, against definitions spelled out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from labels import (
    PrecisionRecall,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    reliability,
    threshold_of_unknown,
    threshold_without_examples,
)
from labels.calibration import Goal

RANDOM = np.random.default_rng(7)


def _drawn(temperature: float, n: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """Similarities, and labels drawn with the probabilities they have at a temperature."""
    similarities = RANDOM.normal(0, 0.1, (n, 5))
    probabilities = softmax(similarities / temperature, axis=1)
    return similarities, np.array([RANDOM.choice(5, p=row) for row in probabilities])


@pytest.mark.parametrize("temperature", [0.02, 0.1, 0.2])
def test_the_temperature_is_the_one_that_labels_were_drawn_with(temperature: float) -> None:
    similarities, truth = _drawn(temperature)
    fitted = fit_temperature(lambda t: softmax(similarities / t, axis=1), truth)
    assert fitted == pytest.approx(temperature, rel=0.15)
    probabilities = softmax(similarities / fitted, axis=1)
    right = probabilities.argmax(axis=1) == truth
    good = expected_calibration_error(reliability(probabilities.max(axis=1), right))
    overconfident = softmax(similarities / (fitted / 10), axis=1)
    bad = expected_calibration_error(reliability(overconfident.max(axis=1), right))
    assert good < 0.04 < bad


def test_log_loss_is_the_usual_one() -> None:
    similarities, truth = _drawn(0.1, 200)
    probabilities = softmax(similarities / 0.07, axis=1)
    by_hand = -sum(math.log(row[label]) for row, label in zip(probabilities, truth, strict=True)) / len(truth)
    assert log_loss(probabilities, truth) == pytest.approx(by_hand, abs=1e-9)


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    right = np.array([True, False, True, True])
    diagram = reliability(confidence, right, bins=10)
    assert [(bin.count, bin.accuracy) for bin in diagram] == [(2, 1.0), (2, 0.5)]
    assert expected_calibration_error(diagram) == pytest.approx(0.5 * 0.45 + 0.5 * 0.45)
    assert expected_calibration_error(reliability(np.array([1.0, 0.0]), np.array([True, False]))) == 0.0


_SCORED = st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=1, max_size=40).filter(
    lambda scored: any(positive for _, positive in scored)
)


class TestCurves:
    @given(_SCORED)
    def test_every_point_is_what_its_threshold_does(self, scored: list[tuple[int, bool]]) -> None:
        scores = np.array([score / 7 for score, _ in scored], np.float32)
        positive = np.array([flag for _, flag in scored])
        curve = PrecisionRecall.of(scores, positive)
        assert (np.diff(curve.thresholds) < 0).all()
        assert len(curve.thresholds) == len(set(scores.tolist())) + 1
        for at, threshold in enumerate(curve.thresholds):
            taken = scores >= threshold
            right, wrong = int((taken & positive).sum()), int((taken & ~positive).sum())
            missed = int((~taken & positive).sum())
            assert curve.precision[at] == pytest.approx(right / (right + wrong) if right + wrong else 1.0)
            assert curve.recall[at] == pytest.approx(right / (right + missed))
            assert curve.f1[at] == pytest.approx(2 * right / (2 * right + wrong + missed))
        assert curve.f1[curve.best("f1")] == curve.f1.max()

    @given(_SCORED, st.floats(0.1, 1.0))
    def test_goals_are_kept_with_the_most_of_the_other(self, scored: list[tuple[int, bool]], least: float) -> None:
        curve = PrecisionRecall.of(np.array([score for score, _ in scored]), np.array([flag for _, flag in scored]))
        at = curve.best("recall", least)
        assert curve.recall[at] >= least
        assert curve.precision[at] == curve.precision[curve.recall >= least].max()
        at = curve.best("precision", least)
        assert curve.precision[at] >= least
        assert curve.recall[at] == curve.recall[curve.precision >= least].max()

    def test_of_thresholds_that_are_as_good_it_is_the_one_in_the_middle(self) -> None:
        curve = PrecisionRecall.of(np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, True, False, False]))
        assert curve.thresholds[curve.best("f1")] == pytest.approx(0.5)

    @pytest.mark.parametrize("goal", ["f1", "youden"])
    def test_nothing_to_be_taken_is_no_error(self, goal: Goal) -> None:
        curve = PrecisionRecall.of(np.array([0.1, 0.2]), np.array([False, False]))
        assert 0 <= curve.best(goal) < len(curve.thresholds)


def test_unknown_is_what_lies_below() -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.6, 0.7], np.float32)
    threshold = threshold_of_unknown(scores, np.array([True, True, True, False, False]))
    assert 0.3 < threshold < 0.6


def test_without_anything_unknown_labels_that_are_left_out_stand_for_it() -> None:
    truth = RANDOM.integers(0, 4, 400)
    similarities = RANDOM.normal(0.1, 0.02, (400, 4)).astype(np.float32)
    similarities[np.arange(400), truth] += 0.2
    assert 0.15 < threshold_without_examples(similarities, truth) < 0.28
    alone = similarities[:, :1]
    assert np.mean(alone < threshold_without_examples(alone, np.zeros(400, int))) == pytest.approx(0.05, abs=0.01)
