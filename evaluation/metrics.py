"""Metrics of ranked lists, and what a random ranking would reach.

ir-measures computes them by trec_eval's definitions: linear gain and log2 discount for nDCG; recall and success count
every grade above 0; MRR is over the whole list that is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, IPrec, R, Success, nDCG
from numpy.typing import NDArray
from scipy.stats import hypergeom

Values = NDArray[np.float64]
"""``(queries, metrics)``, in the order of ``METRICS``."""

_MEASURES = {
    "ndcg@10": nDCG @ 10,
    "recall@1": R @ 1,
    "recall@5": R @ 5,
    "recall@10": R @ 10,
    "mrr": RR,
    "success@1": Success @ 1,
    "success@5": Success @ 5,
    "success@10": Success @ 10,
}
METRICS = tuple(_MEASURES)
MAIN = "ndcg@10"
DEPTH = 100
"""Of a ranking that is measured: the longest page that may be asked for."""
RECALLS = tuple(step / 10 for step in range(11))
SUCCESS_UP_TO = 20
"""First hits, of a curve of success."""


def measure(relevant: Sequence[Mapping[str, int]], rankings: Sequence[Sequence[str]]) -> Values:
    """The metrics of each query's ranking, best first; one that is empty has 0 in all.

    Args:
        relevant: Grades by product id, of each query.
    """
    return _calculated(list(_MEASURES.values()), relevant, rankings)


def precisions(relevant: Sequence[Mapping[str, int]], rankings: Sequence[Sequence[str]]) -> Values:
    """The best precision at each of ``RECALLS`` or beyond, of each query: ``(queries, 11)``."""
    return _calculated([IPrec @ recall for recall in RECALLS], relevant, rankings)


def successes(relevant: Sequence[Mapping[str, int]], rankings: Sequence[Sequence[str]]) -> Values:
    """Whether the first 1, 2 .. ``SUCCESS_UP_TO`` have a relevant one, of each query."""
    return _calculated([Success @ k for k in range(1, SUCCESS_UP_TO + 1)], relevant, rankings)


def _calculated(
    measures: Sequence[Any], relevant: Sequence[Mapping[str, int]], rankings: Sequence[Sequence[str]]
) -> Values:
    """``(queries, measures)``."""
    qrels = {str(at): dict(grades) for at, grades in enumerate(relevant)}
    # Only the order counts, and trec_eval breaks equal scores its own way. It leaves out a query without a ranking.
    run = {
        str(at): {id: -float(rank) for rank, id in enumerate(ids[:DEPTH])} or {"": 0.0}
        for at, ids in enumerate(rankings)
    }
    values = np.zeros((len(rankings), len(measures)))
    column = {measure: at for at, measure in enumerate(measures)}
    for found in ir_measures.iter_calc(measures, qrels, run):
        values[int(found.query_id), column[found.measure]] = found.value
    return values


def expected_at_random(relevant: Mapping[str, int], among: int, found: Sequence[str]) -> Values:
    """What a random order of the products under a query's filter reaches on average: ``(metrics,)``.

    Args:
        among: How many products pass the filter.
        found: The relevant ones of them.
    """
    judged = sum(grade > 0 for grade in relevant.values())
    gain = sum(relevant[id] for id in found) / max(among, 1)
    hits = sum(relevant[id] > 0 for id in found)
    ranks = np.arange(1, min(DEPTH, among) + 1)
    best = sorted(relevant.values(), reverse=True)[:10]
    ndcg = gain * _discount(ranks[:10]).sum() / (np.array(best) * _discount(np.arange(1, len(best) + 1))).sum()
    # That some of the first k are relevant, by the number of those drawn.
    success = hypergeom.sf(0, among, hits, np.arange(min(DEPTH, among) + 1)) if among else np.zeros(1)
    mrr = float((np.diff(success) / ranks).sum())
    by_name = {MAIN: ndcg, "mrr": mrr}
    for k in (1, 5, 10):
        by_name[f"recall@{k}"] = hits * min(k, among) / max(among, 1) / judged
        by_name[f"success@{k}"] = float(success[min(k, len(success) - 1)])
    return np.array([by_name[name] for name in METRICS])


def _discount(ranks: NDArray[np.int64]) -> Values:
    discount: Values = 1.0 / np.log2(ranks + 1.0)
    return discount
