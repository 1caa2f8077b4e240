"""Retrieval quality of a search: metrics per kind of query, fused, leg by leg, and of a random ranking.

Measured through the searcher the API uses; what is written of a run is whole enough to be compared with another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.configuration import described
from evaluation.metrics import DEPTH, MAIN, METRICS, RECALLS, SUCCESS_UP_TO, Values, measure, precisions, successes
from evaluation.queries import LabelledQuery
from evaluation.rankings import AskedQuery, ask
from evaluation.significance import interval, mean
from search import Searcher

ALL = "all queries"
"""What those of every kind together are called."""
FUSED, RANDOM = "fused", "random"


@dataclass(slots=True)
class Run:
    """Every query of a file, asked of one configuration.

    ``values`` are ``(queries, metrics)`` by system: ``fused``, ``random``, and each leg, with NaN where a query does
    not have it.
    """

    configuration: dict[str, Any]
    asked: list[AskedQuery]
    values: dict[str, Values]
    weights: NDArray[np.float64]

    @property
    def queries(self) -> list[LabelledQuery]:
        return [one.query for one in self.asked]

    @property
    def kinds(self) -> list[str]:
        """In the order of the file."""
        return list(dict.fromkeys(query.kind for query in self.queries))

    def of_kind(self, kind: str | None) -> NDArray[np.bool_]:
        """Which queries these are, all for None: ``(queries,)``."""
        return np.array([kind in (None, query.kind) for query in self.queries])


def run(searcher: Searcher, queries: Sequence[LabelledQuery], path: Path, *, exact: bool = True) -> Run:
    """Ask and measure; see ``rankings.ask``."""
    asked = ask(searcher, queries, path, exact=exact)
    values = {FUSED: _measured(asked, [one.fused for one in asked])}
    for leg in dict.fromkeys(leg for one in asked for leg in one.legs):
        values[leg] = _measured(asked, [one.legs.get(leg) for one in asked])
    values[RANDOM] = np.stack([one.random for one in asked])
    weights = np.array([one.query.frequency for one in asked])
    configuration = {**described(searcher), "queries": str(path), "digest": digest(queries)}
    return Run(configuration, asked, values, weights)


def digest(queries: Iterable[LabelledQuery]) -> str:
    """Of what is asked and what is relevant: runs are compared where it is the same."""
    hash = blake2b(digest_size=16)
    for query in queries:
        hash.update(query.model_dump_json(exclude={"line", "kind"}).encode())
    return hash.hexdigest()


def _measured(asked: Sequence[AskedQuery], rankings: Sequence[list[str] | None]) -> Values:
    values = np.full((len(asked), len(METRICS)), np.nan)
    has = [at for at, ranking in enumerate(rankings) if ranking is not None]
    values[has] = measure([asked[at].query.relevant for at in has], [rankings[at] or [] for at in has])
    return values


def summary(run: Run) -> dict[str, Any]:
    """The run as JSON, without its single queries."""
    return {
        "configuration": run.configuration,
        "depth": DEPTH,
        "kinds": {kind: _of_kind(run, kind) for kind in run.kinds},
        "overall": _of_kind(run, None),
        "exact": _against_exact(run.asked),
        "unknown_products": sorted({id for one in run.asked for id in one.unknown}),
    }


def document(run: Run) -> dict[str, Any]:
    """The run as JSON, with its curves and all of its queries."""
    return {**summary(run), "curves": _curves(run), "queries": _queries(run)}


def _curves(run: Run) -> dict[str, Any]:
    """Precision by recall, and success by how many hits are looked at, of each kind and of all queries."""
    relevant, fused = [one.query.relevant for one in run.asked], [one.fused for one in run.asked]
    precision, success = precisions(relevant, fused), successes(relevant, fused)

    def of(its: NDArray[np.bool_]) -> dict[str, Any]:
        return {
            "precision": mean(precision[its], run.weights[its]).tolist(),
            "success": mean(success[its], run.weights[its]).tolist(),
        }

    return {
        "recall": RECALLS,
        "hits": list(range(1, SUCCESS_UP_TO + 1)),
        "kinds": {kind: of(run.of_kind(kind)) for kind in run.kinds},
        "overall": of(run.of_kind(None)),
    }


def _queries(run: Run) -> list[dict[str, Any]]:
    return [
        {
            **one.query.model_dump(exclude_none=True, exclude={"line"}),
            "values": {
                system: dict(zip(METRICS, values[at].tolist(), strict=True))
                for system, values in run.values.items()
                if not np.isnan(values[at]).any()
            },
            "hits": one.fused[:10],
            "encode_ms": round(one.encode_ms, 3),
            "search_ms": round(one.search_ms, 3),
        }
        for at, one in enumerate(run.asked)
    ]


def _of_kind(run: Run, kind: str | None) -> dict[str, Any]:
    its = run.of_kind(kind)
    systems = {
        system: _of_system(values[its], run.weights[its])
        for system, values in run.values.items()
        if not np.isnan(values[its]).all()
    }
    of_legs = {leg: systems[leg] for leg in systems if leg not in (FUSED, RANDOM)}
    random = mean(run.values[RANDOM][its], run.weights[its])
    asked = [one for one, of_it in zip(run.asked, its, strict=True) if of_it]
    return {
        "queries": int(its.sum()),
        FUSED: systems[FUSED],
        "legs": of_legs,
        RANDOM: dict(zip(METRICS, random.tolist(), strict=True)),
        "latency_ms": {
            part: {f"p{p}": round(float(np.percentile(times, p)), 3) for p in (50, 95)}
            for part, times in (
                ("encode", [one.encode_ms for one in asked]),
                ("search", [one.search_ms for one in asked]),
            )
        },
    }


def _of_system(values: Values, weights: NDArray[np.float64]) -> dict[str, Any]:
    """Means over the queries that the system could answer, and their 95 % intervals."""
    has = ~np.isnan(values).any(axis=1)
    means = mean(values[has], weights[has]).tolist()
    intervals = dict(zip(METRICS, interval(values[has], weights[has]).tolist(), strict=True))
    return {
        **dict(zip(METRICS, means, strict=True)),
        "interval": intervals[MAIN],
        "intervals": intervals,
        "queries": int(has.sum()),
    }


def _against_exact(asked: Sequence[AskedQuery]) -> dict[str, Any]:
    """By leg, how much of the exact answer the engine finds, and what the rest costs."""
    found: dict[str, Any] = {}
    for leg in dict.fromkeys(leg for one in asked for leg in one.exact):
        some = [one for one in asked if leg in one.exact]
        weights = np.array([one.query.frequency for one in some])
        relevant = [one.query.relevant for one in some]
        ndcg = METRICS.index(MAIN)
        approximate = measure(relevant, [one.legs[leg] for one in some])[:, ndcg]
        exact = measure(relevant, [one.exact[leg].ids for one in some])[:, ndcg]
        shares = np.array([one.exact[leg].found for one in some])
        found[leg] = {
            "queries": len(some),
            "found@10": float(np.average(shares, weights=weights)),
            "incomplete": int((shares < 1).sum()),
            "approximate": {MAIN: float(np.average(approximate, weights=weights))},
            "exact": {MAIN: float(np.average(exact, weights=weights))},
        }
    return found


_COLUMNS = (MAIN, "recall@1", "recall@10", "mrr", "success@10")


def table(found: Mapping[str, Any]) -> str:
    """A summary as text, a line a kind and system."""
    header = "".join(f"{name:>12}" for name in _COLUMNS)
    lines = [f"{'kind':<24}{'system':<14}{'queries':>8}{header}  95 % of {MAIN}"]
    kinds: dict[str, Any] = dict(found["kinds"])
    if len(kinds) > 1:
        kinds[ALL] = found["overall"]
    for kind, its in kinds.items():
        systems = {FUSED: its[FUSED], **its["legs"], RANDOM: its[RANDOM]}
        for system, values in systems.items():
            numbers = "".join(f"{values[name]:>12.3f}" for name in _COLUMNS)
            queries = values.get("queries", its["queries"])
            between = "  {:.3f} - {:.3f}".format(*values["interval"]) if "interval" in values else ""
            lines.append(f"{kind if system == FUSED else '':<24}{system:<14}{queries:>8}{numbers}{between}")
        times = its["latency_ms"]
        lines.append(f"{'':<24}p50 ms: encode {times['encode']['p50']:.1f}, search {times['search']['p50']:.1f}")
    for leg, its in found["exact"].items():
        lines.append(
            f"{leg}: {its['found@10']:.4f} of the exact answer's best ten found; "
            f"{MAIN} {its['approximate'][MAIN]:.3f}, exact {its['exact'][MAIN]:.3f}"
        )
    if unknown := found["unknown_products"]:
        lines.append(
            f"{len(unknown):,} relevant products are not in the index, and count as not found: {unknown[0]} .."
        )
    return "\n".join(lines)
