"""Weights of the legs, fitted on labelled requests of one catalog.

Requests of each regime are fused with every table of a grid, and judged by nDCG@10, each kind of request counting as
much as another. Of the tables that are no worse than the best by one standard error of their difference (Breiman's
one-standard-error rule, https://doi.org/10.1201/9781315139470), the one nearest to what is shipped is taken: requests
that are made at home hold the catalog's own words, and what fits them best is not best for people's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from itertools import product
from typing import get_args
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from evaluation.home_made import Example
from images.arrays import Numbers
from schemas import LegName, Weighed
from search import LegWeights
from search.result_set import Observed
from search.weights import Regime, Table

Tables = Mapping[Weighed, Table]

_FEWEST = 10
"""Requests of a regime, below which its shipped table is kept."""
_AT = 10
_DISCOUNT = 1.0 / np.log2(np.arange(_AT) + 2.0)
_TEXTS, _IMAGES, _WORDS = (0.05, 0.15, 0.5, 1.0), (0.02, 0.1, 0.3, 1.0, 2.0), (0.1, 0.3, 0.6, 1.0, 2.0, 4.0)
_TEXTS_OF_IMAGES = (0.0, 0.02, 0.1, 0.2, 0.5, 1.0)
_STEP = 0.01
"""Added to weights whose ratio is their distance, so that nothing and next to nothing are near each other."""


def fit_weights(examples: Sequence[Example], shipped: LegWeights) -> dict[Weighed, Table]:
    """The tables that differ from those shipped; none where these are as good."""
    of_regime: defaultdict[Weighed, list[Example]] = defaultdict(list)
    for example in examples:
        if example.relevant and example.observed.weighed is not None:
            of_regime[example.observed.weighed].append(example)
    before = tables_of(shipped)
    fitted = {regime: _fit(some, before[regime], _grid(regime)) for regime, some in of_regime.items()}
    return {regime: table for regime, table in fitted.items() if table != before[regime]}


def tables_of(weights: LegWeights) -> dict[Weighed, Table]:
    words = weights.words
    return {**{regime: words.of(regime) for regime in get_args(Regime)}, "image": weights.image}


def _grid(regime: Weighed) -> list[Table]:
    if regime == "image":
        return [{"image->image": 1.0, "image->text": text} for text in _TEXTS_OF_IMAGES]
    return [
        {"text->title": 1.0, "text->text": text, "text->image": image, "lexical": words}
        for text, image, words in product(_TEXTS, _IMAGES, _WORDS)
    ]


def _fit(examples: Sequence[Example], shipped: Table, grid: Sequence[Table]) -> Table:
    if len(examples) < _FEWEST:
        return shipped
    tables = [shipped, *grid]
    scores = np.stack([ndcg_of(example, tables) for example in examples])
    counts = Counter(example.kind for example in examples)
    counted = np.array([1.0 / counts[example.kind] for example in examples]) / len(counts)
    means = counted @ scores
    behind = scores[:, [int(np.argmax(means))]] - scores
    mean = counted @ behind
    error = np.sqrt(counted**2 @ (behind - mean) ** 2)
    as_good = np.flatnonzero(mean <= error + 1e-9).tolist()
    return min((tables[at] for at in as_good), key=lambda table: _distance(table, shipped))


def _distance(one: Table, other: Table) -> float:
    """Of two tables whatever their scale: a leg that weighs twice as much beside the others counts as log 2."""
    logs = np.array([np.log((one[leg] + _STEP) / (other[leg] + _STEP)) for leg in other])
    return float(np.abs(logs - np.median(logs)).sum())


def ndcg_of(example: Example, tables: Sequence[Table]) -> Numbers:
    """nDCG@10 of a request fused with each of the tables: ``(tables,) float64``."""
    observed = example.observed
    fused = _fused(observed, tables)
    fused[:, _among(observed.points, observed.exact)] = np.inf
    gains = _among(observed.points, example.relevant).astype(np.float64)
    best = np.argsort(-fused, axis=1, kind="stable")[:, :_AT]
    found = gains[best] @ _DISCOUNT[: best.shape[1]]
    return np.asarray(found / _DISCOUNT[: min(_AT, len(example.relevant))].sum(), np.float64)


def ndcg_of_legs(example: Example) -> dict[LegName, float]:
    """nDCG@10 of each leg by itself."""
    legs = list(example.observed.legs)
    alone = [{other: float(other == leg) for other in legs} for leg in legs]
    return dict(zip(legs, ndcg_of(example, alone).tolist(), strict=True))


def weighed(observed: Observed, tables: Tables) -> Observed:
    """As it is seen with these weights: its candidates' shares of the best score."""
    if observed.weighed is None or observed.weighed not in tables:
        return observed
    (fused,) = _fused(observed, [tables[observed.weighed]])
    named = _among(observed.points, observed.exact)
    top = float(fused[~named].max(initial=0.0)) or 1.0
    shares = np.where(named, 1.0, fused / top).tolist()
    return replace(observed, shares=dict(zip(observed.points, shares, strict=True)))


def _fused(observed: Observed, tables: Sequence[Table]) -> Numbers:
    """Scores of the candidates with each of the tables: ``(tables, points)``."""
    weights = np.array([[table[leg] for leg in observed.legs] for table in tables])
    return np.asarray(weights @ np.stack(list(observed.legs.values())), np.float64)


def _among(points: Sequence[UUID], some: Set[UUID]) -> NDArray[np.bool_]:
    return np.array([point in some for point in points], np.bool_)
