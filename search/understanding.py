"""The words of a request as the catalog would put them: misspelt ones corrected, unknown ones beside their synonyms.

Nothing is corrected that the catalog has, in whatever form, nor a word with a digit in it, which may be a product
number. Of words that are as near to a misspelt one, that is taken which a product has together with the others.
Synonyms that people have written down are looked for beside words that the catalog has as well; those of the dictionary
only where it lacks a word for which nobody has written any. What was done is said in the answer, and ``literal`` asks
for the words as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from threading import Lock
from typing import Any, NamedTuple

from cachetools import LRUCache, cachedmethod
from rapidfuzz import process
from rapidfuzz.distance import OSA

from index import Alternative, stem_token, term_sequence, terms
from schemas import All, ExpandedWord, Filter, HasWord, UnderstoodQuery
from search.ranges import BOUNDING
from search.synonyms import WrittenSynonyms
from search.thesaurus import SAME, thesaurus
from search.vocabulary import LEAST, LONG, Vocabulary, nearest_words, unlike

_SURE = 4
"""Below so many letters nearly every word is a typo of another: it is corrected only to what some product has together
with all other words of the request."""
_TOLD = 5
"""From here on it may be a noun that the catalog does not have, of which there are ten thousands."""
_MOST_NEAR = 8
"""Words as near as each other, of which it is found out whether a product has them together with the others."""
_MOST_SYNONYMS = 12
MOST_ENCODED = 3
_MOST_WRITTEN = 100
"""Of a phrase, of all documents."""
_MOST_WORDS = 24
"""Of a request; whoever pastes a page does not look for a typo in it."""
_PHRASE = 3
"""Words that are one noun: ``chest of drawers``."""
_REMEMBERED = 4096
_NUMBER = re.compile(r"[^\w\s]?\d")


@dataclass(frozen=True, slots=True)
class Understood:
    """What a request is taken to ask for: ``text`` is what is looked for, with ``alternatives`` for some of it.

    ``lacking`` where the catalog does not have what they stand for. ``encoded``, where there is any, is to be encoded
    in place of ``text``: up to ``MOST_ENCODED`` texts, with what people have written down in place of what it lacks.
    """

    text: str
    alternatives: tuple[Alternative, ...] = ()
    corrected: bool = False
    lacking: bool = False
    encoded: tuple[str, ...] = ()

    def shown(self, written: str) -> UnderstoodQuery:
        """As an answer tells it, beside what was written."""
        expanded = [
            ExpandedWord(word=word, synonyms=[one.phrase for one in same])
            for word, same in groupby(self.alternatives, key=lambda one: one.words)
        ]
        return UnderstoodQuery(text=written, corrected=self.text if self.corrected else None, expanded=expanded or None)


class _Segment(NamedTuple):
    """Some words of a request, with alternatives for them or for a part of them."""

    words: str
    alternatives: list[Alternative]


class Understanding:
    """Of the requests to one opened index. Thread-safe: what is remembered may be found out twice.

    ``count`` tells how many products a filter finds: of words that are as near to a misspelt one, those are meant that
    products have together with the others of the request. Left out, the most usual one is.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        synonyms: WrittenSynonyms | None = None,
        count: Callable[[Filter], int] | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self._count = count
        self._written = synonyms or WrittenSynonyms()
        self._spelt = sorted(word for word in self._written.words if word.isalpha() and len(word) >= LEAST)
        self._thesaurus = thesaurus()
        self._remembered: LRUCache[Any, Understood] = LRUCache(_REMEMBERED)
        self._lock = Lock()

    # Not lru_cache: around its own method it is a cycle, which nobody collects once the API has frozen its garbage.
    @cachedmethod(lambda self: self._remembered, lock=lambda self: self._lock)
    def understand(self, text: str) -> Understood:
        """As it is written, but for what people have written down, where the index does not say which words it has."""
        written = text.split()
        if len(written) > _MOST_WORDS:
            return Understood(text)
        if not self.vocabulary:
            some = tuple(one for segment in self._segments(written) for one in segment.alternatives)
            return Understood(text, some)
        words = self._joined(written)
        for at in sorted(range(len(words)), key=lambda at: -len(words[at])):  # short ones are judged by the others
            before_number = at + 1 < len(words) and _NUMBER.match(words[at + 1]) is not None
            words[at] = self._corrected(words[at], [*words[:at], *words[at + 1 :]], before_number)
        corrected = words != written
        meant = " ".join(words) if corrected else text
        segments = self._segments(meant.split())
        alternatives = tuple(one for segment in segments for one in segment.alternatives)
        lacking = any(self.vocabulary.spelling(one.words) is None for one in alternatives)
        encoded = self._encoded(segments) if lacking else ()
        return Understood(meant, alternatives, corrected, lacking, encoded)

    def _encoded(self, segments: Sequence[_Segment]) -> tuple[str, ...]:
        """A text with what people have written down in place of what the catalog lacks, the most usual words first."""
        ways = [self._ways(segment) for segment in segments]
        texts = (
            " ".join(way[min(number, len(way) - 1)] for way in ways)
            for number in range(min(MOST_ENCODED, max(map(len, ways))))
        )
        return tuple(dict.fromkeys(texts))

    def _ways(self, segment: _Segment) -> list[str]:
        """What is encoded for it; itself, but where the catalog lacks it and people have written down synonyms."""
        lacking = [one for one in segment.alternatives if self.vocabulary.spelling(one.words) is None]
        written = [one for one in lacking if self._written.instead_of(one.words)]
        written.sort(key=lambda one: self.vocabulary.idf(one.phrase))
        return [segment.words.replace(one.words, one.phrase) for one in written] or [segment.words]

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Words that the catalog writes as one, where it does not have both: ``egg plant`` and ``egg-plant`` are
        ``eggplant``."""
        joined: list[str] = []
        for word in words:
            first, hyphen, second = word.partition("-")
            if hyphen and self._is_one(first, second):
                joined.append(first + second)
            elif joined and self._is_one(joined[-1], word):
                joined[-1] += word
            else:
                joined.append(word)
        return joined

    def _is_one(self, first: str, second: str) -> bool:
        both = f"{first} {second}"
        return (
            self.vocabulary.has_stem(first + second)
            and not self.vocabulary.has_all(both)
            and not self._written.instead_of(both)
        )

    def _corrected(self, written: str, others: Sequence[str], before_number: bool = False) -> str:
        first, hyphen, last = written.rpartition("-")
        if hyphen and first.isalpha() and self._knows(first):  # t-shirh
            return first + hyphen + self._corrected(last, [*others, first])
        plain = terms(written)
        if len(plain) != 1:
            return written
        (word,) = plain
        if len(word) < LEAST or not word.isalpha() or self._knows(word):
            return written
        parts = self.vocabulary.split(word)
        if parts and all(map(self.vocabulary.says, parts.split())):
            return parts
        if self._thesaurus.knows(word):  # a word that the shop lacks is no misspelling of one that it has
            return written
        if before_number and len(word) >= _SURE and (meant := nearest_words(word, BOUNDING)):  # undr 50
            return meant[0]
        near = self.vocabulary.nearest(word, [*self._spelt, *self._nouns_near(word)])
        short = len(word) < _SURE
        if short:
            near = [other for other in near if other[0] == word[0]]
        if together := self._together(near[:_MOST_NEAR], others) if short or len(near) > 1 else {}:
            return min(together, key=lambda one: (unlike(word, one), -together[one], one))
        return written if short else near[0] if near else parts or written

    def _nouns_near(self, word: str) -> list[str]:
        """Words of the dictionary that differ in one place, and that mean what the catalog has by another name: a
        ``coutch`` is a couch where sofas are sold. Those that come nearest to what products are called."""
        if len(word) < _TOLD:
            return []
        near = [
            noun + ending
            for ending in ("", "s", "es")
            if word.endswith(ending)
            for noun, _, _ in process.extract(
                word.removesuffix(ending), self._thesaurus.nouns, scorer=OSA.distance, score_cutoff=1, limit=50
            )
        ]
        likely = [noun for noun in near if noun[0] == word[0] or len(word) >= LONG]
        meant = {noun: max(map(self._strength, found)) for noun in likely if (found := self._of_dictionary(noun))}
        most = max(meant.values(), default=None)
        return [noun for noun, strength in meant.items() if strength == most]

    def _strength(self, alternative: Alternative) -> tuple[bool, float]:
        return all(map(self.vocabulary.says, terms(alternative.phrase))), alternative.weight

    def _together(self, near: Sequence[str], others: Sequence[str]) -> dict[str, int]:
        """How many products have each of the words together with all others of the request that the catalog knows, of
        those with any: products that it says what they are, or else that have it anywhere."""
        tokens = {token for word in term_sequence(" ".join(others)) if (token := stem_token(word)) is not None}
        known = [
            HasWord(tuple(spelt), subject=False) for token in tokens if (spelt := self.vocabulary.spellings(token))
        ]
        if not known or self._count is None:
            return {}
        for subject in (True, False):
            some = [one for one in near if self.vocabulary.says(one) or not subject]
            counts = {one: self._count(All((HasWord((one,), subject=subject), *known))) for one in some}
            if found := {one: count for one, count in counts.items() if count}:
                return found
        return {}

    def _knows(self, word: str) -> bool:
        return self.vocabulary.has(word) or self._written.knows(word)

    def _segments(self, words: Sequence[str]) -> list[_Segment]:
        """A text cut where a phrase with alternatives begins and ends; the longest phrases are taken."""
        segments: list[_Segment] = []
        at = 0
        while at < len(words):
            longest = min(max(_PHRASE, self._written.longest), len(words) - at)
            phrases = [(length, " ".join(words[at : at + length])) for length in range(longest, 0, -1)]
            taken, some = next(((length, some) for length, phrase in phrases if (some := self._of(phrase))), (1, []))
            if not some:
                some = [one for phrase in self._written.within(words[at]) for one in self._of_people(phrase)]
            segments.append(_Segment(" ".join(words[at : at + taken]), some))
            at += taken
        return segments

    def _of(self, phrase: str) -> list[Alternative]:
        return self._of_people(phrase) or self._of_dictionary(phrase) or self._as_one_word(phrase)

    def _of_people(self, phrase: str) -> list[Alternative]:
        """Synonyms that people have written down. They count as much as what is asked for, however rare they are."""
        if not self.vocabulary:
            return [Alternative(phrase, other, 1.0) for other in self._written.instead_of(phrase)[:_MOST_WRITTEN]]
        others = filter(None, map(self.vocabulary.spelling, self._written.instead_of(phrase)))
        asked = self.vocabulary.idf(phrase)
        return [
            Alternative(phrase, other, min(1.0, asked / (self.vocabulary.idf(other) or 1.0)))
            for other in islice(others, _MOST_WRITTEN)
        ]

    def _as_one_word(self, phrase: str) -> list[Alternative]:
        """Two words as the one that products are called by: ``sweat shirt`` is a ``sweatshirt`` too."""
        parts = phrase.split()
        if len(parts) != 2 or not self.vocabulary.says("".join(parts)):
            return []
        return [Alternative(phrase, "".join(parts), SAME)]

    def _of_dictionary(self, phrase: str) -> list[Alternative]:
        """Synonyms, which the catalog has, of what no product has."""
        if not self.vocabulary or len(phrase.split()) > _PHRASE or self.vocabulary.has_all(phrase):
            return []
        own = set(map(stem_token, terms(phrase)))
        synonyms = [
            Alternative(phrase, other, weight, related=weight < SAME)
            for other, weight in self._thesaurus.synonyms(phrase.lower())
            if self.vocabulary.has_all(other) and own.isdisjoint(map(stem_token, terms(other)))
        ]
        return synonyms[:_MOST_SYNONYMS]
