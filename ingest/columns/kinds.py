"""Which fields there are, and what kind each is (text, a number, true or false): decided by the whole catalog at once.

One odd value does not change what a field is. A field of numbers stays one while at least half of its values are
numbers; text becomes numbers where nine values in ten are, and a new field as well. So the same catalog says the same
every night, whatever the order of its rows, and what it was decided before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from typing import Any

from ingest.columns.numbers import is_nothing
from schemas import MAX_EXACT, MAX_FIELDS, FieldKind, Scalar, filterable_value, flatten, number_in

Votes = Counter[str]
"""How many values of a field are what: ``bool``, ``integer``, ``float``, ``text``; ``integer_text`` and ``float_text``,
which are text in a format that has numbers, and as good as those; ``cut``, a number that says less than its text."""

_NUMBERS = ("integer", "float", "integer_text", "float_text", "cut")


def vote(value: Scalar | list[Scalar]) -> str:
    """What one value says its field is; of a list, what all of its values go into."""
    if not isinstance(value, list):
        return _vote(value)
    votes = {_vote(item) for item in value}
    if len(votes) == 1:
        return votes.pop()
    if not votes <= set(_NUMBERS):
        return "text"
    size = "float" if {"float", "float_text"} & votes else "integer"
    return size if {"integer", "float"} & votes else f"{size}_text"


def _vote(value: Scalar) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        number = number_in(value)
        return "text" if number is None else f"{_size(number)}_text"
    return _size(value)


def _size(number: int | float) -> str:
    return "integer" if abs(number) <= MAX_EXACT and float(number).is_integer() else "float"


def decide(votes: Votes, before: FieldKind | None) -> FieldKind:
    """The kind of a field whose values say ``votes``, and that was of the kind ``before``."""
    total = votes.total()
    if not total:
        return before or "keyword"
    numbers = sum(votes[kind] for kind in _NUMBERS)
    if before in ("integer", "float"):
        if 2 * numbers >= total:
            return _number(votes)
    elif before == "bool" and 2 * votes["bool"] >= total:
        return "bool"
    if (votes["integer"] or votes["float"]) and 10 * (numbers - votes["cut"]) >= 9 * total:
        return _number(votes)
    return "bool" if votes["bool"] and 10 * votes["bool"] >= 9 * total else "keyword"


def _number(votes: Votes) -> FieldKind:
    """No number is too odd for a field of numbers: one fraction makes it one of fractions, and nothing is lost."""
    return "float" if votes["float"] or votes["float_text"] or votes["cut"] else "integer"


def too_many(votes: Mapping[str, Votes], known: Set[str]) -> list[str]:
    """Names that are too many to be fields of an index, those that most products have first.

    Args:
        votes: Of each name that may be a field.
        known: Fields that the index has; they stay, and the commonest of the others fill what is free.
    """
    free = max(0, MAX_FIELDS - len(known))
    return sorted(votes.keys() - known, key=lambda name: (-votes[name].total(), name))[free:]


def votes_of(value: Any, name: str) -> Iterable[tuple[str, str]]:
    """The fields that a value of a column fills, by their full names, and what it says of each: "" where it says that
    there is nothing."""
    parts = flatten({name: value}) if isinstance(value, Mapping) else ((name, value),)
    for part, one in parts:
        if (filterable := filterable_value(one)) is not None:
            yield part, "" if isinstance(filterable, str) and is_nothing(filterable) else vote(filterable)
