"""Two configurations over the same queries: what differs, and whether that is more than chance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics import MAIN, METRICS, Values
from evaluation.quality import ALL, FUSED, Run
from evaluation.significance import corrected, interval, mean, p_values
from schemas import ConfigurationError

SHOWN = 10
"""Queries that gained most, and as many that lost."""


def compare(run: Run, against: Mapping[str, Any]) -> dict[str, Any]:
    """A run beside another of the same queries, as ``quality.document`` tells it. Differences are this less that.

    The p-values of a metric are those of all kinds, corrected for being several; that of all queries is a test of its
    own.

    Raises:
        ConfigurationError: the other run asked other queries.
    """
    same = run.configuration["digest"] == against["configuration"]["digest"]
    if not same or len(run.asked) != len(against["queries"]):
        raise ConfigurationError(
            f"runs over other queries cannot be compared: {run.configuration['queries']} and "
            f"{against['configuration']['queries']} differ in what they ask or hold relevant"
        )
    other = np.array([[row["values"][FUSED][name] for name in METRICS] for row in against["queries"]])
    kinds = {kind: _difference(run, other, run.of_kind(kind)) for kind in run.kinds}
    for name in METRICS:
        for its, p in zip(kinds.values(), corrected([its[name]["p"] for its in kinds.values()]), strict=True):
            its[name]["p_corrected"] = p
    gains = run.values[FUSED][:, METRICS.index(MAIN)] - other[:, METRICS.index(MAIN)]
    order = np.argsort(-gains * run.weights, kind="stable")
    return {
        "this": run.configuration,
        "against": against["configuration"],
        "kinds": {kind: {"queries": int(run.of_kind(kind).sum()), **its} for kind, its in kinds.items()},
        "overall": {"queries": len(run.asked), **_difference(run, other, run.of_kind(None))},
        "gained": [_query(run, against, at, gains) for at in order[:SHOWN] if gains[at] > 0],
        "lost": [_query(run, against, at, gains) for at in order[::-1][:SHOWN] if gains[at] < 0],
        "changed": int((gains != 0).sum()),
        "differences": gains.tolist(),
    }


def _difference(run: Run, other: Values, its: NDArray[np.bool_]) -> dict[str, Any]:
    ours, theirs, weights = run.values[FUSED][its], other[its], run.weights[its]
    between = interval(ours - theirs, weights).tolist()
    columns = zip(
        METRICS,
        mean(ours, weights).tolist(),
        mean(theirs, weights).tolist(),
        between,
        p_values(ours, theirs, weights).tolist(),
        strict=True,
    )
    return {
        name: {"this": this, "against": against, "difference": this - against, "interval": between, "p": p}
        for name, this, against, between, p in columns
    }


def _query(run: Run, against: Mapping[str, Any], at: int, gains: NDArray[np.float64]) -> dict[str, Any]:
    one, before = run.asked[at], against["queries"][at]
    return {
        "qid": one.query.qid,
        "kind": one.query.kind,
        "query": one.query.query,
        "image": one.query.image,
        "filter": one.query.filter,
        "difference": float(gains[at]),
        "this": one.fused[:SHOWN],
        "against": before["hits"],
    }


def read_run(path: Path) -> dict[str, Any]:
    """The JSON of a run that was written before.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        run = json.loads(path.read_bytes())
        known = {name: [row["values"][FUSED][name] for row in run["queries"]] for name in METRICS}
        _ = run["configuration"]["digest"], run["configuration"]["queries"], [row["hits"] for row in run["queries"]]
    except OSError as error:
        raise ConfigurationError(f"cannot read the run in {path}: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} is not the JSON of a run that --report wrote") from error
    if not known[MAIN]:
        raise ConfigurationError(f"{path} is a run of no queries")
    return dict(run)


def lines(found: Mapping[str, Any]) -> Sequence[str]:
    """A comparison as text, a line a kind."""
    said = ["", f"{otherwise(found)} Difference of {MAIN}, and whether it is more than chance:"]
    for kind, its in [*found["kinds"].items(), (ALL, found["overall"])]:
        of = its[MAIN]
        p = f"p {of['p']:.4f}" + (f", corrected {of['p_corrected']:.4f}" if "p_corrected" in of else "")
        low, high = of["interval"]
        said.append(
            f"{kind:<24}{its['queries']:>8}{of['difference']:>+9.3f}  {low:+.3f} to {high:+.3f}  {p}"
            f"  ({of['against']:.3f} -> {of['this']:.3f})"
        )
    for name in ("gained", "lost"):
        for query in found[name]:
            asks = " + ".join(filter(None, (query["query"], query["image"])))
            said.append(f"  {name:<8}{query['difference']:>+7.3f}  {query['qid']}  {asks}")
    return said


def otherwise(found: Mapping[str, Any]) -> str:
    """What the configurations of a comparison differ in, as a sentence."""
    this, against = found["this"], found["against"]
    differ = [name for name in this if name not in ("queries", "digest") and this[name] != against.get(name)]
    named = [name if name == "weights" else f"{name} ({against.get(name)})" for name in differ]
    if not named:
        return "The other run is of the same configuration."
    return f"The other run has other {', '.join(named)}."
