"""BM25, made by one embedder for both engines: words become a sparse vector, the engine adds the IDF."""

from __future__ import annotations

import re
from typing import NamedTuple

from qdrant_edge import Bm25, Bm25Config

_WORD = re.compile(r"[^\W_]+")


class Sparse(NamedTuple):
    """A sparse vector: ``values[i]`` stands at ``indices[i]``."""

    indices: list[int]
    values: list[float]


class Lexical:
    """Words of products and of queries: lower case, accents folded, English stems and stop words.

    ``average_words`` must not change over the life of an index: lengths are weighed against it.
    """

    def __init__(self, average_words: float) -> None:
        self._bm25 = Bm25(Bm25Config(avg_len=average_words, ascii_folding=True))

    def document(self, words: str) -> Sparse | None:
        """The vector of a product; None where no word is left of it."""
        vector = self._bm25.embed_document(words)
        return Sparse(vector.indices, vector.values) if vector.indices else None

    def query(self, text: str) -> Sparse:
        """The vector of a query, weight 1 a word; empty where no word is left of it."""
        vector = self._bm25.embed_query(text)
        return Sparse(vector.indices, vector.values)

    def tokens(self, text: str) -> dict[int, str]:
        """Each token of a query with the word it came from; stop words have none."""
        found: dict[int, str] = {}
        for chunk in text.split():
            whole = self.query(chunk).indices
            # "T-shirt" is two words, while a word of an Indian script is one, though \w sees several.
            if len(whole) > 1:
                for word in _WORD.findall(chunk):
                    # Where scripts meet, a part alone may be other words than it is within the whole.
                    for token in set(self.query(word).indices).intersection(whole):
                        found.setdefault(token, word)
            for token in whole:
                found.setdefault(token, chunk.strip(".,;:!?()[]{}\"'"))
        return found
