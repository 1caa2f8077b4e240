"""The page of a calibration of a label set or a policy: what its numbers are worth on images not fitted on."""

from __future__ import annotations

from typing import Any

from evaluation.report.classification import reliability_chart, reliability_table
from evaluation.report.page import Figure, ReportPage, Section, Table
from schemas import LabelCalibration, PolicyCalibration

_HALVES = (
    "The images are parted into halves, copies of one on one side: what the validation half fits is judged on the test "
    "half, which nothing was fitted on."
)


def label_calibration_page(calibration: LabelCalibration | PolicyCalibration) -> ReportPage:
    """What was fitted, and how well that holds."""
    facts = {
        "calibrated on": calibration.source,
        "images": f"{calibration.images:,}",
        "version": str(calibration.version),
        "model": calibration.model,
        "products": f"{calibration.products:,}",
    }
    if isinstance(calibration, LabelCalibration):
        return ReportPage(f"What the label set {calibration.name} means here", facts, _of_label_set(calibration))
    return ReportPage(f"From where on the policy {calibration.name} fires", facts, _of_policy(calibration))


def _of_label_set(calibration: LabelCalibration) -> list[Section]:
    test: Any = calibration.test
    unknown = test["unknown"]
    without = "left-out labels" if not unknown["examples"] else f"{unknown['examples']} images of other things"
    return [
        Section(
            "What was fitted",
            "Similarities become probabilities by the temperature, once the share of the bias is taken off them: what "
            "each label scores with the catalog's average image. Below the threshold the answer is `unknown`.",
            figures=[
                Figure("temperature", f"{calibration.temperature:.4g}"),
                Figure("unknown below", f"{calibration.threshold:.4f}", "similarity of the nearest label"),
                Figure("bias removed", f"{calibration.bias:.0%}"),
            ],
        ),
        Section(
            "How well it holds",
            _HALVES,
            figures=[
                Figure("accuracy", f"{test['accuracy']:.3f}", f"of {test['images']} images"),
                Figure("calibration error", f"{test['expected_calibration_error']:.3f}", "expected; 0 is best"),
                Figure("log loss", f"{test['log_loss']:.3f}"),
                Figure("F1 of unknown", f"{unknown['f1']:.3f}", f"with {without}"),
            ],
            charts=[reliability_chart(test["reliability"])],
            tables=[reliability_table(test["reliability"])],
        ),
    ]


def _of_policy(calibration: PolicyCalibration) -> list[Section]:
    test: Any = calibration.test
    rows = [
        [rule, threshold, *(test["rules"].get(rule, {}).get(rate) for rate in ("precision", "recall", "f1"))]
        for rule, threshold in calibration.thresholds.items()
    ]
    return [
        Section(
            "How well it holds",
            f"{_HALVES} The thresholds are picked for {test['goal']}.",
            figures=[
                Figure(name, f"{test['policy'][rate]:.3f}")
                for name, rate in (("precision", "precision"), ("recall", "recall"), ("F1", "f1"))
            ],
            tables=[Table(["rule", "threshold", "precision", "recall", "F1"], rows)],
        ),
    ]
