"""Text vectors: the right one for each text, each distinct text once, bounded memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ingest.embedder import TextVectors


class Encoder:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen.extend(texts)
        return np.array([[len(text), sum(map(ord, text))] for text in texts], np.float32).reshape(-1, 2)


@given(batches=st.lists(st.lists(st.sampled_from(["a", "b", "ab", "ba", "c"])), max_size=5))
def test_each_distinct_text_is_embedded_once(batches: list[list[str]]) -> None:
    encoder = Encoder()
    vectors = TextVectors(encoder)
    for batch in batches:
        got = vectors(batch)
        assert [(v[0], v[1]) for v in got] == [(len(t), sum(map(ord, t))) for t in batch]
    assert sorted(encoder.seen) == sorted({text for batch in batches for text in batch})
    assert vectors.embedded == len(encoder.seen)


def test_only_texts_of_late_are_kept() -> None:
    encoder = Encoder()
    vectors = TextVectors(encoder, most=10)
    many = [f"text {i}" for i in range(20)]
    assert [vector[0] for vector in vectors(many)] == [len(text) for text in many]
    vectors([many[-1], many[-10]])
    assert len(encoder.seen) == len(many)
    vectors([many[0]])
    assert len(encoder.seen) == len(many) + 1
