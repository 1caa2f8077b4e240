"""Products that look like something else than their catalog says: catalog errors, the surest first.

Each product is compared with the mean image of what has the same value, itself left out, and with that of every other
value. Where a catalog is mostly right that finds swapped values far better than texts can: with a 25th of the
categories of five catalogs swapped, 4 of 5 of the first so many were those, and 1 of 4 by how sure prompts are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from images.arrays import Vectors
from index import CatalogIndex
from labels.calibration import fit_temperature
from labels.tags import label_names, only_value, predictions
from schemas import DisputedProduct, LabelSet, fold

_BATCH = 1_000
_FEWEST = 3
"""Products of a value, below which what they look like says nothing."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """``at`` is the product's place among those given, ``looks_like`` the value whose products it is nearest to, and
    ``surer`` the log-odds of that against the given one: below 0 others of its value look as it does."""

    at: int
    given: str
    predicted: str
    looks_like: str | None
    surer: float


def disputed_products(
    index: CatalogIndex, name: str, label_set: LabelSet, column: str
) -> tuple[int, list[DisputedProduct]]:
    """How many products have an image, and a label of a set as their own value of a field; and those of them that
    disagree with what the set has said of them, the surest first."""
    names = label_names(label_set)
    rows: list[Vectors] = []
    ids: list[UUID] = []
    given: list[str] = []
    predicted: list[str] = []
    sureness: list[float] = []
    after = None
    while points := index.scan(None, _BATCH, after):
        values = index.values(points, [column])
        said = predictions(index, points, name)
        own = {point: label for point in values if (label := only_value(values[point].get(column))) is not None}
        of_labels = {point: names[key] for point, label in own.items() if (key := fold(label)) in names}
        wanted = [point for point in of_labels if point in said and said[point]["by"] == "image"]
        for point, vectors in index.vectors(wanted, ("image",)).items():
            images = vectors.get("image")
            if images is not None and len(images):
                rows.append(images[0].copy())
                ids.append(point)
                given.append(of_labels[point])
                predicted.append(said[point]["nearest"])
                sureness.append(said[point]["probability"])
        after = points[-1]
    if not rows:
        return 0, []
    found = disagreements(np.stack(rows), given, predicted)
    payloads = index.payloads([ids[one.at] for one in found], ["id", "product.title"])
    return len(rows), [_disputed(one, payloads[ids[one.at]], sureness[one.at]) for one in found]


def _disputed(one: Disagreement, payload: dict[str, Any], probability: float) -> DisputedProduct:
    return DisputedProduct(
        id=payload["id"],
        title=payload.get("product", {}).get("title"),
        given=one.given,
        predicted=one.predicted,
        probability=probability,
        looks_like=one.looks_like,
        surer=round(max(one.surer, -1e6), 4),
    )


def disagreements(vectors: Vectors, given: Sequence[str], predicted: Sequence[str]) -> list[Disagreement]:
    """Products whose given value is not the predicted one, or not that of what looks like it; the surest first.

    Args:
        vectors: ``(n, dim) float32``, unit rows: of their first images.
        given: The catalog's value of each, as the labels write it.
        predicted: What the labels say of each.
    """
    if not len(vectors):
        return []
    values, places = np.unique(np.array(given, dtype=object), return_inverse=True)
    sizes = np.bincount(places, minlength=len(values))
    odds = _log_probabilities(vectors, places, sizes)
    own = odds[np.arange(len(vectors)), places]
    best = odds.argmax(axis=1)
    found = []
    for at in range(len(vectors)):
        told = bool(np.isfinite(odds[at, best[at]]) and np.isfinite(own[at]))
        looks_like = str(values[best[at]]) if told else None
        surer = float(odds[at].max() - own[at]) if told and best[at] != places[at] else 0.0
        if told and best[at] == places[at]:
            others = np.delete(odds[at], places[at])
            surer = float(others.max() - own[at]) if np.isfinite(others).any() else -np.inf
        if predicted[at] != given[at] or (told and looks_like != given[at]):
            found.append(Disagreement(at, given[at], predicted[at], looks_like, surer))
    return sorted(found, key=lambda one: (-one.surer, one.at))


def _log_probabilities(vectors: Vectors, places: NDArray[np.intp], sizes: NDArray[np.intp]) -> NDArray[np.float64]:
    """``(n, values)``: how likely each product's value is by how near it is to the mean of each, itself left out;
    minus infinity of values that too few have."""
    from scipy.special import log_softmax, softmax

    sums = np.zeros((len(sizes), vectors.shape[1]))
    np.add.at(sums, places, vectors)
    means = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    cosines = np.asarray(vectors @ means.T, np.float64)
    rest = sums[places] - vectors
    rest /= np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-12)
    rows = np.arange(len(vectors))
    cosines[rows, places] = (vectors * rest).sum(axis=1)
    cosines[:, sizes < _FEWEST] = -np.inf
    usable = np.isfinite(cosines[rows, places])
    if not usable.any():
        return cosines
    temperature = fit_temperature(lambda at: np.asarray(softmax(cosines[usable] / at, axis=1)), places[usable])
    return np.asarray(log_softmax(cosines / temperature, axis=1))
