"""Vectors of texts, with those of late kept: variants of a product share their title and description."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from embedding import Vectors

_KEPT = 4096


class TextVectors:
    """``embedded`` counts the texts that went through the encoder."""

    def __init__(self, encode: Callable[[Sequence[str]], Vectors]) -> None:
        self._encode = encode
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self.embedded = 0

    def __call__(self, texts: Sequence[str]) -> list[Vectors]:
        """``(dim,) float32``, unit length, for each text, in the order given."""
        new = [text for text in dict.fromkeys(texts) if text not in self._kept]
        if new:
            # Copies: a view of one row would keep the vectors of its whole batch.
            self._kept.update((text, vector.copy()) for text, vector in zip(new, self._encode(new), strict=True))
            self.embedded += len(new)
        vectors = []
        for text in texts:
            self._kept.move_to_end(text)
            vectors.append(self._kept[text])
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return vectors
