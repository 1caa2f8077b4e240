"""The synonyms of a collection's documents, all together, as a request is compared with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from index import pieces, stem_token, term_sequence
from schemas import Document, Synonyms, fold

_Key = tuple[int, ...]

_JOINED = 5
"""Letters of words that are also found as one: ``t-shirt`` is ``tshirt``, and ``eggplant`` is ``egg plant``."""

_MOST = 1_000
"""Phrases looked at for one, of all documents: a request is not to wait for whoever wrote more."""


class WrittenSynonyms:
    """A phrase is compared by the stems of its words: whatever their case, marks and endings.

    ``longest`` is how many words of a request may be one phrase, and ``words`` are those of all phrases, folded.
    """

    def __init__(self, documents: Iterable[Document] = ()) -> None:
        self.longest = 0
        self.words: set[str] = set()
        self._others: defaultdict[_Key, list[Sequence[str]]] = defaultdict(list)
        self._unspaced: dict[str, str] = {}
        for body in (document.body for document in documents):
            if isinstance(body, Synonyms):
                for group in body.groups:
                    for phrase in group:
                        self._add(phrase, group)
                for one in body.one_way:
                    self._add(one.from_, one.to)
                    for phrase in one.to:
                        self.words.update(term_sequence(phrase))
        self._tokens = {stem_token(word) for word in self.words} - {None}

    def _add(self, phrase: str, others: Sequence[str]) -> None:
        terms = term_sequence(phrase)
        self.words.update(terms)
        self.longest = max(self.longest, len(terms) + 1)
        for key in _keys(terms):
            self._others[key].append(others)
        if not pieces(phrase):  # of a script without blanks, or pictograms
            self._unspaced[fold(phrase)] = phrase

    def knows(self, word: str) -> bool:
        """Whether it is a word of some phrase, or all of one, in whatever form of it."""
        return stem_token(word) in self._tokens or any(key in self._others for key in _keys([word]))

    def instead_of(self, phrase: str) -> list[str]:
        """What is to be looked for beside this phrase, each once, in the order of the documents."""
        terms = term_sequence(phrase)
        own = _keys(terms)
        found: dict[_Key, str] = {}
        groups = (others for key in sorted(own, key=len, reverse=True) for others in self._others.get(key, ()))
        for other in islice(chain.from_iterable(groups), _MOST):
            keys = _keys(term_sequence(other))
            if keys and own.isdisjoint(keys):
                found.setdefault(max(keys, key=len), other)
        return list(found.values())

    def within(self, chunk: str) -> Iterator[str]:
        """Phrases in a chunk of a script without blanks between its words."""
        if not chunk.isascii():
            folded = fold(chunk)
            yield from (phrase for written, phrase in self._unspaced.items() if written in folded)


def _keys(terms: Sequence[str]) -> set[_Key]:
    """The stems of a phrase, and that of its words as one; none where they are all stop words."""
    tokens = tuple(token for term in terms if (token := stem_token(term)) is not None)
    joined = "".join(terms)
    one = stem_token(joined) if len(terms) > 1 and len(joined) >= _JOINED else None
    return {key for key in (tokens, () if one is None else (one,)) if key}
