"""Texts -> one vector a label: each template with each of its names, averaged and made of unit length again.

Averaging the vectors of several prompts is what CLIP's authors call ensembling in embedding space (Radford et al.
2021, section 3.1.4).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from cachetools import LRUCache

from embedding import Encoder
from images.arrays import Vectors, check_vectors
from schemas import Label, LabelSet

TEMPLATES = (
    "a photo of a {}",
    "a photo of the {}",
    "a product photo of a {}",
    "a cropped photo of a {}",
)
"""Where a label set brings none. Of one prompt alone, the first."""

KEPT = 20_000
"""Vectors of prompts that are kept: 60 MB of the largest models."""
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Node:
    """A label in its place: ``path`` are the names from the top down to it, ``children`` places in the list of all."""

    path: tuple[str, ...]
    texts: tuple[str, ...]
    children: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.path[-1]


def label_nodes(label_set: LabelSet) -> list[Node]:
    """All labels, those of the first level first, each with its prompts."""
    templates = label_set.templates or TEMPLATES
    nodes: list[Node] = []
    level: list[tuple[Label, tuple[str, ...]]] = [(label, ()) for label in label_set.labels]
    while level:
        below: list[tuple[Label, tuple[str, ...]]] = []
        first = len(nodes) + len(level)
        for label, above in level:
            path = (*above, label.name)
            start = first + len(below)
            below += [(child, path) for child in label.labels or ()]
            nodes.append(Node(path, prompts(label, templates), tuple(range(start, first + len(below)))))
        level = below
    return nodes


def prompts(label: Label, templates: Sequence[str]) -> tuple[str, ...]:
    """What a label is called, in each of the templates; each text once."""
    names = label.texts or [label.name]
    return tuple(dict.fromkeys(template.replace("{}", name) for name in names for template in templates))


class PromptEncoder:
    """Vectors of texts, kept so that none is encoded twice. Thread-safe where the encoder is."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._lock = threading.Lock()
        self._kept: LRUCache[str, Vectors] = LRUCache(KEPT)

    @property
    def encoder(self) -> Encoder:
        return self._encoder

    def encode(self, texts: Sequence[str]) -> Vectors:
        """``(n, dim) float32``, unit rows, in the order given. Raises BadVectors where the model gives others."""
        with self._lock:
            known = {text: vector for text in texts if (vector := self._kept.get(text)) is not None}
            new = [text for text in dict.fromkeys(texts) if text not in known]
            for at in range(0, len(new), _BATCH):
                batch = new[at : at + _BATCH]
                vectors = self._encoder.encode_texts(batch)
                check_vectors(vectors, (len(batch), self._encoder.spec.dimension), "the prompts")
                known |= zip(batch, vectors, strict=True)
            for text in new:
                self._kept[text] = known[text]
        return np.stack([known[text] for text in texts])

    def ensembles(self, groups: Sequence[Sequence[str]]) -> Vectors:
        """A vector a group of texts, ``(groups, dim) float32``, unit rows."""
        vectors = self.encode([text for group in groups for text in group])
        starts = np.cumsum([0, *(len(group) for group in groups)])
        return np.stack([ensemble(vectors[a:b]) for a, b in pairwise(starts)])


def ensemble(vectors: Vectors) -> Vectors:
    """The mean of unit rows ``(n, dim)``, made of unit length again: ``(dim,) float32``.

    Raises BadVectors for rows that are not of unit length: they would count more, or less, than the others.
    """
    check_vectors(vectors, vectors.shape, "the vectors that are averaged")
    mean = vectors.mean(axis=0, dtype=np.float64)
    unit: Vectors = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
    return unit
