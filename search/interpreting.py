"""Words of a request that name values and ranges of known fields, as a filter: ``black jacket under 50``.

A value is one that the catalog has, by all of its words, in any case, singular or plural; one that two fields have is
looked for in both. A number after ``under``, ``over``, ``between`` and the like bounds the field that is named beside
it, or the only one with its unit, and else the price; a currency that the catalog does not have is not guessed at. What
would leave no product, or none with the other words, is left as words: no orange things are shown for ``orange juice``.

Signs of currencies are a table here: Babel takes seconds to list all of them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from index import CatalogIndex, stem_token, term_sequence
from schemas import All, Filter, fold, parse_filter
from search.result_set import having_words
from search.understanding import Vocabulary

MOST_VALUES = 10_000
"""Of one field, the commonest."""
_MOST_WORDS = 24
_PHRASE = 4
_POSSESSIVE = re.compile(r"(?<=\w)['’]s?(?!\w)")
_Key = tuple[int | str, ...]
_NEVER = frozenset({"id", "group_id", "currency", "language"})
"""Fields that nobody means by a word."""

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
_STOCK = re.compile(
    r"(?<!\w)(?:(?P<out>out of stock|sold out|not in stock|not available|unavailable)|in stock|available)(?!\w)",
    re.IGNORECASE,
)
_LOOSE = frozenset(
    {"for", "in", "at", "and", "or", "with", "of", "a", "the", "priced", "price", "costing", "cost", "that"}
)
"""Words that say nothing once what they belong to is a filter."""


@dataclass(frozen=True, slots=True)
class Interpreted:
    """``text`` is what is left to look for, ``filter`` what was understood, as a request writes it, if anything was.

    ``dropped`` are bounds that stay words, since no product is within them that fits the other words.
    """

    text: str
    filter: dict[str, Any] | None = None
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Condition:
    """What the words from one place to another of a text were taken for."""

    start: int
    end: int
    written: dict[str, Any]
    length: int = 0
    """Of the value of a field that it ends with, which are words to look for as well; 0 of what is none."""

    @property
    def fields(self) -> list[str]:
        return [name for part in self.written.get("any", [self.written]) for name in part]


class Interpreting:
    """Of the requests to one opened index."""

    def __init__(self, index: CatalogIndex, vocabulary: Vocabulary) -> None:
        self._index = index
        self._vocabulary = vocabulary
        self._fields = index.record.fields

    def interpret(self, text: str, own: Filter, kept: Sequence[str] = ()) -> Interpreted:
        """
        Args:
            own: What the request filters by itself.
            kept: Phrases that are to be looked for as they stand.
        """
        if len(text.split()) > _MOST_WORDS:
            return Interpreted(text)
        protected = {word for phrase in kept for word in term_sequence(phrase) if stem_token(word) is not None}
        conditions = [*self._ranges(text), *self._stock(text)]
        conditions += self._named(text, conditions, protected)
        bounds = [one for one in conditions if not one.length]
        conditions = [
            one
            for one in conditions
            if not protected.intersection(term_sequence(text[one.start : one.end])) and self._count([one], own)
        ]
        while conditions and not self._leaves_some(conditions, own, text):
            # Values before bounds, and the last first, unless another one is to blame alone.
            order = sorted(conditions, key=lambda one: (not one.length, -one.start))
            others = ([other for other in conditions if other is not one] for one in order)
            conditions = next(
                (some for some in others if some and self._leaves_some(some, own, text)),
                [one for one in conditions if one is not order[0]],
            )
        dropped = tuple(text[one.start : one.end] for one in bounds if one not in conditions)
        if not conditions:
            return Interpreted(text, None, dropped)
        conditions = sorted(conditions, key=_start)
        filter = _together([one.written for one in conditions])
        left = self._left(text, conditions)
        return Interpreted(left if term_sequence(left) else self._said(text, conditions, filter), filter, dropped)

    def _said(self, text: str, conditions: Sequence[_Condition], filter: dict[str, Any]) -> str:
        """Of values that are all that is asked for, those that products which pass say in words; none of a field of
        which several values are asked for, since no product says them all."""
        passed = parse_filter(filter, self._fields)
        fields = Counter(name for one in conditions for name in one.fields)
        said: list[str] = []
        for one in conditions:
            phrase = text[one.end - one.length : one.end]
            words = having_words(self._index.terms(" ".join([*said, phrase])), self._vocabulary, subject=True)
            if one.length and words and all(fields[name] == 1 for name in one.fields):
                said += [phrase] if self._index.count(All((passed, words))) else []
        return " ".join(said)

    def _leaves_some(self, conditions: Sequence[_Condition], own: Filter, text: str) -> bool:
        return self._count(conditions, own, self._left(text, conditions)) > 0

    def _left(self, text: str, conditions: Sequence[_Condition]) -> str:
        left, at = [], 0
        for one in sorted(conditions, key=_start):
            left += [text[at : one.start], " "]
            at = one.end
        words = "".join([*left, text[at:]]).split()
        while words and fold(words[-1]).strip(",.;&") in {*_LOOSE, ""}:
            words.pop()
        while words and fold(words[0]).strip(",.;&") in {*_LOOSE, ""}:
            words.pop(0)
        return " ".join(words)

    def _count(self, conditions: Sequence[_Condition], own: Filter, left: str = "") -> int:
        """Products with all of it, and with the words that are left where the catalog has them."""
        parts: list[Filter] = [own, parse_filter(_together([one.written for one in conditions]), self._fields)]
        words = having_words(self._index.terms(left), self._vocabulary, subject=False) if left else None
        if words is not None and self._index.count(All((own, words))):
            parts.append(words)
        return self._index.count(All(tuple(parts)))

    def _ranges(self, text: str) -> Iterator[_Condition]:
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
            yield _Condition(start, end, {name: bounds, **more})

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

    def _stock(self, text: str) -> Iterator[_Condition]:
        for match in _STOCK.finditer(text):
            if self._fields.get("in_stock") == "bool":
                yield _Condition(*match.span(), {"in_stock": match["out"] is None})

    def _named(self, text: str, taken: Sequence[_Condition], protected: set[str]) -> Iterator[_Condition]:
        """The longest runs of words that are a value, or the name of what is true or false."""
        words = list(re.finditer(r"\S+", text))
        at = 0
        while at < len(words):
            for length in range(min(_PHRASE, len(words) - at), 0, -1):
                start, end = words[at].start(), words[at + length - 1].end()
                while end > start and text[end - 1] in ",.;:!?":
                    end -= 1
                if any(one.start < end and start < one.end for one in taken):
                    continue
                phrase = text[start:end]
                written = self._value(phrase, text[:start].split())
                if written and self._is_meant(written, phrase):
                    found = _Condition(start, end, written, len(phrase))
                    before = _key(words[at - 1][0]) if at else ()
                    if before and before in {_key(name.replace("_", " ")) for name in found.fields}:
                        found = replace(found, start=words[at - 1].start())
                    yield found
                    at += length - 1
                    break
            at += 1

    def _value(self, phrase: str, before: Sequence[str]) -> dict[str, Any] | None:
        phrase = _POSSESSIVE.sub("", phrase)
        key = _key(phrase)
        if not key or phrase.startswith("-"):
            return None
        if (name := self._flags.get(key)) is not None:
            return {name: True}
        held = {
            name: same
            for name, values in self._values.get(key, {}).items()
            if (same := [value for value in values if _is_same(value, phrase)])
        }
        if _is_size(phrase):  # where it is called one
            named = _key(before[-1]) if before else ()
            held = {
                name: values
                for name, values in held.items()
                if _key(name.replace("_", " ")) == named or named == ("in",)
            }
        if not held:
            return None
        parts = [{name: values[0] if len(values) == 1 else values} for name, values in held.items()]
        return parts[0] if len(parts) == 1 else {"any": parts}

    def _is_meant(self, written: dict[str, Any], phrase: str) -> bool:
        """Whether most products that say of themselves what the phrase says have that value as well: where half of the
        hoodies have no style, they are not to be lost."""
        words = having_words(self._index.terms(phrase), self._vocabulary, subject=True)
        if words is None:
            return True
        having = All((words, parse_filter(written, self._fields)))
        return 2 * self._index.count(having) >= self._index.count(words)

    @cached_property
    def _values(self) -> Mapping[_Key, dict[str, list[str]]]:
        """The values of each field by the stems of their words."""
        found: defaultdict[_Key, dict[str, list[str]]] = defaultdict(dict)
        for name, kind in self._fields.items():
            if kind == "keyword" and name not in _NEVER:
                for value, _ in self._index.facet(name, None, MOST_VALUES):
                    if len(str(value)) <= 64 and (key := _key(str(value))):
                        found[key].setdefault(name, []).append(str(value))
        return found

    @cached_property
    def _flags(self) -> Mapping[_Key, str]:
        flags = [name for name, kind in self._fields.items() if kind == "bool" and name != "in_stock"]
        return {key: name for name in flags if (key := _key(name.replace("_", " ")))}

    @cached_property
    def _numeric(self) -> Mapping[_Key, str]:
        """Fields of numbers by the words of their names, with and without the unit at the end."""
        found: dict[_Key, str] = {}
        twice: set[_Key] = set()
        for name, kind in self._fields.items():
            if kind in ("integer", "float"):
                parts = fold(name).replace("-", "_").split("_")
                names = {_key(" ".join(parts)), _key(" ".join(parts[:-1])) if parts[-1] in _UNITS else ()}
                for key in names - {()}:
                    twice |= {key} if found.setdefault(key, name) != name else set()
        return {key: name for key, name in found.items() if key not in twice}

    @cached_property
    def _currencies(self) -> frozenset[str]:
        return frozenset(str(value) for value, _ in self._index.facet("currency", None, 1_000))


def _is_size(phrase: str) -> bool:
    return len(fold(phrase)) <= 2 or fold(phrase).isdecimal()


def _start(condition: _Condition) -> int:
    return condition.start


def _key(phrase: str) -> _Key:
    """Words by their stems; stop words as they are, and none of nothing else but a size."""
    tokens = [(stem_token(word), word) for word in term_sequence(phrase)]
    if all(token is None for token, _ in tokens) and not _is_size(phrase):
        return ()
    return tuple(word if token is None else token for token, word in tokens)


def _is_same(value: str, phrase: str) -> bool:
    """Whether they have the same words, but for singular and plural."""
    pairs = list(zip(term_sequence(value), term_sequence(phrase), strict=False))
    return len(term_sequence(value)) == len(term_sequence(phrase)) and all(
        long in (short, f"{short}s", f"{short}es", f"{short[:-1]}ies")
        for short, long in (sorted(pair, key=len) for pair in pairs)
    )


def _number(written: str) -> float | None:
    """``1,000`` and ``1.000`` are a thousand, ``9,50`` and ``9.5`` are not."""
    if re.fullmatch(r"\d{1,3}([.,]\d{3})+", written):
        return float(re.sub("[.,]", "", written))
    try:
        return float(written.replace(",", "."))
    except ValueError:
        return None


def _together(written: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Conditions as one filter: of one field several values are any of them, and several ranges all."""
    merged: dict[str, Any] = {}
    more: list[dict[str, Any]] = []
    for one in written:
        for name, value in one.items():
            if name not in merged and name != "any":
                merged[name] = value
            elif name != "any" and isinstance(value, str | list) and isinstance(merged[name], str | list):
                merged[name] = list(dict.fromkeys([*_listed(merged[name]), *_listed(value)]))
            else:
                more.append({name: value})
    if len(more) == 1 and "any" in more[0]:
        return {**merged, **more[0]}
    return {**merged, "all": more} if more else merged


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
