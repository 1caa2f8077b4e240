"""The words of a catalog: which of them a request has, in whatever form, and which it may have misspelt."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from index import VocabularyWord, stem_token, term_sequence, terms
from schemas import fold

LEAST = 3
"""Letters of a word that may be misspelt."""
LONG = 6
"""From here on two letters may be wrong."""


class Vocabulary:
    """The words of a catalog of so many products, as far as they can be compared with those of a request."""

    def __init__(self, words: Sequence[VocabularyWord], products: int = 0) -> None:
        self._spellings: defaultdict[int, list[str]] = defaultdict(list)
        for word in words:
            if (token := stem_token(word.term)) is not None:
                self._spellings[token].append(word.term)
        self._subjects = frozenset(word.term for word in words if word.subjects)
        self._products = {word.term: word.products for word in words}
        self._count = max(products, *self._products.values(), 1)
        self._spelt = [word.term for word in words if word.term.isalpha() and len(word.term) >= LEAST]

    def __bool__(self) -> bool:
        return bool(self._products)

    def has(self, word: str) -> bool:
        """Whether a product has the word, in whatever form of it; a word that says nothing counts as had."""
        token = stem_token(word)
        return token is None or token in self._spellings

    def has_stem(self, word: str) -> bool:
        """Whether a product has the word, in whatever form of it; a word that says nothing does not count."""
        return stem_token(word) in self._spellings

    def says(self, word: str) -> bool:
        """Whether a product has just this word where it says what it is."""
        return fold(word) in self._subjects

    def spellings(self, token: int) -> Sequence[str]:
        """All words of the catalog with this stem."""
        return self._spellings.get(token, ())

    def has_all(self, phrase: str) -> bool:
        return all(self.has(word) for word in terms(phrase))

    def spelling(self, phrase: str) -> str | None:
        """The phrase as the catalog may have it: as it is, or its words as one; None where it lacks some of it."""
        found = term_sequence(phrase)
        if all(map(self.has, found)):
            return phrase
        joined = "".join(found)
        return joined if self.writes(joined) else None

    def writes(self, word: str) -> bool:
        """Whether a product has just this word, in any case."""
        return fold(word) in self._products

    def idf(self, phrase: str) -> float:
        """How much the words of a phrase say, together, by BM25's inverse document frequency."""
        tokens = (token for word in term_sequence(phrase) if (token := stem_token(word)) is not None)
        frequencies = (max((self._products[term] for term in self.spellings(token)), default=0) for token in tokens)
        return sum(math.log1p((self._count - n + 0.5) / (n + 0.5)) for n in frequencies)

    def nearest(self, word: str, further: Iterable[str] = ()) -> list[str]:
        """The words that this may be a misspelling of: those that differ least, most likely first. None where none is
        near.

        More likely are those that say what some product is, then those with the same first letter, then those with the
        same letters, of which one was left out, doubled or moved, then those of more products.

        Args:
            further: Words that may be meant besides those of the catalog.
        """
        as_near = nearest_words(word, self._spelt, list(further))
        return sorted(
            as_near, key=lambda term: (not self.says(term), unlike(word, term), -self._products.get(term, 0), term)
        )

    def split(self, word: str) -> str | None:
        """Two words of the catalog that were written as one: ``chickpeas`` is ``chick peas``."""
        parts = [(word[:at], word[at:]) for at in range(3, len(word) - 2)]
        known = [pair for pair in parts if all(part in self._products for part in pair)]
        best = max(known, key=lambda pair: min(self._products[part] for part in pair), default=None)
        return " ".join(best) if best else None


def nearest_words(word: str, *lists: Sequence[str]) -> list[str]:
    """Those of the words that differ least from one, of few letters in one place and of others in two; each once."""
    most = 1 if len(word) < LONG else 2
    near = [
        found
        for words in lists
        for found in process.extract(word, words, scorer=OSA.distance, score_cutoff=most, limit=50)
    ]
    least = min((distance for _, distance, _ in near), default=0)
    return list(dict.fromkeys(term for term, distance, _ in near if distance == least))


def unlike(word: str, other: str) -> tuple[bool, bool]:
    """How much less likely it is that one was meant by the other: by its first letter, then by what letters it has."""
    return other[0] != word[0], set(other) != set(word)
