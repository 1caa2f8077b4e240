"""Labelled queries from a log of clicks: what people chose of what they were shown.

A line of the log is a JSON object: a ``query``, the ``id`` of the product that was clicked, and ``clicks``, where the
line stands for several. Queries that differ in case or blanks are one. Its products are graded by how often they were
chosen, against the one that was chosen most: 3 from two thirds of that on, 2 from one third on, 1 below.

People click what stands in front, so such queries are kinder to the search that was logged than to another one. What
was clicked once may be a slip: it is left out, and so are clicks without a query, or with one too long to be asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, PositiveInt

from evaluation.queries import LabelledQuery, read_lines
from schemas import ConfigurationError, clean_code, clean_line, fold
from schemas.search import MAX_TEXT

FEWEST = 2
"""Clicks of a product for a query, below which it says nothing."""


class Click(BaseModel):
    """A line of the log. Other keys are not read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    query: Annotated[str, AfterValidator(clean_line)] = Field(validation_alias=AliasChoices("query", "text", "q"))
    id: Annotated[str, AfterValidator(clean_code), Field(min_length=1)] = Field(
        validation_alias=AliasChoices("id", "product_id")
    )
    clicks: PositiveInt = 1
    line: int = Field(0, description="Of the log, from 1.")


@dataclass(slots=True)
class Clicks:
    """Queries of a log, the most frequent first, and what was left out of it."""

    queries: list[LabelledQuery]
    clicks: int = 0
    left_out: int = 0


def read_clicks(path: Path, fewest: int = FEWEST) -> Clicks:
    """The queries of a log, those asked most first; a query's ``frequency`` is how many clicks it had.

    Raises ConfigurationError where the log cannot be read, a line, which is named, is no click, or no product was
    chosen often enough.
    """
    chosen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    written: dict[str, str] = {}
    found = Clicks([])
    for click in read_lines(path, Click, "clicks"):
        found.clicks += click.clicks
        if 0 < len(click.query) <= MAX_TEXT:
            key = fold(click.query)
            written.setdefault(key, click.query)
            chosen[key][click.id] += click.clicks
        else:
            found.left_out += click.clicks
    for key in sorted(chosen, key=lambda key: (-chosen[key].total(), key)):
        often = {id: count for id, count in chosen[key].most_common() if count >= fewest}
        found.left_out += chosen[key].total() - sum(often.values())
        if often:
            found.queries.append(_query(written[key], often, chosen[key].total()))
    if not found.queries:
        raise ConfigurationError(
            f"{path}: no product was clicked {fewest} times for one query; --fewest says otherwise"
        )
    return found


def _query(text: str, often: dict[str, int], clicks: int) -> LabelledQuery:
    most = max(often.values())
    grades = {id: 1 + (3 * count >= most) + (3 * count >= 2 * most) for id, count in often.items()}
    row = {"qid": text, "kind": "clicked", "query": text, "relevant": grades, "frequency": clicks}
    return LabelledQuery.model_validate(row)
