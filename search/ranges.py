"""Numbers of a request that bound a field: ``under 50``, ``between 10 and 20 euros``, ``protein over 20 g``.

A number bounds the field that is named beside it, or the only one with its unit, and else the price; a currency that
the catalog does not have is not guessed at.

Signs of currencies are a table here: Babel takes seconds to list all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from index import CatalogIndex, stem_token, term_sequence
from schemas import fold

_Stems = tuple[int, ...]

_CURRENCIES = {
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"),
    "€": ("EUR",),
    "£": ("GBP",),
    "¥": ("JPY", "CNY"),
    "₹": ("INR",),
    "rs": ("INR",),
    "dollar": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD"),
    "buck": ("USD", "CAD", "AUD"),
    "euro": ("EUR",),
    "pound": ("GBP",),
    "rupee": ("INR",),
    "yen": ("JPY",),
    "franc": ("CHF",),
}
_UNITS = frozenset(
    re.findall(r"\w+", "g kg mg cm mm m km ml l cl w kw v gb mb tb kcal kj cal inch inches ft oz lb lbs mah hz")
)

_AMOUNT = (
    r"(?P<sign{0}>[^\w\s<>=&-]|[a-z]{{2,3}}(?=\s?\d))?\s?"
    r"(?P<number{0}>\d+(?:[.,]\d+)*)"
    r"(?:\s?(?P<unit{0}>[^\W\d_]+|[$€£¥₹]))?"
)
_ONE, _TWO = _AMOUNT.format(1), _AMOUNT.format(2)
_RANGE = re.compile(
    rf"(?<!\w)(?:(?:between|from)\s+{_ONE}\s+(?:and|to|-)\s+{_TWO}"
    rf"|(?P<below>under|below|less than|cheaper than|<)\s*{_AMOUNT.format(3)}"
    rf"|(?P<most>up to|at most|max(?:imum)?|not? (?:more than|over|above)|<=|≤)\s*{_AMOUNT.format(4)}"
    rf"|(?P<above>over|above|more than|>)\s*{_AMOUNT.format(5)}"
    rf"|(?P<least>at least|from|min(?:imum)?|not? (?:less than|under|below)|>=|≥)\s*{_AMOUNT.format(6)}"
    rf"|{_AMOUNT.format(7)}\s?(?:-|–|to)\s?{_AMOUNT.format(8)})(?!\w)",
    re.IGNORECASE,
)

BOUNDING = ("under", "below", "over", "above", "between", "than", "most", "least", "from")
"""Words that stand before a number that they bound."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What the words from one place to another of a text were taken for."""

    start: int
    end: int
    written: dict[str, Any]
    length: int = 0
    """Of the value of a field that it ends with, which are words to look for as well; 0 of what is none."""

    @property
    def fields(self) -> list[str]:
        return [name for part in self.written.get("any", [self.written]) for name in part]


class Ranges:
    """Of the requests to one opened index."""

    def __init__(self, index: CatalogIndex) -> None:
        self._index = index
        self._fields = index.record.fields

    def found(self, text: str) -> Iterator[Condition]:
        """Bounds of fields that a text names, from its start to its end."""
        for match in _RANGE.finditer(text):
            found = match.groupdict()
            amounts = [
                (float(number), found[f"sign{n}"], found[f"unit{n}"])
                for n in range(1, 9)
                if (written := found[f"number{n}"]) and (number := _number(written)) is not None
            ]
            if not amounts or len(amounts) != sum(found[f"number{n}"] is not None for n in range(1, 9)):
                continue
            said = [part for _, sign, unit in amounts for part in (sign, unit) if part]
            bare = found["number7"] is not None
            meant = self._field(text, match, said, bare)
            if meant is None:
                continue
            name, end, more, start = meant
            numbers = sorted(value for value, _, _ in amounts)
            if len(numbers) == 2:
                bounds = {"gte": numbers[0], "lte": numbers[1]}
            else:
                kinds = {"below": "lt", "most": "lte", "above": "gt", "least": "gte"}
                bounds = {next(bound for kind, bound in kinds.items() if found[kind]): numbers[0]}
            yield Condition(start, end, {name: bounds, **more})

    def _field(
        self, text: str, match: re.Match[str], said: Sequence[str], bare: bool
    ) -> tuple[str, int, dict[str, Any], int] | None:
        """The field that a range is of, where what says so begins and ends, and what else is meant."""
        start, end = match.span()
        last = fold(said[-1]) if said else ""
        trailing = next((n for n in range(8, 0, -1) if match.groupdict()[f"unit{n}"]), None)
        before = [(one.start(), fold(one[0])) for one in re.finditer(r"[^\W\d]+", text[:start])]
        for words in (2, 1):
            named = tuple(token for _, word in before[-words:] if (token := stem_token(word)) is not None)
            if len(before) >= words and (name := self._numeric.get(named)):
                units = [part for part in said if fold(part) not in _UNITS]
                if trailing is not None and units == [match[f"unit{trailing}"]]:
                    end, units = match.start(f"unit{trailing}"), []  # another word of the request
                return (name, end, {}, before[-words][0]) if not units else None
        currencies = [codes for part in said if (codes := self._currency(part)) is not None]
        units = [fold(part) for part in said if self._currency(part) is None]
        if units and trailing is not None:
            token = stem_token(last)
            if token is not None and (name := self._numeric.get((token,))):
                return name, end, {}, start
            if units[-1] in _UNITS:
                names = [name for name in self._numeric.values() if fold(name).split("_")[-1] == units[-1]]
                return (names[0], end, {}, start) if len(set(names)) == 1 else None
            if len(units) > 1 or (not currencies and bare):
                return None
            end = match.start(f"unit{trailing}")  # another word of the request
            units = []
        if units or "price" not in self._fields or (bare and not currencies):
            return None
        meant = {code for codes in currencies for code in codes}
        sold = self._currencies
        if currencies and sold and not meant & sold:
            return None
        more = {"currency": sorted(meant & sold)} if currencies and len(sold) > 1 else {}
        return "price", end, more, start

    def _currency(self, written: str) -> tuple[str, ...] | None:
        word = fold(written).removesuffix(".")
        if word.upper() in self._currencies or word.upper() in {"USD", "EUR", "GBP", "INR", "JPY", "CHF", "CAD", "AUD"}:
            return (word.upper(),)
        return _CURRENCIES.get(word) or _CURRENCIES.get(word.removesuffix("s"))

    @cached_property
    def _numeric(self) -> Mapping[_Stems, str]:
        """Fields of numbers by the words of their names, with and without the unit at the end."""
        found: dict[_Stems, str] = {}
        twice: set[_Stems] = set()
        for name, kind in self._fields.items():
            if kind in ("integer", "float"):
                parts = fold(name).replace("-", "_").split("_")
                names = {_stems(" ".join(parts)), _stems(" ".join(parts[:-1])) if parts[-1] in _UNITS else ()}
                for key in names - {()}:
                    twice |= {key} if found.setdefault(key, name) != name else set()
        return {key: name for key, name in found.items() if key not in twice}

    @cached_property
    def _currencies(self) -> frozenset[str]:
        return frozenset(str(value) for value, _ in self._index.facet("currency", None, 1_000))


def _number(written: str) -> float | None:
    """``1,000`` and ``1.000`` are a thousand, ``9,50`` and ``9.5`` are not."""
    if re.fullmatch(r"\d{1,3}([.,]\d{3})+", written):
        return float(re.sub("[.,]", "", written))
    try:
        return float(written.replace(",", "."))
    except ValueError:
        return None


def _stems(name: str) -> _Stems:
    """The words of a name by their stems; empty where one is a stop word, which names nothing."""
    tokens = [stem_token(word) for word in term_sequence(name)]
    return tuple(token for token in tokens if token is not None) if None not in tokens else ()
