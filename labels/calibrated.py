"""What was measured of label sets and policies on labelled images: documents ``calibrations/label-set-NAME`` and
``calibrations/policy-NAME``: whether it still holds, and what follows from it.

A catalog has drifted where the population stability index of its scores, over the deciles that they had, is above a
quarter, the usual mark of another population.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np
from pydantic import ValidationError

from images.arrays import Floats, Numbers
from index import Documents
from schemas import (
    DocumentDamaged,
    DocumentNotFound,
    EmbeddingSpec,
    LabelCalibration,
    Policy,
    PolicyCalibration,
)

log = logging.getLogger(__name__)

DRIFTED = 0.25
_LEAST = 1e-3
"""Share of a tenth that nothing falls into."""

Of = Literal["label-set", "policy"]
Found = TypeVar("Found", LabelCalibration, PolicyCalibration)


def calibration_name(of: Of, name: str) -> str:
    """The name of the document."""
    return f"{of}-{name}"


def label_calibration(
    documents: Documents, name: str, version: int, spec: EmbeddingSpec
) -> tuple[LabelCalibration | None, list[str]]:
    """What holds of a version of a label set with a model, and what people are to know of it."""
    return _holding(LabelCalibration, documents, "label-set", name, version, spec)


def policy_calibration(
    documents: Documents, name: str, version: int, spec: EmbeddingSpec
) -> tuple[PolicyCalibration | None, list[str]]:
    """The same of a policy."""
    return _holding(PolicyCalibration, documents, "policy", name, version, spec)


def _holding(
    model: type[Found], documents: Documents, of: Of, name: str, version: int, spec: EmbeddingSpec
) -> tuple[Found | None, list[str]]:
    called = calibration_name(of, name)
    if len(called) > 64:  # no document has such a name
        return None, []
    try:
        found = model.model_validate(documents.read("calibrations", called).content)
    except DocumentNotFound:
        return None, []
    except (DocumentDamaged, ValidationError) as error:
        log.warning("calibrations/%s cannot be read, and counts as none: %s", called, error)
        return None, [f"calibrations/{called} cannot be read, and counts as none"]
    if found.fingerprint != spec.fingerprint:
        return None, [f"calibrations/{called} is of model {found.model}, and counts as none: calibrate again"]
    if found.version != version:
        return None, [f"calibrations/{called} is of version {found.version}, and counts as none: calibrate again"]
    return found, []


def deciles(scores: Floats | Numbers) -> list[float]:
    """Nine numbers that part scores, ``(n,)``, into tenths."""
    return [round(float(edge), 6) for edge in np.quantile(scores, np.arange(1, 10) / 10)]


def population_stability(scores: Floats | Numbers, edges: Sequence[float]) -> float:
    """How far the distribution of scores, ``(n,)``, is from one that these deciles were of: 0 where it is the same."""
    shares = np.bincount(np.searchsorted(np.asarray(edges), scores, side="right"), minlength=10) / len(scores)
    shares = np.maximum(shares, _LEAST)
    return float(((shares - 0.1) * np.log(shares / 0.1)).sum())


def drift_notice(name: str, scores: Floats | Numbers, edges: Sequence[float]) -> list[str]:
    """What to say where the catalog's scores are not what they were."""
    if not len(scores) or (index := population_stability(scores, edges)) <= DRIFTED:
        return []
    return [
        f"the catalog has drifted since {name} was calibrated (population stability index {index:.2f}): calibrate again"
    ]


def with_thresholds(policy: Policy, calibration: PolicyCalibration) -> Policy:
    """The policy, its rules without a threshold of their own with those that were measured."""
    rules = [
        rule.model_copy(update={"threshold": calibration.thresholds.get(rule.name)}) if rule.threshold is None else rule
        for rule in policy.rules
    ]
    return policy.model_copy(update={"rules": rules})
