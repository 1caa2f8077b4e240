"""Every labelled query asked of a search: what it finds, fused and leg by leg, and how long that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
from tqdm import tqdm

from evaluation.exact import nearest
from evaluation.metrics import DEPTH, Values, expected_at_random
from evaluation.queries import LabelledQuery, at_line
from index import DENSE, CatalogIndex, Leg
from labels import hidden_actions
from schemas import All, Decided, Filter, LegName, Match, Not, StoreLensError, parse_filter
from search import Searcher

_COMPARED = 10
"""Of a leg's best, with those of the exact answer."""
_TIE = 1e-5
"""Cosines that differ by less are as near: which of their products an engine gives first is chance."""


@dataclass(slots=True)
class AskedQuery:
    """One query and what came of it.

    ``legs`` are ids by leg, best first; ``random`` is ``metrics.expected_at_random``; ``unknown`` are the relevant
    products that the index does not have. Times are in milliseconds, of a request as people make it.
    """

    query: LabelledQuery
    fused: list[str]
    legs: dict[LegName, list[str]]
    random: Values
    unknown: list[str]
    encode_ms: float
    search_ms: float
    exact: dict[LegName, Exact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exact:
    """A leg beside the exact answer to its query: ``found`` is the share of the exact answer's best ten that the engine
    has among its own."""

    found: float
    ids: list[str]


def ask(searcher: Searcher, queries: Sequence[LabelledQuery], path: Path, *, exact: bool = True) -> list[AskedQuery]:
    """Every query, asked of the searcher that the API uses.

    Args:
        path: The file of the queries, beside which their images are.
        exact: Also compare the engine's answers with exact ones: one pass over the index.

    Raises:
        ConfigurationError: a query cannot be asked of this index; its line is named.
    """
    searcher.warm_up()
    asked: list[AskedQuery] = []
    dense: list[_Dense] = []
    blocked = Decided(hidden_actions(reviewer=True))
    shown = Not(blocked) if searcher.index.count(blocked) else None
    for query in tqdm(queries, unit="query", desc="search", disable=None):
        try:
            one, its_legs = _ask(searcher, query, path.parent, shown)
        except (StoreLensError, OSError) as error:
            raise at_line(path, query.line, str(error)) from error
        asked.append(one)
        dense += its_legs
    if exact:
        _compare(searcher.index, dense)
    return asked


@dataclass(frozen=True, slots=True)
class _Dense:
    """A dense leg that was asked, and the scores of its best."""

    asked: AskedQuery
    leg: Leg
    filter: Filter | None
    scores: Sequence[float]


def _ask(
    searcher: Searcher, query: LabelledQuery, folder: Path, shown: Filter | None
) -> tuple[AskedQuery, list[_Dense]]:
    """``shown`` is what a search never leaves out; None where that is all there is."""
    image = None if query.image is None else (folder / query.image).read_bytes()
    answer = searcher.search(query.request(), image)
    # Once more for a longer page, beyond what fits: nothing is encoded twice.
    whole = searcher.search(query.request(limit=DEPTH, tail=True), image).response
    legs = searcher.candidates(query.request(), image).legs
    filter = parse_filter(query.filter or {}, searcher.index.record.fields)
    filter = All((filter, shown)) if shown else filter
    pool, found, unknown = _pool(searcher.index, query, filter)
    asked = AskedQuery(
        query,
        fused=[hit.id for hit in whole.hits],
        legs={planned.leg.name: _ids(searcher.index, result.points[:DEPTH]) for planned, result in legs},
        random=expected_at_random(query.relevant, pool, found),
        unknown=unknown,
        encode_ms=answer.encode_ms,
        search_ms=answer.search_ms,
    )
    dense = [
        _Dense(asked, planned.leg, filter if query.filter or shown else None, result.scores[:_COMPARED].tolist())
        for planned, result in legs
        if planned.leg.vector != "lexical"
    ]
    return asked, dense


def _pool(index: CatalogIndex, query: LabelledQuery, filter: Filter) -> tuple[int, list[str], list[str]]:
    """How many products pass a query's filter, which judged ones do, and which relevant ones are in no product."""
    judged = Match("id", "keyword", tuple(query.relevant))
    passing, known = (
        set(_ids(index, index.scan(which, len(query.relevant)))) for which in (All((filter, judged)), judged)
    )
    unknown = [id for id, grade in query.relevant.items() if grade > 0 and id not in known]
    return index.count(filter), [id for id in query.relevant if id in passing], unknown


def _ids(index: CatalogIndex, points: Sequence[UUID]) -> list[str]:
    values = index.values(points, ["id"])
    return [values[point]["id"] for point in points if point in values]


def _compare(index: CatalogIndex, dense: Sequence[_Dense]) -> None:
    by_vector = {name: [one for one in dense if one.leg.vector == name] for name in DENSE}
    by_vector = {name: some for name, some in by_vector.items() if some}
    found = nearest(
        index,
        {name: np.stack([np.asarray(one.leg.query, np.float32) for one in some]) for name, some in by_vector.items()},
        DEPTH,
        {name: [one.filter for one in some] for name, some in by_vector.items()},
    )
    for name, some in by_vector.items():
        for one, exact in zip(some, found[name], strict=True):
            one.asked.exact[one.leg.name] = Exact(
                _share_found(one.scores, exact.scores[:_COMPARED].tolist()), _ids(index, exact.points)
            )


def _share_found(scores: Sequence[float], best: Sequence[float]) -> float:
    """How many of the exact best an engine has, told by their scores: of those that tie for the last places any do."""
    if not best:
        return 1.0
    above, as_near = best[-1] + _TIE, best[-1] - _TIE
    clear = sum(score > above for score in scores)
    places = sum(score <= above for score in best)
    return (clear + min(places, sum(as_near <= score <= above for score in scores))) / len(best)
