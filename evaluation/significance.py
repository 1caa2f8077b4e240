"""How sure a mean is, and a difference between two: bootstrap and paired randomisation, by scipy.

Queries are what is drawn: the intervals are about other queries of the same kind, not about other catalogs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, false_discovery_control, permutation_test

Array = NDArray[np.float64]

CONFIDENCE = 0.95
_RESAMPLES = 2_000
_PERMUTATIONS = 9_999
_BATCH = 2_000_000
"""Numbers that are resampled at once."""
_SEED = 20_240_101


def mean(values: Array, weights: Array) -> Array:
    """Of ``(n, m)``, the mean by column, weighted by ``(n,)``."""
    averaged: Array = np.average(values, axis=0, weights=weights)
    return averaged


def interval(values: Array, weights: Array) -> Array:
    """The 95 % interval of ``mean``: ``(m, 2)``, by percentiles of resampled queries; of one query, its value."""
    if len(values) < 2 or not np.ptp(values, axis=0).any():
        return np.repeat(mean(values, weights)[:, None], 2, axis=1)

    def weighted(values: Array, weights: Array, axis: int) -> Array:
        total: Array = (values * weights).sum(axis) / weights.sum(axis)
        return total

    found: Any = bootstrap(
        (values, weights[:, None]),
        weighted,
        axis=0,
        paired=True,
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=max(1, _BATCH // values.size),
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    )
    return np.stack(found.confidence_interval, axis=1)


def rate_intervals(taken: NDArray[np.bool_], positive: NDArray[np.bool_]) -> dict[str, list[float]]:
    """The 95 % intervals of precision, recall and F1 of what is ``taken`` of ``(n,)`` things, by percentiles of
    resampled things."""
    counts = [(taken & positive).sum(), (taken & ~positive).sum(), (~taken & positive).sum()]
    shares = np.array([*counts, len(taken) - sum(counts)]) / len(taken)
    draws = np.random.default_rng(_SEED).multinomial(len(taken), shares, _RESAMPLES).astype(np.float64)
    right, wrong, missed, _ = draws.T

    def share(part: Array, whole: Array) -> Array:
        return np.divide(part, whole, out=np.ones(len(part)), where=whole > 0)

    drawn = {
        "precision": share(right, right + wrong),
        "recall": share(right, right + missed),
        "f1": share(2 * right, 2 * right + wrong + missed),
    }
    ends = (50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE))
    return {name: np.percentile(values, ends).round(6).tolist() for name, values in drawn.items()}


def p_values(one: Array, other: Array, weights: Array) -> Array:
    """Two-sided, that the means of two systems over the same queries differ: ``(m,)``.

    The paired randomisation test (Fisher): under the null hypothesis which of a query's two values is whose is chance.
    Exact where there are few queries. Queries on which both are equal cannot tell.
    """
    differ = (one != other).any(axis=1)
    if not differ.any():
        return np.ones(one.shape[1])
    kept = weights[differ]

    def difference(one: Array, other: Array, axis: int) -> Array:
        total: Array = np.average(one - other, axis=axis, weights=kept)
        return total

    if len(kept) == 1:
        return np.ones(one.shape[1])  # of one query either sign is as likely
    found: Any = permutation_test(
        (one[differ], other[differ]),
        difference,
        permutation_type="samples",
        vectorized=True,
        n_resamples=_PERMUTATIONS,
        batch=max(1, _BATCH // one[differ].size),
        axis=0,
        rng=np.random.default_rng(_SEED),
    )
    p: Array = np.minimum(found.pvalue, 1.0)
    return p


def corrected(p: Sequence[float]) -> list[float]:
    """p-values of several tests, adjusted so that at most 5 % of those below .05 are false (Benjamini-Hochberg)."""
    return [float(value) for value in false_discovery_control(p)] if len(p) else []
