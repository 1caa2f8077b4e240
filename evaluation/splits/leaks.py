"""Whether a split that somebody made leaks: products of two of its parts that are one to a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from evaluation.queries import at_line, read_lines
from evaluation.splits.duplicates import CatalogDuplicates
from schemas import clean_code

_ALL_PAIRS = 200
"""Duplicates of each other, beyond which each is paired with one of every other part, and not with all."""


class Assignment(BaseModel):
    """A line of a split. Other keys are notes and not read."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: Annotated[str, AfterValidator(clean_code)] = Field(min_length=1)
    split: str = Field(min_length=1)
    line: int = 0


class Leak(NamedTuple):
    """Two products of different parts, and why one tells of the other."""

    a: str
    b: str
    why: str
    a_split: str
    b_split: str


def read_split(path: Path) -> tuple[dict[str, str], list[Leak]]:
    """The part of each product, and products that are in two.

    Raises:
        ConfigurationError: the file cannot be read, or a line, which is named, is none of a split.
    """
    split: dict[str, str] = {}
    twice: list[Leak] = []
    for line in read_lines(path, Assignment, "products of a split"):
        known = split.setdefault(line.id, line.split)
        if known != line.split:
            twice.append(Leak(line.id, line.id, "same product", known, line.split))
    if len(set(split.values())) < 2 and not twice:
        raise at_line(path, 1, f"all products are in {next(iter(split.values()))!r}: there is nothing to leak into")
    return split, list(dict.fromkeys(twice))


def find_leaks(catalog: CatalogDuplicates, split: Mapping[str, str]) -> list[Leak]:
    """Each pair of products of different parts once for each reason; those that are in no part leak nothing."""
    found: dict[Leak, None] = {}
    for why, ids in catalog.duplicates:
        its = [id for id in ids if id in split]
        for a, b in _across(sorted(its), split):
            found[Leak(a, b, why, split[a], split[b])] = None
    exact = {(leak.a, leak.b) for leak in found if leak.why == "same image"}
    return [leak for leak in found if leak.why != "near-duplicate" or (leak.a, leak.b) not in exact]


def _across(ids: Sequence[str], split: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if len(ids) <= _ALL_PAIRS:
        yield from ((a, b) for at, a in enumerate(ids) for b in ids[at + 1 :] if split[a] != split[b])
        return
    first = {split[id]: id for id in reversed(ids)}
    for id in ids:
        for part, other in first.items():
            if part != split[id]:
                yield min(id, other), max(id, other)


def report(catalog: CatalogDuplicates, split: Mapping[str, str], twice: Sequence[Leak]) -> dict[str, Any]:
    """What was found, as JSON."""
    leaks = [*twice, *find_leaks(catalog, split)]
    return {
        "leaks": [leak._asdict() for leak in leaks],
        "count": len(leaks),
        "why": dict(Counter(leak.why for leak in leaks).most_common()),
        "splits": dict(Counter(part for id, part in split.items() if id in catalog.products).most_common()),
        "without_split": sorted(catalog.products.keys() - split.keys()),
        "unknown": sorted(split.keys() - catalog.products.keys()),
        "not_compared": sorted(set(catalog.not_compared) & split.keys()),
        "rejected": catalog.rejected,
    }


_SHOWN = 20


def text(found: Mapping[str, Any]) -> str:
    """A verdict, and the first leaks."""
    parts = ", ".join(f"{part} {number:,}" for part, number in found["splits"].items())
    why = ", ".join(f"{number:,} {reason}" for reason, number in found["why"].items())
    lines = [parts, f"{found['count']:,} leaks: {why}" if found["count"] else "no leaks: all pairs were looked at"]
    for leak in found["leaks"][:_SHOWN]:
        lines.append(f"  {leak['why']:<16}{leak['a']} ({leak['a_split']})  {leak['b']} ({leak['b_split']})")
    if found["count"] > _SHOWN:
        lines.append(f"  and {found['count'] - _SHOWN:,} more: --json has them all")
    for name, said in (
        ("unknown", "are in the split and not in the catalog"),
        ("without_split", "are in the catalog and not in the split"),
        ("not_compared", "have an image that could not be read, and was compared with none"),
    ):
        if found[name]:
            lines.append(f"{len(found[name]):,} products {said}: {found[name][0]} ..")
    return "\n".join(lines)
