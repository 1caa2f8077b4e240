"""What a request asks with, as legs: each modality is encoded once and sent down every path it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from index import Alternative, Leg
from schemas import LegName
from search.weights import LegWeights

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AskedImage:
    """``hash`` is of its bytes and ``fingerprint`` of what it shows, where they are known."""

    vector: Vector
    hash: str | None = None
    fingerprint: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a request asks with, as vectors: ``(dim,) float32``, unit length.

    ``written`` are its words as they stand there, ``words`` as they are looked for, with ``alternatives`` for some,
    and ``lacking`` where the catalog does not have what these stand for.
    ``title`` and ``details`` are what ``text->title`` and ``text->text`` ask with: the same vector for
    words, two stored ones for a product.
    """

    written: str | None = None
    words: str | None = None
    alternatives: Sequence[Alternative] = ()
    lacking: bool = False
    text: Vector | None = None
    title: Vector | None = None
    details: Vector | None = None
    images: list[AskedImage] = field(default_factory=list)
    product: str | None = None
    """Of the index, where one is asked with."""

    @property
    def key(self) -> tuple[object, ...]:
        """The same for questions that ask the same."""
        return self.written, self.product, tuple(image.hash for image in self.images)

    @property
    def empty(self) -> bool:
        return not self.words and not self.images and self.title is None and self.details is None


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """``image`` is the one that the leg asks with for images like it; ``asked`` which of ``like`` it asks with."""

    leg: Leg
    weight: float
    image: AskedImage | None = None
    asked: str | None = None


def plan(question: Question, weights: LegWeights) -> list[PlannedLeg]:
    """The legs of a question, weights adding up to 1 before lexical coverage is known."""
    table = weights.words.covered if question.words else weights.words.uncovered
    words: list[PlannedLeg] = []
    images: list[PlannedLeg] = []

    def add(to: list[PlannedLeg], table: dict[LegName, float], leg: Leg, image: AskedImage | None = None) -> None:
        if table[leg.name] > 0:
            to.append(PlannedLeg(leg, table[leg.name], image))

    if question.text is not None:
        add(words, table, Leg("text->image", "image", question.text))
    if question.title is not None:
        add(words, table, Leg("text->title", "title", question.title))
    if question.details is not None:
        add(words, table, Leg("text->text", "text", question.details))
    if question.words:
        add(words, table, Leg("lexical", "lexical", question.words, question.alternatives))
    for image in question.images:
        add(images, weights.image, Leg("image->image", "image", image.vector), image)
        add(images, weights.image, Leg("image->text", "text", image.vector))
    if words and images:
        return _share(words, weights.share_of_words) + _share(images, 1 - weights.share_of_words)
    return _share(words or images, 1.0)


def _share(legs: list[PlannedLeg], total: float) -> list[PlannedLeg]:
    whole = sum(planned.weight for planned in legs)
    return [replace(planned, weight=planned.weight / whole * total) for planned in legs]
