"""Retrieval quality: nDCG@10 and Recall@10 per kind of query, fused and leg by leg.

Measured through the searcher the API uses, with ir-measures (trec_eval's definitions: linear gain,
log2 discount; recall counts every grade above 0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ir_measures
from ir_measures import R, nDCG
from tqdm import tqdm

from evaluation.queries import LabelledQuery
from schemas import SearchRequest
from search import Searcher

DEPTH = 10
NDCG, RECALL = nDCG @ DEPTH, R @ DEPTH


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over the queries of a kind that the system (``fused`` or a leg) could answer."""

    kind: str
    system: str
    queries: int
    ndcg: float
    recall: float


def measure(searcher: Searcher, queries: Sequence[LabelledQuery], folder: Path) -> list[Quality]:
    """Quality of each kind and system, kinds in the order of the file, ``fused`` first.

    ``folder`` is what the queries' photos are relative to.
    """
    runs: dict[str, dict[str, dict[str, float]]] = {}
    for query in tqdm(queries, unit="query", desc="search", disable=None):
        photo = None if query.image is None else (folder / query.image).read_bytes()
        request = SearchRequest(text=query.query, filter=query.filter, limit=DEPTH)
        for system, ids in _rankings(searcher, request, photo):
            # Only the order counts; trec_eval breaks equal scores its own way.
            runs.setdefault(system, {})[query.qid] = {id: float(-rank) for rank, id in enumerate(ids)}
    return [
        _mean(kind, system, [q for q in queries if q.kind == kind], run)
        for kind in dict.fromkeys(query.kind for query in queries)
        for system, run in runs.items()
        if any(query.kind == kind and query.qid in run for query in queries)
    ]


def _rankings(searcher: Searcher, request: SearchRequest, photo: bytes | None) -> Iterator[tuple[str, list[str]]]:
    yield "fused", [hit.id for hit in searcher.search(request, photo).response.hits]
    for planned, result in searcher.candidates(request, photo).legs:
        best = result.points[:DEPTH]
        ids = searcher.index.values(best, ["id"])
        yield planned.leg.name, [ids[point]["id"] for point in best]


def _mean(kind: str, system: str, queries: Sequence[LabelledQuery], run: dict[str, dict[str, float]]) -> Quality:
    asked = [query for query in queries if query.qid in run]
    qrels = {query.qid: dict(query.relevant) for query in asked}
    # A query that found nothing must count as 0, and trec_eval leaves out what has no ranking.
    ranked = {query.qid: run[query.qid] or {"": 0.0} for query in asked}
    means = ir_measures.calc_aggregate([NDCG, RECALL], qrels, ranked)
    return Quality(kind, system, len(asked), means[NDCG], means[RECALL])


def table(results: Sequence[Quality]) -> str:
    """The results as text, a line a kind and system."""
    lines = [f"{'kind':<26}{'system':<16}{'queries':>8}{'nDCG@10':>10}{'Recall@10':>11}"]
    last = None
    for row in results:
        kind = row.kind if row.kind != last else ""
        lines.append(f"{kind:<26}{row.system:<16}{row.queries:>8}{row.ndcg:>10.3f}{row.recall:>11.3f}")
        last = row.kind
    return "\n".join(lines)
