"""Paraphrase stability: whether several wordings of one need find the same products.

Pairs of wordings are compared by how many of their first ten they have in common, and by rank-biased overlap, which
minds the order and most of all the top (Webber, Moffat and Zobel 2010: extrapolated, for lists of any length).
The one package of it had no release since 2023, and is longer than this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator
from tqdm import tqdm

from evaluation.metrics import DEPTH
from evaluation.queries import at_line, read_lines
from evaluation.significance import interval
from schemas import SearchRequest, StoreLensError
from search import Searcher

_FIRST = 10
PERSISTENCE = 0.9
"""Of somebody who reads down a list, from one place to the next: the first ten have 86 % of the weight."""
_WORST = 10


class Need(BaseModel):
    """A line of a file of paraphrases. Other keys are notes and not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    need: str = Field("", description="What it is called; left out, its first wording.")
    wordings: list[Annotated[str, Field(min_length=1)]] = Field(
        min_length=2, validation_alias=AliasChoices("wordings", "queries")
    )
    filter: dict[str, Any] | None = None
    line: int = 0

    @model_validator(mode="after")
    def _can_be_asked(self) -> Need:
        for wording in self.wordings:
            self.request(wording)
        if len(set(self.wordings)) < len(self.wordings):
            raise ValueError("a wording is there twice")
        return self

    def request(self, wording: str) -> SearchRequest:
        return SearchRequest(text=wording, filter=self.filter, limit=DEPTH)


def read_needs(path: Path) -> list[Need]:
    """Raises ConfigurationError: the file cannot be read, or a line, which is named, is none of paraphrases."""
    return list(read_lines(path, Need, "paraphrases"))


def measure(searcher: Searcher, needs: Sequence[Need], path: Path) -> dict[str, Any]:
    """Every wording asked, as JSON: means over needs with their 95 % intervals, and every need, the least stable first.

    Raises:
        ConfigurationError: one cannot be asked of this index; the line is named.
    """
    found = []
    for need in tqdm(needs, unit="need", desc="paraphrases", disable=None):
        try:
            hits = [
                [hit.id for hit in searcher.search(need.request(wording)).response.hits] for wording in need.wordings
            ]
        except StoreLensError as error:
            raise at_line(path, need.line, error.message) from error
        found.append(_stability(need, hits))
    values = np.array([[one[f"overlap@{_FIRST}"], one["rbo"]] for one in found])
    overlap, rbo = interval(values, np.ones(len(values))).tolist()
    means = values.mean(axis=0).tolist()
    found.sort(key=lambda one: (one["rbo"], one[f"overlap@{_FIRST}"]))
    return {
        "needs": len(found),
        f"overlap@{_FIRST}": means[0],
        "rbo": means[1],
        "intervals": {f"overlap@{_FIRST}": overlap, "rbo": rbo},
        "persistence": PERSISTENCE,
        "generation": searcher.index.generation,
        "worst": found[:_WORST],
        "all": [{key: one[key] for key in ("need", f"overlap@{_FIRST}", "rbo")} for one in found],
    }


def _stability(need: Need, hits: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Means over the pairs of wordings, and the pair that is farthest apart."""
    pairs = [
        (rank_biased_overlap(hits[a], hits[b]), overlap(hits[a], hits[b]), a, b)
        for a, b in combinations(range(len(hits)), 2)
    ]
    rbo, shared, a, b = min(pairs)
    return {
        "need": need.need or need.wordings[0],
        "wordings": need.wordings,
        f"overlap@{_FIRST}": float(np.mean([pair[1] for pair in pairs])),
        "rbo": float(np.mean([pair[0] for pair in pairs])),
        "farthest": {
            "wordings": [need.wordings[a], need.wordings[b]],
            f"overlap@{_FIRST}": shared,
            "rbo": rbo,
            "hits": [list(hits[a][:_FIRST]), list(hits[b][:_FIRST])],
        },
    }


def overlap(one: Sequence[str], other: Sequence[str], first: int = _FIRST) -> float:
    """Share of the first that are in both lists; 1 where both are empty."""
    longest = max(len(one[:first]), len(other[:first]))
    return len(set(one[:first]) & set(other[:first])) / longest if longest else 1.0


def rank_biased_overlap(one: Sequence[str], other: Sequence[str], persistence: float = PERSISTENCE) -> float:
    """0 where two lists have nothing in common, 1 where they are the same.

    Where one list ends, what follows is taken to agree as well as it did so far, and beyond both as at the end.
    """
    short, long = sorted((one, other), key=len)
    if not long:
        return 1.0
    seen_short, seen_long = set(), set()
    common = within_short = 0
    total = agreement = 0.0
    for depth, id in enumerate(long, 1):
        if depth <= len(short):
            common += (id in seen_short) + (short[depth - 1] in seen_long) + (id == short[depth - 1])
            seen_short.add(short[depth - 1])
            within_short = common
        else:
            common += id in seen_short
        seen_long.add(id)
        beyond = within_short * max(0, depth - len(short)) / len(short) if short else 0.0
        agreement = (common + beyond) / depth
        total += agreement * persistence ** (depth - 1)
    return (1 - persistence) * total + agreement * persistence ** len(long)


def text(found: Mapping[str, Any]) -> str:
    """The means, and the worst."""
    shared = f"overlap@{_FIRST}"
    low, high = found["intervals"][shared]
    lines = [
        f"{found['needs']:,} needs: {shared} {found[shared]:.3f} ({low:.3f} - {high:.3f}), rank-biased overlap "
        f"{found['rbo']:.3f} ({found['intervals']['rbo'][0]:.3f} - {found['intervals']['rbo'][1]:.3f})",
        "the least stable:",
    ]
    for one in found["worst"]:
        far = one["farthest"]
        lines.append(f"  {one[shared]:.2f}  {one['rbo']:.2f}  {' | '.join(one['wordings'])}")
        lines.append(f"{'':>14}farthest apart: {' | '.join(far['wordings'])}  ({far[shared]:.2f}, {far['rbo']:.2f})")
    return "\n".join(lines)
