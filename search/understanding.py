"""The words of a request as the catalog would put them: misspelt ones corrected, unknown ones beside their synonyms.

Nothing is done to a word that the catalog has, in whatever form, nor to one with a digit in it, which may be a product
number. What was done is said in the answer, and ``literal`` asks for the words as they were written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from threading import Lock
from typing import Any

from cachetools import LRUCache, cachedmethod
from rapidfuzz import process
from rapidfuzz.distance import OSA

from index import Alternative, VocabularyWord, stem_token, terms
from schemas import ExpandedWord, UnderstoodQuery, fold
from search.thesaurus import thesaurus

_LEAST = 4
"""Letters of a word that may be misspelt: among shorter ones nearly every word is a typo of another."""
_LONG = 6
"""From here on two letters may be wrong."""
_MOST_SYNONYMS = 12
_MOST_WORDS = 24
"""Of a request; whoever pastes a page does not look for a typo in it."""
_PHRASE = 3
"""Words that are one noun: ``chest of drawers``."""
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Understood:
    """What a request is taken to ask for: ``text`` is what is looked for, with ``alternatives`` for some of it."""

    text: str
    alternatives: tuple[Alternative, ...] = ()
    corrected: bool = False

    def shown(self, written: str) -> UnderstoodQuery:
        """As an answer tells it, beside what was written."""
        expanded = [
            ExpandedWord(word=word, synonyms=[one.phrase for one in same])
            for word, same in groupby(self.alternatives, key=lambda one: one.words)
        ]
        return UnderstoodQuery(text=written, corrected=self.text if self.corrected else None, expanded=expanded or None)


class Vocabulary:
    """The words of a catalog, as far as they can be compared with those of a request."""

    def __init__(self, words: Sequence[VocabularyWord]) -> None:
        self._spellings: defaultdict[int, list[str]] = defaultdict(list)
        for word in words:
            if (token := stem_token(word.term)) is not None:
                self._spellings[token].append(word.term)
        self._products = {word.term: word.products for word in words}
        self._spelt = [word.term for word in words if word.term.isalpha() and len(word.term) >= _LEAST - 1]

    def __bool__(self) -> bool:
        return bool(self._products)

    def has(self, word: str) -> bool:
        """Whether a product has the word, in whatever form of it; a word that says nothing counts as had."""
        token = stem_token(word)
        return token is None or token in self._spellings

    def spellings(self, token: int) -> Sequence[str]:
        """All words of the catalog with this stem."""
        return self._spellings.get(token, ())

    def has_all(self, phrase: str) -> bool:
        return all(self.has(word) for word in terms(phrase))

    def writes(self, word: str) -> bool:
        """Whether a product has just this word, in any case."""
        return fold(word) in self._products

    def nearest(self, word: str) -> str | None:
        """The word that this is most likely a misspelling of: of those that differ least, one with the same first
        letter, of most products. None where none is near."""
        most = 1 if len(word) < _LONG else 2
        near = process.extract(word, self._spelt, scorer=OSA.distance, score_cutoff=most, limit=50)
        ranked = sorted((distance, term[0] != word[0], -self._products[term], term) for term, distance, _ in near)
        return ranked[0][3] if ranked else None

    def split(self, word: str) -> str | None:
        """Two words of the catalog that were written as one: ``chickpeas`` is ``chick peas``."""
        parts = [(word[:at], word[at:]) for at in range(3, len(word) - 2)]
        known = [pair for pair in parts if all(part in self._products for part in pair)]
        best = max(known, key=lambda pair: min(self._products[part] for part in pair), default=None)
        return " ".join(best) if best else None


class Understanding:
    """Of the requests to one opened index. Thread-safe: what is remembered may be found out twice."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._thesaurus = thesaurus()
        self._remembered: LRUCache[Any, Understood] = LRUCache(_REMEMBERED)
        self._lock = Lock()

    # Not lru_cache: around its own method it is a cycle, which nobody collects once the API has frozen its garbage.
    @cachedmethod(lambda self: self._remembered, lock=lambda self: self._lock)
    def understand(self, text: str) -> Understood:
        """As it is written, where the index does not say which words it has."""
        written = text.split()
        if not self.vocabulary or len(written) > _MOST_WORDS:
            return Understood(text)
        words = [self._corrected(word) for word in self._joined(written)]
        corrected = words != written
        alternatives = self._alternatives([word for chunk in words for word in chunk.split()])
        return Understood(" ".join(words) if corrected else text, tuple(alternatives), corrected)

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Words that the catalog writes as one, where it does not have both: ``egg plant`` is ``eggplant``."""
        joined: list[str] = []
        for word in words:
            if (
                joined
                and self.vocabulary.writes(joined[-1] + word)
                and not self.vocabulary.has_all(f"{joined[-1]} {word}")
            ):
                joined[-1] += word
            else:
                joined.append(word)
        return joined

    def _corrected(self, written: str) -> str:
        plain = terms(written)
        if len(plain) != 1:
            return written
        (word,) = plain
        if len(word) < _LEAST or not word.isalpha() or self.vocabulary.has(word):
            return written
        if parts := self.vocabulary.split(word):
            return parts
        if self._thesaurus.knows(word):  # a word that the shop lacks is no misspelling of one that it has
            return written
        return self.vocabulary.nearest(word) or written

    def _alternatives(self, words: Sequence[str]) -> list[Alternative]:
        found: list[Alternative] = []
        at = 0
        while at < len(words):
            taken = 1
            for length in range(min(_PHRASE, len(words) - at), 0, -1):
                phrase = " ".join(words[at : at + length])
                if instead := self._instead_of(phrase.lower()):
                    found += [Alternative(phrase, other, weight) for other, weight in instead]
                    taken = length
                    break
            at += taken
        return found

    def _instead_of(self, phrase: str) -> list[tuple[str, float]]:
        """Synonyms, which the catalog has, of what no product has."""
        if self.vocabulary.has_all(phrase):
            return []
        own = set(map(stem_token, terms(phrase)))
        synonyms = [
            (other, weight)
            for other, weight in self._thesaurus.synonyms(phrase)
            if self.vocabulary.has_all(other) and own.isdisjoint(map(stem_token, terms(other)))
        ]
        return synonyms[:_MOST_SYNONYMS]
