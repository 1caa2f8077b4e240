"""The page of a search run: how good by kind, where it fails, and what changed since another run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.comparison import otherwise
from evaluation.metrics import MAIN, METRICS
from evaluation.quality import ALL, FUSED, RANDOM
from evaluation.report.charts import Estimate, curves, intervals
from evaluation.report.images import ReportImages
from evaluation.report.page import Card, Figure, ReportPage, Section, Shown, Table

_WORST, _BEST, _CHANGED = 12, 6, 6
_HITS = 5
_CURVES = 8
"""Kinds that have a line of their own."""
_SHOWN = ("ndcg@10", "recall@1", "recall@10", "mrr", "success@1", "success@10")


def search_page(document: Mapping[str, Any], folder: Path, images: ReportImages) -> ReportPage:
    """
    Args:
        document: ``quality.document``, with ``comparison`` where there is one.
        folder: What query images are relative to.
    """
    configuration = document["configuration"]
    sections = [_at_a_glance(document), _by_kind(document), _curves(document)]
    if "comparison" in document:
        sections.append(_comparison(document, folder, images))
    sections += [_queries(document, folder, images), _engine(document)]
    facts = {
        "model": configuration["model"],
        "collection": configuration["collection"],
        "generation": configuration["generation"],
        "products": f"{configuration['products']:,}",
        "queries": f"{document['overall']['queries']:,}",
    }
    return ReportPage("How well searches are answered", facts, sections)


def _at_a_glance(document: Mapping[str, Any]) -> Section:
    overall = document["overall"]
    fused, random, times = overall[FUSED], overall[RANDOM], overall["latency_ms"]

    def figure(name: str, said: str) -> Figure:
        low, high = fused["intervals"][name]
        return Figure(
            said, f"{fused[name]:.3f}", f"{name}; 95 % {low:.3f} to {high:.3f}; {random[name]:.3f} in random order"
        )

    figures = [
        figure(MAIN, "order of the first ten"),
        figure("recall@10", "found in the first ten"),
        figure("success@1", "the first hit is right"),
        figure("mrr", "1 / place of the first right"),
        Figure(
            "time to search", f"{times['search']['p50']:.0f} ms", f"median; 95 % under {times['search']['p95']:.0f} ms"
        ),
        Figure(
            "time to encode", f"{times['encode']['p50']:.0f} ms", f"median; 95 % under {times['encode']['p95']:.0f} ms"
        ),
    ]
    unknown = document["unknown_products"]
    lead = (
        "Means over all queries, each as often as it is asked. Intervals are what other queries like these would give."
    )
    if unknown:
        lead += (
            f" {len(unknown):,} products that are held relevant are not in the index and count as not found: "
            f"{', '.join(unknown[:5])}{' ..' if len(unknown) > 5 else '.'}"
        )
    return Section("At a glance", lead, figures=figures)


def _kinds(document: Mapping[str, Any]) -> dict[str, Any]:
    kinds: dict[str, Any] = dict(document["kinds"])
    return {**kinds, ALL: document["overall"]} if len(kinds) > 1 else kinds


def _by_kind(document: Mapping[str, Any]) -> Section:
    rows: dict[str, dict[str, Estimate]] = {}
    for kind, its in _kinds(document).items():
        rows[kind] = {"all legs together": _estimate(its[FUSED])}
        whole = [leg for leg in its["legs"].values() if leg["queries"] == its["queries"]]
        if whole:
            rows[kind]["best leg alone"] = _estimate(max(whole, key=lambda leg: leg[MAIN]))
        floor = its[RANDOM][MAIN]
        rows[kind]["random order"] = Estimate(floor, floor, floor)
    overall = document["overall"]
    by_leg = {name: {MAIN: _estimate(its)} for name, its in {FUSED: overall[FUSED], **overall["legs"]}.items()}
    columns = ["kind", "queries", *_SHOWN, f"95 % of {MAIN}"]
    fused = [
        [kind, its["queries"], *_values(its[FUSED]), _between(its[FUSED])] for kind, its in _kinds(document).items()
    ]
    legs = [
        Table(
            ["system", "queries", *_SHOWN, f"95 % of {MAIN}"],
            [
                *(
                    [name, one["queries"], *_values(one), _between(one)]
                    for name, one in {FUSED: its[FUSED], **its["legs"]}.items()
                ),
                [RANDOM, its["queries"], *_values(its[RANDOM]), ""],
            ],
            fold=f"{kind}: leg by leg",
        )
        for kind, its in _kinds(document).items()
    ]
    return Section(
        "By kind of query",
        "A leg is one path of a search: words to titles, words to images, images to images. Together they should be no "
        "worse than the best of them.",
        charts=[
            intervals(f"{MAIN} by kind", f"{MAIN}, with its 95 % interval", rows),
            intervals(f"{MAIN} by leg, of the queries that have it", f"{MAIN}, with its 95 % interval", by_leg),
        ],
        tables=[Table(columns, fused), *legs],
    )


def _estimate(its: Mapping[str, Any]) -> Estimate:
    low, high = its["interval"]
    return Estimate(its[MAIN], low, high)


def _values(its: Mapping[str, Any]) -> list[float]:
    return [its[name] for name in _SHOWN]


def _between(its: Mapping[str, Any]) -> str:
    return "{:.3f} – {:.3f}".format(*its["interval"])


def _curves(document: Mapping[str, Any]) -> Section:
    found: Mapping[str, Any] = document["curves"]
    kinds: Mapping[str, Any] = found["kinds"]
    shown = kinds if len(kinds) <= _CURVES else {ALL: found["overall"]}
    recall, hits = found["recall"], found["hits"]
    return Section(
        "How far down one has to look",
        "Left: how many of the hits are right by the time that a share of all right ones was seen. Right: of how many "
        "queries one of the first hits is right.",
        charts=[
            curves(
                "precision by recall",
                "recall",
                "precision",
                recall,
                {kind: its["precision"] for kind, its in shown.items()},
            ),
            curves(
                "success by hits seen",
                "first hits",
                "success",
                hits,
                {kind: its["success"] for kind, its in shown.items()},
            ),
        ],
    )


def _comparison(document: Mapping[str, Any], folder: Path, images: ReportImages) -> Section:
    found = document["comparison"]
    relevant = {query["qid"]: query["relevant"] for query in document["queries"]}
    rows = {
        kind: {"difference": Estimate(its[MAIN]["difference"], *its[MAIN]["interval"])}
        for kind, its in [*found["kinds"].items(), (ALL, found["overall"])]
    }
    table = [
        [
            kind,
            its["queries"],
            its[MAIN]["against"],
            its[MAIN]["this"],
            f"{its[MAIN]['difference']:+.3f}",
            f"{its[MAIN]['p']:.4f}",
            f"{its[MAIN]['p_corrected']:.4f}" if "p_corrected" in its[MAIN] else None,
        ]
        for kind, its in [*found["kinds"].items(), (ALL, found["overall"])]
    ]
    others = [
        [name, its["against"], its["this"], f"{its['difference']:+.3f}", f"{its['p']:.4f}"]
        for name, its in ((name, found["overall"][name]) for name in METRICS)
    ]
    cards = [
        Card(
            _asks(query),
            f"{query['kind']} · {MAIN} {query['difference']:+.3f}",
            {
                "now": _hits(query["this"], relevant[query["qid"]], images),
                "before": _hits(query["against"], relevant[query["qid"]], images),
            },
            image=images.file(folder / query["image"]) if query["image"] else None,
        )
        for query in [*found["lost"][:_CHANGED], *found["gained"][:_CHANGED]]
    ]
    gains = sorted(found["differences"], reverse=True)
    return Section(
        "Against the other run",
        f"{otherwise(found)} {found['changed']:,} queries are answered otherwise. p is how often chance alone would "
        "differ as much (paired randomisation), corrected for the number of kinds; below .05 it is taken for real. "
        "Below are the queries that lost most, then those that gained most.",
        charts=[
            intervals(f"difference of {MAIN} by kind", "difference, with its 95 % interval", rows, zero=True),
            curves(
                "every query, the most gained first",
                "queries",
                f"difference of {MAIN}",
                list(range(1, len(gains) + 1)),
                {"difference": gains},
                least=-1.0,
            ),
        ],
        tables=[
            Table(["kind", "queries", "before", "now", "difference", "p", "p corrected"], table),
            Table(["metric, all queries", "before", "now", "difference", "p"], others, fold="Every metric"),
        ],
        cards=cards,
    )


def _queries(document: Mapping[str, Any], folder: Path, images: ReportImages) -> Section:
    def value(query: Mapping[str, Any]) -> float:
        return float(query["values"][FUSED][MAIN])

    worst = sorted(document["queries"], key=lambda query: (value(query), -query["frequency"]))[:_WORST]
    best = sorted(document["queries"], key=lambda query: (-value(query), -query["frequency"]))[:_BEST]
    failed = {query["qid"] for query in worst}
    cards = [
        Card(
            _asks(query),
            f"{query['kind']} · {MAIN} {value(query):.3f} · {len(query['relevant']):,} right",
            {
                "first hits": _hits(query["hits"], query["relevant"], images),
                "asked for": [
                    Shown(*one, note=f"grade {query['relevant'][one[0]]}")
                    for one in images.products(_wanted(query["relevant"])[:_HITS])
                ],
            },
            image=images.file(folder / query["image"]) if query.get("image") else None,
        )
        for query in [*worst, *(query for query in best if query["qid"] not in failed)]
    ]
    return Section(
        "The worst queries, and the best",
        "Hits with a green frame are among the right ones.",
        cards=cards,
    )


def _wanted(relevant: Mapping[str, int]) -> list[str]:
    return sorted((id for id in relevant if relevant[id] > 0), key=lambda id: -relevant[id])


def _hits(ids: Sequence[str], relevant: Mapping[str, int], images: ReportImages) -> list[Shown]:
    return [Shown(*one, good=relevant.get(one[0], 0) > 0) for one in images.products(ids[:_HITS])]


def _asks(query: Mapping[str, Any]) -> str:
    filter = "".join(f" · {name}: {value}" for name, value in (query.get("filter") or {}).items())
    words = query.get("query")
    return (f"“{words}”" if words else "an image") + (" and an image" if words and query.get("image") else "") + filter


def _engine(document: Mapping[str, Any]) -> Section:
    exact = [
        [leg, its["queries"], its["found@10"], its["incomplete"], its["approximate"][MAIN], its["exact"][MAIN]]
        for leg, its in document["exact"].items()
    ]
    times = [
        [
            kind,
            its["queries"],
            *(round(its["latency_ms"][part][p], 1) for part in ("encode", "search") for p in ("p50", "p95")),
        ]
        for kind, its in _kinds(document).items()
    ]
    return Section(
        "The engine, and time",
        "The engine looks along a graph of compressed vectors. Beside it is the exact answer, every vector compared: "
        "what of its first ten the engine finds, and what the rest costs. Times are in milliseconds, one request after "
        "another; what was asked before is not encoded again.",
        tables=[
            Table(
                ["leg", "queries", "of the exact ten", "queries with less", f"{MAIN}", f"exact {MAIN}"],
                exact,
            ),
            Table(
                ["kind", "queries", "encode p50", "encode p95", "search p50", "search p95"],
                times,
            ),
        ],
    )
