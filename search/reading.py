"""What the words of a request demand, leave out and merely ask with: phrases in quotes, negations, *show me some*.

``"soft shell"`` demands these words in this order in one text of a product. ``without skin``, ``no sugar``, ``not
spicy``, ``sugar free`` and ``gluten-free`` leave out the products that have the word, and it is no longer looked for.

``no sugar`` and ``sugar free`` may be names: a bag of the brand "No Fear", a "Free People" dress and a "free size" are
found as they are called. So they count as negations only where some product of the catalog has the word, or another
form or synonym of it, and does not itself negate it. ``without`` and ``not`` are no part of a name, and always count.

Left out are the products that have the word and do not say that they are without it. Where some say so and have the
other words as well ("gluten free pasta"), those products fit, and the words of the negation stay in what is looked for,
but for those of ``without`` and ``not``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any
from uuid import UUID

from cachetools import LRUCache, cachedmethod

from index import CatalogIndex, term_sequence
from schemas import All, Filter, HasId, HasWord, Not, fold
from search.filler_words import without_asking, without_praise
from search.negations import Negation, is_without, negations
from search.phrases import has_phrase, quoted, texts_of, without_quoted_negations
from search.result_set import having_words
from search.understanding import Understanding

MOST_READ = 20_000
"""Products whose texts are looked through for one phrase, or one negated word."""

_NAMED_FREE = {"size", "sizes", "sized", "shipping", "delivery", "postage", "returns", "standing", "gift"}
"""What is free, and does not say of what: ``dress free size``."""
_NEGATING = ("without", "no", "not", "non", "free", "zero")
_MOST_WORDS = 24
_REMEMBERED = 1_024


@dataclass(frozen=True, slots=True)
class Read:
    """A request's words: ``text`` is what is left to look for, ``filter`` what is demanded or left out, and of that
    ``left_out`` alone what is left out.

    ``phrases`` are as they were written; ``cut`` where more products were to be looked through than are.
    """

    text: str
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    filter: Filter | None = None
    left_out: Filter | None = None
    cut: bool = False
    interpreted: dict[str, Any] | None = None
    """As a request writes it: what holds beside its own filter."""
    corrected: str | None = None
    """The words as they were taken, where a misspelt one was taken for a filter."""
    dropped: tuple[str, ...] = ()
    """Bounds that nothing is within, which are looked for as words."""


class Reading:
    """Of the requests to one opened index."""

    def __init__(self, index: CatalogIndex, understanding: Understanding) -> None:
        self._index = index
        self._understanding = understanding
        self._vocabulary = understanding.vocabulary
        self._remembered: LRUCache[Any, Read] = LRUCache(_REMEMBERED)
        self._lock = Lock()

    @cachedmethod(lambda self: self._remembered, lock=lambda self: self._lock)
    def read(self, text: str, literal: bool) -> Read:
        """
        Args:
            literal: Negations are words like others; phrases in quotes are phrases all the same.
        """
        refused: list[str] = []
        if not literal:
            text, refused = without_quoted_negations(text)
        text, written = quoted(text)
        phrases = [term_sequence(phrase) for phrase in written]
        demanded = [self._phrase(words) for words in phrases]
        parts = [HasId(tuple(points)) for points, _ in demanded]
        cut = any(cut for _, cut in demanded)
        excluded = [*refused]
        left_out: list[Filter] = [Not(HasId(tuple(self._phrase(term_sequence(one))[0]))) for one in refused]
        if not literal and len(text.split()) <= _MOST_WORDS and self._vocabulary:
            in_phrases = frozenset(word for phrase in phrases for word in phrase)
            text = without_asking(
                text, lambda said: not in_phrases.isdisjoint(term_sequence(said)) or self._is_said(said)
            )
            text, negated, filters = self._without_negations(text, in_phrases)
            excluded += negated
            left_out += filters
            text = without_praise(text, lambda word: word in in_phrases or self._vocabulary.has(word))
        return Read(text, tuple(written), tuple(excluded), _all([*parts, *left_out]), _all(left_out), cut)

    def _phrase(self, words: Sequence[str]) -> tuple[list[UUID], bool]:
        """Products with these words in this order, and whether there are more to be looked through."""
        needed: tuple[Filter, ...] = tuple(HasWord((word,), False) for word in dict.fromkeys(words))
        under = All(needed) if self._vocabulary else All(())  # an older index does not say which words it has
        points = self._index.scan(under, MOST_READ + 1)
        found = [point for point, row in self._rows(points[:MOST_READ]) if has_phrase(row, words)]
        return found, len(points) > MOST_READ

    def _rows(self, points: Sequence[UUID]) -> Iterator[tuple[UUID, Mapping[str, Any]]]:
        for start in range(0, len(points), 1_000):
            for point, payload in self._index.payloads(points[start : start + 1_000], ["product"]).items():
                yield point, payload.get("product", {})

    def _without_negations(self, text: str, in_phrases: frozenset[str]) -> tuple[str, list[str], list[Filter]]:
        words = text.split()
        excluded: list[str] = []
        filters: list[Filter] = []
        gone: set[int] = set()
        for found in negations(words, self._named_free, self._is_said):
            if in_phrases.intersection(term_sequence(" ".join(words[found.start : found.end]))):
                continue
            kept = [word for at, word in enumerate(words) if not found.start <= at < found.end and at not in gone]
            negated = [self._negated(word, found, kept) for word in found.negated]
            if not negated or None in negated:
                continue
            for word, one in zip(found.negated, negated, strict=True):
                assert one is not None
                left_out, says_so = one
                excluded.append(word)
                if left_out is not None:
                    filters.append(Not(left_out))
                if found.certain or not says_so:
                    gone.update(range(found.start, found.end))
        left = " ".join(word for at, word in enumerate(words) if at not in gone)
        return left, excluded, filters

    def _is_said(self, phrase: str) -> bool:
        """Whether a product has these words in this order: ``without tomato sauce`` is not without tomato."""
        return bool(self._phrase(term_sequence(phrase))[0])

    def _named_free(self, before: str, after: str) -> bool:
        """Whether what is called free is what stands after, and not before: a size, or ``Free People``."""
        words = term_sequence(after)[:1]
        if not words or words[0] in _NAMED_FREE:
            return bool(words)
        return not self._is_said(f"{before} free") and self._is_said(f"free {after}")

    def _negated(self, word: str, found: Negation, rest: Sequence[str]) -> tuple[Filter | None, bool] | None:
        """What is left out, and whether some product with the rest of the words says that it is without it; None where
        the word is not negated.
        """
        understood = self._understanding.understand(word)
        terms = self._index.terms(understood.text, understood.alternatives)
        # What one variant says of another's colour does not count.
        having = having_words(terms, self._vocabulary, subject=word in self._colors)
        if not terms:
            return None
        if " " in word:
            having = HasId(tuple(self._phrase(term_sequence(word))[0]))
        if having is None or not self._index.count(having):
            return (None, False) if found.certain else None
        tokens = {token for term in terms for form in term.forms for token in form}
        # Those alone can say that they are without it.
        maybe = self._index.scan(All((having, HasWord(_NEGATING, False))), MOST_READ)
        without = [point for point, row in self._rows(maybe) if is_without(texts_of(row), tokens)]
        if not without:
            return having, False
        says_so = bool(self._index.count(All((self._all_of(rest), HasId(tuple(without))))))
        if len(without) == self._index.count(having) and not found.phrase:
            return None  # it is what they are called
        return All((having, Not(HasId(tuple(without))))), says_so

    @cached_property
    def _colors(self) -> frozenset[str]:
        if self._index.record.fields.get("color") != "keyword":
            return frozenset()
        return frozenset(fold(str(color)) for color, _ in self._index.facet("color", None, 1_000))

    def _all_of(self, words: Sequence[str]) -> Filter:
        terms = self._index.terms(" ".join(words))
        return having_words(terms, self._vocabulary, subject=False) or (HasId(()) if terms else All(()))


def _all(filters: Sequence[Filter]) -> Filter | None:
    return All(tuple(filters)) if filters else None
