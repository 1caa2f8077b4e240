"""Words of a request that name values and ranges of known fields, as a filter: ``black jacket under 50``.

A value is one that the catalog has, by all of its words, in any case, singular or plural; one that two fields have is
looked for in both. A number after ``under``, ``over``, ``between`` and the like bounds the field that is named beside
it, or the only one with its unit, and else the price; a currency that the catalog does not have is not guessed at. What
would leave no product, or none with the other words, is left as words: no orange things are shown for ``orange juice``.
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
from search.ranges import Condition, Ranges
from search.result_set import having_words
from search.vocabulary import Vocabulary

MOST_VALUES = 10_000
"""Of one field, the commonest."""
_MOST_WORDS = 24
_PHRASE = 4
_POSSESSIVE = re.compile(r"(?<=\w)['’]s?(?!\w)")
_Key = tuple[int | str, ...]
_NEVER = frozenset({"id", "group_id", "currency", "language"})
"""Fields that nobody means by a word."""

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


class Interpreting:
    """Of the requests to one opened index."""

    def __init__(self, index: CatalogIndex, vocabulary: Vocabulary) -> None:
        self._index = index
        self._vocabulary = vocabulary
        self._fields = index.record.fields
        self._ranges = Ranges(index)

    def interpret(self, text: str, own: Filter, kept: Sequence[str] = ()) -> Interpreted:
        """
        Args:
            own: What the request filters by itself.
            kept: Phrases that are to be looked for as they stand.
        """
        if len(text.split()) > _MOST_WORDS:
            return Interpreted(text)
        protected = {word for phrase in kept for word in term_sequence(phrase) if stem_token(word) is not None}
        conditions = [*self._ranges.found(text), *self._stock(text)]
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

    def _said(self, text: str, conditions: Sequence[Condition], filter: dict[str, Any]) -> str:
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

    def _leaves_some(self, conditions: Sequence[Condition], own: Filter, text: str) -> bool:
        return self._count(conditions, own, self._left(text, conditions)) > 0

    def _left(self, text: str, conditions: Sequence[Condition]) -> str:
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

    def _count(self, conditions: Sequence[Condition], own: Filter, left: str = "") -> int:
        """Products with all of it, and with the words that are left where the catalog has them."""
        parts: list[Filter] = [own, parse_filter(_together([one.written for one in conditions]), self._fields)]
        words = having_words(self._index.terms(left), self._vocabulary, subject=False) if left else None
        if words is not None and self._index.count(All((own, words))):
            parts.append(words)
        return self._index.count(All(tuple(parts)))

    def _stock(self, text: str) -> Iterator[Condition]:
        for match in _STOCK.finditer(text):
            if self._fields.get("in_stock") == "bool":
                yield Condition(*match.span(), {"in_stock": match["out"] is None})

    def _named(self, text: str, taken: Sequence[Condition], protected: set[str]) -> Iterator[Condition]:
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
                    found = Condition(start, end, written, len(phrase))
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


def _is_size(phrase: str) -> bool:
    return len(fold(phrase)) <= 2 or fold(phrase).isdecimal()


def _start(condition: Condition) -> int:
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
