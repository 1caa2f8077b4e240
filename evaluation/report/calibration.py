"""The page of a calibration of searches: how sure an answer has to be, and what that says of new requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evaluation.report.charts import Estimate, curves, intervals
from evaluation.report.page import Figure, ReportPage, Section, Table
from schemas import Calibration

_SHARES = [step / 50 for step in range(51)]
_Z = 1.96
"""Of a 95 % interval."""


def calibration_page(calibration: Calibration, verdict: Mapping[str, float] | None) -> ReportPage:
    """
    Args:
        verdict: What ``none`` for requests of words is worth: ``threshold``, ``precision``, ``recall``.
    """
    kinds: dict[str, Any] = calibration.test
    figures = []
    if verdict is not None:
        figures = [
            Figure("not sold, and said so", f"{verdict['recall']:.3f}", "of requests for what the catalog lacks"),
            Figure("rightly said so", f"{verdict['precision']:.3f}", "of requests that are answered with `none`"),
            Figure("none below", f"{verdict['threshold']:.3f}", "probability that the catalog has it"),
        ]
    none = {
        kind: {"answered with none": _share(its["none"], its["requests"])}
        for kind, its in kinds.items()
        if "none" in its
    }
    table = [
        [kind, its["requests"], its.get("none"), its.get("f1_mean"), its.get("f1_median")]
        for kind, its in kinds.items()
    ]
    fitting: dict[str, list[float]] = {
        asked: np.interp(_SHARES, curve.shares, curve.probabilities).tolist()
        for asked, curve in calibration.fitting.items()
        if curve.requests
    }
    sections = [
        Section(
            "At a glance",
            "The requests are parted into two halves, those of one source on one side: what one half fits is judged on "
            "the other. What is kept for use is fitted on both.",
            figures=figures,
        ),
        Section(
            "By kind of request",
            "How often the answer is `none`, which is right for what is not sold and wrong for all else; and how well "
            "the set that is found agrees with the labels.",
            charts=[intervals("answered with none", "share, with its 95 % interval", none)] if none else [],
            tables=[Table(["kind", "requests", "none", "F1 of the set, mean", "median"], table)],
        ),
        Section(
            "What fits",
            "How probable it is that a product fits, by its share of the best score of the request. What is below the "
            "floor is shown as less certain.",
            charts=[curves("probability of fitting", "share of the best", "probability", _SHARES, fitting)]
            if fitting
            else [],
            tables=[
                Table(
                    ["request", "fitted on", "floor", "least share", "least of a category"],
                    [
                        [asked, one.requests, one.floor, one.least_share, one.least_of_category]
                        for asked, one in calibration.fitting.items()
                    ],
                )
            ],
        ),
    ]
    facts = {
        "model": calibration.model,
        "generation": calibration.generation,
        "products": f"{calibration.products:,}",
        "requests": f"{sum(calibration.requests.values()):,}",
    }
    return ReportPage("What scores of searches mean here", facts, sections)


def _share(share: float, of: int) -> Estimate:
    """With Wilson's interval, which is sound where a share is 0 or 1."""
    middle = (share + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
    width = _Z / (1 + _Z**2 / of) * np.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    return Estimate(share, max(0.0, float(middle - width)), min(1.0, float(middle + width)))
