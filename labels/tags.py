"""Labels as attributes of products: what a label set says of them, stored beside what the catalog says, never over it.

A payload has, under ``PREDICTED`` and the name of the set,

    {"label", "nearest", "similarity", "probability", "version", "by"}

and two fields to filter and to count by: ``predicted.NAME``, the label (with those that it is within, or all that may
be right), absent where it is `unknown`; and ``predicted.NAME.confidence``, the probability of the nearest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np

from images.arrays import Vectors
from index import PREDICTED, CatalogIndex, DenseName
from labels.background import Kind
from labels.classifier import Scale
from labels.labeller import Labeller
from schemas import (
    MAX_FIELDS,
    UNKNOWN,
    ConfigurationError,
    FieldKind,
    IndexRecord,
    LabelCalibration,
    LabelSet,
    find_field,
    fold,
    known,
    stored_name,
)

FIELD = "predicted."
_CONFIDENCE = ".confidence"

Prediction = dict[str, Any]


def predicted_fields(label_set: str) -> dict[str, FieldKind]:
    """The fields of a label set, and their kinds."""
    return {FIELD + label_set: "keyword", FIELD + label_set + _CONFIDENCE: "float"}


def with_label_sets(record: IndexRecord, names: Sequence[str]) -> IndexRecord:
    """The record of an index that has the fields of these label sets as well.

    Raises ConfigurationError where they are too many.
    """
    fields = dict(record.fields)
    for name in names:
        fields |= predicted_fields(name)
    if len(fields) > MAX_FIELDS and len(fields) > len(record.fields):
        raise ConfigurationError(f"an index has {MAX_FIELDS} fields at most, and no room for those of a label set")
    return record.model_copy(update={"fields": fields, "updated": datetime.now(UTC)})


def sets_of(fields: Mapping[str, FieldKind]) -> set[str]:
    """The label sets whose fields an index has."""
    names = [name.removeprefix(FIELD) for name in fields if name.startswith(FIELD)]
    return {name for name in names if predicted_fields(name).keys() <= fields.keys()}


def field_values_of(predicted: Mapping[str, Prediction]) -> dict[str, Any]:
    """What a payload's ``fields`` have of predictions, by the names that they are stored under."""
    values: dict[str, Any] = {}
    for name, said in predicted.items():
        if said["label"] != UNKNOWN:
            values[stored_name(FIELD + name)] = said.get("all") or said.get("path") or said["label"]
        values[stored_name(FIELD + name + _CONFIDENCE)] = said["probability"]
    return values


def with_predictions(fields: Mapping[str, Any], predicted: Mapping[str, Prediction]) -> dict[str, Any]:
    """A payload's ``fields``, where earlier predictions give way to these."""
    names = [stored_name(FIELD + name) for name in predicted]
    others = {key: value for key, value in fields.items() if key not in {*names, *(n + _CONFIDENCE for n in names)}}
    return others | field_values_of(predicted)


def label_names(label_set: LabelSet) -> dict[str, str]:
    """Labels by what a catalog may call them, folded: their names, and then their other texts."""
    names: dict[str, str] = {}
    level = list(label_set.labels)
    every = []
    while level:
        every += [label for label in level if not label.labels]
        level = [child for label in level for child in label.labels or ()]
    for label in every:
        names.setdefault(fold(label.name), label.name)
    for label in every:
        for text in label.texts or ():
            names.setdefault(fold(text), label.name)
    return names


def text_fields(fields: Mapping[str, FieldKind]) -> dict[str, FieldKind]:
    """Those fields of an index whose values may be labels."""
    return {name: kind for name, kind in fields.items() if kind == "keyword"}


def field_of_labels(fields: Mapping[str, FieldKind], label_set: str, asked: str | None) -> str | None:
    """The field of a catalog whose values are what a label set tells: the one asked for, or the label set's name, or
    category; None where there is neither.

    Raises ConfigurationError where there is no such text field as is asked for.
    """
    texts = text_fields(fields)
    if asked is not None:
        if (found := find_field(asked, texts)) is None:
            raise ConfigurationError(f"there is no text field {asked!r} to compare labels with; {known(texts)}")
        return found
    return find_field(label_set, texts) or find_field("category", texts)


def only_value(value: Any) -> str | None:
    """The text of a field that has one alone."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    return value if isinstance(value, str) else None


class Tagger:
    """A version of a label set, ready to say what many products are: by their first images, or else their titles."""

    def __init__(
        self,
        name: str,
        version: int,
        label_set: LabelSet,
        labeller: Labeller,
        calibration: LabelCalibration | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.classifier = labeller.classifier(label_set)
        kinds: tuple[Kind, ...] = ("image", "text")
        scales = {kind: labeller.scale(label_set, self.classifier, kind, calibration) for kind in kinds}
        self.scales: dict[Kind, Scale] = {kind: scale for kind, (scale, _) in scales.items()}
        self.known = scales["image"][1]
        """Where the numbers for images are from."""
        self.notices = labeller.label_drift(self.classifier, calibration) if calibration else []

    def predict(self, products: Sequence[Mapping[DenseName, Vectors]]) -> list[Prediction | None]:
        """What each is; None where it has nothing to be judged by.

        Args:
            products: Their vectors: ``image`` is ``(n, dim)``, ``title`` and ``text`` are ``(dim,)``, float32.
        """
        found: list[Prediction | None] = [None] * len(products)
        by_kind: dict[Kind, list[tuple[int, Vectors]]] = {"image": [], "text": []}
        for at, vectors in enumerate(products):
            images = vectors.get("image")
            if images is not None and len(images):
                by_kind["image"].append((at, images[0]))
            elif (text := vectors.get("title", vectors.get("text"))) is not None:
                by_kind["text"].append((at, text))
        for kind, rows in by_kind.items():
            if not rows:
                continue
            answers = self.classifier.classify(np.stack([row for _, row in rows]), self.scales[kind], 1)
            for (at, _), answer in zip(rows, answers, strict=True):
                (nearest,) = answer.likely
                node = self.classifier.nodes[nearest.label]
                said: Prediction = {
                    "label": answer.label,
                    "nearest": node.name,
                    "similarity": round(nearest.similarity, 6),
                    "probability": round(nearest.probability, 6),
                    "version": self.version,
                    "by": kind,
                }
                if len(node.path) > 1:
                    said["path"] = list(node.path)
                if answer.all is not None:
                    said["all"] = answer.all
                found[at] = said
        return found


def predictions(index: CatalogIndex, points: Sequence[UUID], name: str) -> dict[UUID, Prediction]:
    """What a label set has said of some products; those of which it said nothing are left out."""
    stored = index.payloads(points, [PREDICTED])
    return {point: payload[PREDICTED][name] for point, payload in stored.items() if name in payload.get(PREDICTED, {})}
