"""Vectors against labels: similarities, probabilities, and what is too far from every label.

A similarity is a cosine, less what the label has in common with every image where that is taken away
(``Scale.bias``). Probabilities are a softmax of similarities over a temperature, among the labels of one parent; the
probability of a label within others is the product down to it. Where several labels may be right each has a
probability of its own.

Whether a label fits at all is decided by the similarity. A probability says how far it is before the others, and tells
what belongs to no label little better than chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from images.arrays import Floats, Vectors, check_vectors
from labels.prompts import Node
from schemas import UNKNOWN


@dataclass(frozen=True, slots=True)
class Scale:
    """What similarities of one model, kind of input and set of labels mean.

    Args:
        temperature: What they are divided by to become logits.
        threshold: The similarity below which nothing is recognised; None where nothing is known of it.
        bias: What each label, of all levels, scores with any image: ``(labels,)``; None takes nothing away.
    """

    temperature: float
    threshold: float | None = None
    bias: Floats | None = None


class Likely(NamedTuple):
    """A label with how near it is: ``label`` is its place in the list of all."""

    label: int
    similarity: float
    probability: float


class LabelAnswer(NamedTuple):
    """``label`` is that of the first of ``likely``, or `unknown`; where several may be right
    ``all`` are those that reach the threshold, the nearest first, or the nearest where there is none."""

    label: str
    score: float
    likely: list[Likely]
    all: list[str] | None


class Classifier:
    """Labels with their vectors.

    Args:
        nodes: All labels, as ``label_nodes`` has them.
        vectors: ``(labels, dim) float32``, unit rows.
        multi: Whether several may be right at once.

    Raises:
        BadVectors: the vectors are not that.
    """

    def __init__(self, nodes: Sequence[Node], vectors: Vectors, *, multi: bool = False) -> None:
        check_vectors(vectors, (len(nodes), vectors.shape[-1]), "the vectors of the labels")
        self.nodes = nodes
        self.multi = multi
        self.leaves = np.array([at for at, node in enumerate(nodes) if not node.children])
        self._vectors = vectors
        below = {child for node in nodes for child in node.children}
        top = [at for at in range(len(nodes)) if at not in below]
        self._families: list[tuple[int | None, NDArray[np.intp]]] = [(None, np.array(top))]
        self._families += [(at, np.array(node.children)) for at, node in enumerate(nodes) if node.children]

    def similarities(self, vectors: Vectors, bias: Floats | None = None) -> Floats:
        """``(n, labels) float32`` of ``(n, dim) float32``, unit rows. Raises BadVectors for others."""
        if not len(vectors):
            return np.empty((0, len(self.nodes)), np.float32)
        check_vectors(vectors, (len(vectors), self._vectors.shape[1]), "what is classified")
        cosines: Floats = vectors @ self._vectors.T
        return cosines if bias is None else cosines - bias

    def probabilities(self, similarities: Floats, scale: Scale) -> NDArray[np.float64]:
        """``(n, labels)``: those of the leaves add up to 1, unless several may be right."""
        from scipy.special import expit, softmax  # a job that only reads decisions does without

        logits = similarities.astype(np.float64) / scale.temperature
        if self.multi:
            return np.asarray(expit(logits - (scale.threshold or 0.0) / scale.temperature))
        probabilities = np.empty_like(logits)
        for parent, family in self._families:
            within = softmax(logits[:, family], axis=1)
            probabilities[:, family] = within if parent is None else within * probabilities[:, [parent]]
        return probabilities

    def classify(self, vectors: Vectors, scale: Scale, top_k: int) -> list[LabelAnswer]:
        """An answer a row of ``(n, dim) float32``, unit rows, with the ``top_k`` likeliest labels that have none
        within."""
        similarities = self.similarities(vectors, scale.bias)
        probabilities = self.probabilities(similarities, scale)
        # Of labels that are equally likely, as where a temperature is low, the nearer goes first.
        keys = (-similarities[:, self.leaves], -probabilities[:, self.leaves])
        order = self.leaves[np.lexsort(keys, axis=1)[:, : max(top_k, 1)]]
        return [
            self._answer(near, likely, places, scale)
            for near, likely, places in zip(similarities, probabilities, order, strict=True)
        ]

    def _answer(
        self, near: Floats, probable: NDArray[np.float64], order: NDArray[np.intp], scale: Scale
    ) -> LabelAnswer:
        likely = [Likely(int(at), float(near[at]), float(probable[at])) for at in order]
        known = scale.threshold is None or likely[0].similarity >= scale.threshold
        all_: list[str] | None = None
        if self.multi:
            least = likely[0].similarity if scale.threshold is None else scale.threshold
            enough = self.leaves[near[self.leaves] >= least]
            all_ = [self.nodes[at].name for at in enough[np.argsort(-near[enough], kind="stable")]]
        return LabelAnswer(self.nodes[likely[0].label].name if known else UNKNOWN, likely[0].similarity, likely, all_)
