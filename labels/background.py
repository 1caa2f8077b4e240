"""What labels score with the catalog itself: the background that a bias is taken from, and all that is known of
similarities where nobody has labelled anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from images.arrays import Floats, Numbers, Vectors
from index import CatalogIndex, sample_products
from labels.calibration import fit_temperature, threshold_without_examples
from labels.classifier import Classifier, Scale

Kind = Literal["image", "text"]
"""What is given labels."""

SAMPLE = 2_000
FEWEST = 20
"""Products, below which nothing can be learned of a catalog."""
_KNOWN_ITEMS = 500
_HARMLESS = 0.75
"""How far labels' means lie apart, in deviations of what images score with one: up to here they are left alone."""


@dataclass(frozen=True, slots=True)
class LabelBackground:
    """Vectors of a sample of things, ``(n, dim) float32``, unit rows: each of ``items`` is described by the row of
    ``descriptions`` in its place, as an image by the title of its product. ``things`` are all, described or not."""

    things: Vectors
    items: Vectors
    descriptions: Vectors
    kind: Kind = "image"

    def scale(self, classifier: Classifier) -> Scale | None:
        """What the classifier's similarities mean, as far as can be told without labels; None of too few things.

        The temperature is the one under which things are told by their own descriptions, among as many others as there
        are labels. The threshold parts similarities of things with the nearest label from those with the next one.
        """
        if len(self.things) < FEWEST:
            return None
        similarities = classifier.similarities(self.things)
        bias = label_bias(similarities) if self.kind == "image" else None
        near = (similarities if bias is None else similarities - bias)[:, classifier.leaves]
        threshold = threshold_without_examples(near, near.argmax(axis=1))
        return Scale(self._temperature(len(classifier.leaves)), threshold, bias)

    def _temperature(self, labels: int) -> float:
        from scipy.special import softmax

        if len(self.items) < FEWEST:
            return 1.0
        size = min(max(labels, 2), len(self.items))
        groups = len(self.items) // size
        shape = (groups, size, -1)
        items, descriptions = (rows[: groups * size].reshape(shape) for rows in (self.items, self.descriptions))
        cosines = (items @ descriptions.transpose(0, 2, 1)).reshape(groups * size, size).astype(np.float64)

        def probabilities(temperature: float) -> Numbers:
            return np.asarray(softmax(cosines / temperature, axis=1))

        return fit_temperature(probabilities, np.tile(np.arange(size), groups))


def label_bias(similarities: Floats) -> Floats | None:
    """What labels score with any image, ``(labels,) float32``, to be taken away; None where it does no harm.

    What a label scores on average is its bias where labels differ in that by more than images differ in what they
    score with a label: then most images are given the same few labels. Where they differ by less, it is mostly which
    labels are common, and taking it away makes answers worse (docs/measurements.md, "Labels without training").
    A part of it is never taken: that is worse than either, as often as not.

    Args:
        similarities: ``(n, labels)`` of a sample of images, labelled or not.
    """
    mean: Floats = similarities.mean(axis=0)
    outweighs = float(mean.std() / max(float((similarities - mean).std(axis=0).mean()), 1e-9))
    return mean if outweighs > _HARMLESS else None


def backgrounds(index: CatalogIndex) -> dict[Kind, LabelBackground]:
    """What is usual in an index: images with the titles of their products, and titles with the texts of theirs."""
    images: list[Vectors] = []
    titles: list[Vectors] = []
    titled: list[tuple[Vectors, Vectors]] = []
    written: list[tuple[Vectors, Vectors]] = []
    for product in sample_products(index, SAMPLE, ("image", "title", "text")):
        rows, title, text = (product.vectors.get(name) for name in ("image", "title", "text"))
        image = rows[0].copy() if rows is not None and len(rows) else None  # a view would keep all of its images
        if image is not None:
            images.append(image)
        if title is not None:
            titles.append(title)
        if image is not None and title is not None and len(titled) < _KNOWN_ITEMS:
            titled.append((image, title))
        if title is not None and text is not None and len(written) < _KNOWN_ITEMS:
            written.append((title, text))
    dimension = index.record.embedding.dimension
    return {
        "image": _background("image", images, titled, dimension),
        "text": _background("text", titles, written, dimension),
    }


def _background(
    kind: Kind, things: list[Vectors], pairs: list[tuple[Vectors, Vectors]], dimension: int
) -> LabelBackground:
    def rows(vectors: list[Vectors]) -> Vectors:
        return np.stack(vectors) if vectors else np.empty((0, dimension), np.float32)

    items, descriptions = rows([item for item, _ in pairs]), rows([described for _, described in pairs])
    return LabelBackground(rows(things), items, descriptions, kind)
