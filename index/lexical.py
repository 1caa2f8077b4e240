"""BM25F, made by one embedder for both engines: words become a sparse vector, the engine adds the IDF.

Robertson, Zaragoza and Taylor 2004: the terms of a product's fields are counted together, those of a weightier field
more often. Product numbers are a field of their own, whose length says nothing: their terms weigh the same in all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from qdrant_edge import Bm25, Bm25Config, TokenizerType

from index.protocols import Alternative
from index.tokenizer import Word, words

_K, _B = 1.2, 0.75
"""Of BM25: how soon repeating a word says nothing more, and how much a long product's words weigh less."""
_CODE = 1.5
"""What a term of a product number weighs, of at most 2.2."""
_MARKED = 0.9
"""How often a word counts that is written with marks, where it is asked for without: ``pate`` finds *pate* first."""
_FURTHER, _HINT = 0.5, 0.25
"""Weights in a request of a word's further forms, together, and of its hints, each."""
_LONG = 64
"""Characters of a chunk that is not remembered, as it will not come again."""


class Sparse(NamedTuple):
    """A sparse vector: ``values[i]`` stands at ``indices[i]``."""

    indices: list[int]
    values: list[float]


class AskedWord(NamedTuple):
    """A word of a request: ``forms`` are the tokens that a product has all of where it has the word, those from
    ``alternatives`` on of other words, and those from ``related`` on of words that do not mean the same."""

    word: str
    forms: tuple[tuple[int, ...], ...]
    alternatives: int
    related: int


class Lexical:
    """Words of products and of queries: lower case, marks folded, English stems and stop words.

    ``average_words`` must not change over the life of an index: lengths are weighed against it.
    """

    def __init__(self, average_words: float) -> None:
        self._average = average_words

    def document(self, text: str, codes: Sequence[str] = ()) -> Sparse | None:
        """The vector of a product; None where no word is left of it.

        Args:
            codes: Its product numbers, as they are written.
        """
        counts: defaultdict[int, float] = defaultdict(float)
        length = 0
        for chunk in text.split():
            counted, tokens = _document(chunk) if len(chunk) <= _LONG else _document.__wrapped__(chunk)
            length += counted
            for token, count in tokens:
                counts[token] += count
        norm = _K * (1 - _B + _B * length / self._average)
        weights = {token: count * (_K + 1) / (count + norm) for token, count in counts.items()}
        for code in codes:
            for chunk in code.split():
                for token, _ in _document(chunk)[1]:
                    weights[token] = max(weights.get(token, 0.0), _CODE)
        return _sparse(weights) if weights else None

    def query(self, text: str, alternatives: Sequence[Alternative] = ()) -> Sparse:
        """The vector of a query, weight 1 a word, and those of its alternatives; empty where no word is left of it."""
        weights: dict[int, float] = {}

        def add(terms: Sequence[int], weight: float) -> None:
            for token in terms:
                weights[token] = max(weights.get(token, 0.0), weight)

        for asked, older in _asked(text):
            for word in asked:
                first, *further = _forms(word)
                add(first, 1.0)
                tokens = [token for form in further for token in form]
                add(tokens, _FURTHER / max(1, len(tokens)))
                add(_tokens(word.hints), _HINT)
            add(older, 1.0)
        for one in alternatives:
            add(_phrase(one.phrase), one.weight)
        return _sparse(weights)

    def asked(self, text: str, alternatives: Sequence[Alternative] = ()) -> list[AskedWord]:
        """The distinct words of a query; stop words are none. Pictograms count where there is nothing else.

        The tokens of a word's alternatives are further forms of it.
        """
        same: defaultdict[str, list[tuple[int, ...]]] = defaultdict(list)
        related: defaultdict[str, list[tuple[int, ...]]] = defaultdict(list)
        for one in alternatives:
            if tokens := _phrase(one.phrase):
                for word in words(one.words):
                    (related if one.related else same)[word.text].append(tokens)
        found = [(word, _forms(word), older) for words, older in _asked(text) for word in words]
        found = [one for one in found if not one[0].emoji] or found
        asked: dict[tuple[int, ...], AskedWord] = {}
        for word, forms, older in found:
            if forms[0]:
                own = dict.fromkeys(form for form in (*forms, older) if form)
                meaning = own | dict.fromkeys(same[word.text])
                some = meaning | dict.fromkeys(related[word.text])
                asked.setdefault(forms[0], AskedWord(word.text, tuple(some), len(own), len(meaning)))
        return list(asked.values())


_BM25 = Bm25(Bm25Config(tokenizer=TokenizerType.Whitespace))
_OLDER = Bm25(Bm25Config(ascii_folding=True))


@lru_cache(2**14)
def stem_token(term: str) -> int | None:
    """The number that a folded word has in lexical vectors, the same for all forms of it; None for a stop word."""
    indices: list[int] = _BM25.embed_query(term).indices
    return indices[0] if indices else None


def _tokens(terms: Sequence[str]) -> tuple[int, ...]:
    return tuple(token for term in terms if (token := stem_token(term)) is not None)


def _forms(word: Word) -> list[tuple[int, ...]]:
    """Tokens of a word's forms; none of a form that a stop word is part of."""
    return [tokens if len(tokens := _tokens(form)) == len(form) else () for form in word.forms]


def _phrase(phrase: str) -> tuple[int, ...]:
    """The tokens of the words of an alternative."""
    return tuple(token for word in words(phrase) for token in _forms(word)[0])


def _asked(text: str) -> Iterator[tuple[list[Word], tuple[int, ...]]]:
    """The words between two blanks of a request, and the tokens that they have in an index of an older version."""
    for chunk in text.split():
        found = words(chunk)
        if chunk.isascii():
            yield found, ()
        else:
            now = {token for word in found for form in _forms(word) for token in form}
            yield found, tuple(token for token in _OLDER.embed_query(chunk).indices if token not in now)


@lru_cache(2**14)
def _document(chunk: str) -> tuple[int, tuple[tuple[int, float], ...]]:
    """How many words a chunk of a product counts for, and how often each of its tokens."""
    counts: defaultdict[str, float] = defaultdict(float)
    joined: set[str] = set()
    length = 0
    for word in words(chunk):
        (term,), *further = word.forms
        length += stem_token(term) is not None
        marked = any(hint.isalpha() and not hint.isascii() for hint in word.hints)
        counts[term] += _MARKED if marked else 1.0
        for form in further:
            if len(form) == 1:
                joined.update(form)
            else:
                for atom in form:
                    counts[atom] += 1.0
        for term in (*word.hints, *word.signs):
            counts[term] += 1.0
    for term in joined:
        counts[term] += 1.0
    tokens: defaultdict[int, float] = defaultdict(float)
    for term, count in counts.items():
        if (token := stem_token(term)) is not None:
            tokens[token] += count
    return length, tuple(tokens.items())


def _sparse(weights: dict[int, float]) -> Sparse:
    ordered = sorted(weights)
    return Sparse(ordered, [weights[token] for token in ordered])
