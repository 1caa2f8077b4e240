"""Calibrates label sets and policies on labelled images, and keeps what was found as documents of the collection.

The images are parted into a validation half, which everything is fitted on, and a test half, which everything that is
reported is measured on and nothing is fitted on; copies of an image, and variants of a product, are on one side. Where
there are too few images for both, nothing is reported and nothing kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from embedding import Encoder
from evaluation.labelled_images import LabelledImages, embed, halves, linked, read_labelled
from evaluation.moderation import Aim, measure
from images.arrays import Floats, Vectors
from index import CatalogIndex, IndexStore
from labels import (
    Classifier,
    Labeller,
    PromptEncoder,
    Scale,
    calibration_name,
    deciles,
    expected_calibration_error,
    field_of_labels,
    fit_temperature,
    label_bias,
    label_names,
    log_loss,
    only_value,
    reliability,
    text_fields,
    threshold_of_unknown,
    threshold_without_examples,
    with_thresholds,
)
from schemas import (
    ConfigurationError,
    Document,
    LabelCalibration,
    LabelSet,
    Policy,
    PolicyCalibration,
    fold,
    known,
)

FEWEST = 10
"""Images of known labels in a half."""
_BATCH = 500
_MOST = 20_000
"""Products of a catalog that are taken as labelled images."""


def calibrate_label_set(
    store: IndexStore, index: CatalogIndex, encoder: Encoder, name: str, file: Path | None, field: str | None
) -> LabelCalibration:
    """What a label set's similarities mean, by images of a file, or by what the catalog itself says.

    Args:
        file: JSONL, ``{"image": path, "label": name}`` a line; images of other labels are to be `unknown`.
        field: Of the catalog, whose values are the labels; left out, that of the label set's name, or category.

    Raises:
        ConfigurationError: too few images, or none that has one of the labels.
    """
    document = store.documents.read("label-sets", name)
    label_set = document.body
    assert isinstance(label_set, LabelSet)
    if label_set.multi:
        raise ConfigurationError("where several labels may be right, no temperature can be fitted")
    labeller = Labeller(index, PromptEncoder(encoder))
    classifier = labeller.classifier(label_set)
    names = label_names(label_set)
    if file is not None:
        images, source = embed(read_labelled(file), file.parent, encoder), str(file)
    else:
        column = _column(index, name, field)
        images, source = _of_catalog(index, column), f"field {column}"
    leaves = classifier.leaves
    places = {classifier.nodes[at].name: place for place, at in enumerate(leaves)}
    truth = np.array([places.get(names.get(fold(row["label"]), ""), -1) for row in images.rows])
    test = halves(images, [row["label"] for row in images.rows])
    for half, called in ((~test, "validation"), (test, "test")):
        if (number := int((half & (truth >= 0)).sum())) < FEWEST:
            raise ConfigurationError(
                f"too few labelled images, copies not counted: the {called} half has {number} of these labels and "
                f"needs {FEWEST}; nothing is reported on what it was fitted on"
            )
    usual = labeller.backgrounds["image"].things
    similarities = classifier.similarities(images.vectors)
    share, bias = _bias(classifier, usual, similarities[~test][truth[~test] >= 0], truth[~test & (truth >= 0)])
    debiased: Floats = similarities - bias
    temperature, threshold = _fit(classifier, debiased[~test], truth[~test])
    if label_set.temperature is not None:
        temperature = label_set.temperature
    near = (
        (classifier.similarities(usual) - bias)[:, leaves].max(axis=1)
        if len(usual)
        else debiased[:, leaves].max(axis=1)
    )
    return LabelCalibration(
        **_about(document, index, source, len(images.rows)),
        temperature=temperature,
        threshold=round(threshold, 6),
        bias=share,
        deciles=deciles(near),
        test=_tested(classifier, debiased[test], truth[test], temperature, threshold)
        | {"validation_images": int((~test).sum())},
    )


def calibrate_policy(
    store: IndexStore, index: CatalogIndex, encoder: Encoder, name: str, file: Path, aim: Aim
) -> PolicyCalibration:
    """From which scores a policy's rules fire, by images of a file as ``evaluation moderation`` has it.

    Raises:
        ConfigurationError: too few images that violate something, or that do not.
    """
    document = store.documents.read("policies", name)
    policy = document.body
    assert isinstance(policy, Policy)
    measured = measure(file, policy, encoder, aim)
    thresholds = {
        rule["name"]: rule["threshold"] for rule in measured["policy"]["rules"] if rule.get("threshold") is not None
    }
    labeller = Labeller(index, PromptEncoder(encoder))
    usual = labeller.backgrounds["image"].things
    about = _about(document, index, str(file), measured["images"])
    bare = policy.model_copy(update={"rules": [rule.model_copy(update={"threshold": None}) for rule in policy.rules]})
    calibration = PolicyCalibration(**about, thresholds=thresholds, deciles={}, test={})
    moderator = labeller.moderator(with_thresholds(bare, calibration), _nothing_decoded)
    scores = moderator.scores(usual, "image")
    edges = {rule.name: deciles(scores[:, at]) for at, rule in enumerate(policy.rules)} if len(usual) else {}
    rules = {rule: one["test"] for rule, one in measured["rules"].items() if "test" in one}
    test = {"goal": measured["goal"], "policy": measured["test"], "rules": rules}
    return calibration.model_copy(update={"deciles": edges, "test": test})


def keep(store: IndexStore, calibration: LabelCalibration | PolicyCalibration) -> dict[str, Any]:
    """Write it as a document of the collection; says which."""
    of = calibration_name("label-set" if isinstance(calibration, LabelCalibration) else "policy", calibration.name)
    written = store.documents.write("calibrations", of, calibration.model_dump(mode="json"))
    return {"kind": "calibrations", "name": written.name, "version": written.version}


def report(
    calibration: LabelCalibration | PolicyCalibration,
    document: Mapping[str, Any] | None,
    overridden: Sequence[str] = (),
    *,
    as_json: bool,
) -> str:
    """One JSON object, or what people read; ``overridden`` are rules whose thresholds the policy itself says."""
    found = calibration.model_dump(mode="json") | {"document": document, "overridden": list(overridden)}
    if as_json:
        return json.dumps(found)
    lines = [f"{calibration.images} images ({calibration.source}), model {calibration.model}"]
    if isinstance(calibration, LabelCalibration):
        test: Any = calibration.test
        lines += [
            f"temperature {calibration.temperature:.4g}, unknown below {calibration.threshold:.4f}, "
            f"bias removed by {calibration.bias:.0%}",
            f"on {test['images']} other images: accuracy {test['accuracy']:.3f}, expected calibration error "
            f"{test['expected_calibration_error']:.3f}, log loss {test['log_loss']:.3f}, F1 of unknown "
            f"{test['unknown']['f1']:.3f}",
        ]
    else:
        rules: Any = calibration.test["rules"]
        for rule, threshold in calibration.thresholds.items():
            of_others = f"F1 of others {rules[rule]['f1']:.3f}" if rule in rules else "too few examples of its own"
            lines.append(f"{rule:<28}{threshold:>10.4f}  {of_others}")
    if document:
        lines.append(f"kept as calibrations/{document['name']}, version {document['version']}")
    if overridden:
        lines.append(
            f"the policy itself says from where on {', '.join(overridden)} fire, and that counts: take these "
            "thresholds out of the document, and those measured here will"
        )
    return "\n".join(lines)


def _about(document: Document, index: CatalogIndex, source: str, images: int) -> dict[str, Any]:
    spec = index.record.embedding
    return {
        "name": document.name,
        "version": document.version,
        "model": spec.model,
        "fingerprint": spec.fingerprint,
        "products": index.count(),
        "generation": index.generation,
        "made": datetime.now(UTC),
        "source": source,
        "images": images,
    }


def _nothing_decoded(*_: object) -> Any:
    raise ConfigurationError("exemplar images by product are in an index; here, give them as base64")


def _column(index: CatalogIndex, name: str, asked: str | None) -> str:
    column = field_of_labels(index.record.fields, name, asked)
    if column is None:
        raise ConfigurationError(f"--field: there is no text field {name!r}; {known(text_fields(index.record.fields))}")
    return column


def _of_catalog(index: CatalogIndex, column: str) -> LabelledImages:
    """First images of products that have one value of a field; of variants, and of one image, all are on one side."""
    rows: list[dict[str, Any]] = []
    vectors: list[Vectors] = []
    hashes: list[str] = []
    first: dict[tuple[str, str], int] = {}
    links: list[tuple[int, int]] = []
    for point, label, image, payload in _products(index, column):
        at = len(rows)
        rows.append({"label": label})
        vectors.append(image)
        kept: dict[str, Any] = next(iter(payload.get("pictures", ())), {})
        hash, group = kept.get("hash", ""), payload.get("product", {}).get("group_id")
        hashes.append(f"{hash} {point}")
        same = (("image", hash), ("group", group))
        links += [(at, first.setdefault((what, str(which)), at)) for what, which in same if which]
    if not rows:
        raise ConfigurationError(f"no product has an image and one value of {column!r}")
    return LabelledImages(rows, np.stack(vectors), hashes, linked(links, len(rows)), 0)


def _products(index: CatalogIndex, column: str) -> Iterator[tuple[UUID, str, Vectors, dict[str, Any]]]:
    """Points, labels, first images, and of payloads the images and the group."""
    after, seen = None, 0
    while seen < _MOST and (points := index.scan(None, _BATCH, after)):
        values = index.values(points, [column])
        labels = {point: label for point in values if (label := only_value(values[point].get(column))) is not None}
        payloads = index.payloads(list(labels), ["pictures", "product.group_id"])
        for point, found in index.vectors(list(labels), ("image",)).items():
            images = found.get("image")
            if images is not None and len(images):
                seen += 1
                yield point, labels[point], images[0].copy(), payloads[point]
        after = points[-1]


def _bias(
    classifier: Classifier, usual: Vectors, similarities: Floats, truth: NDArray[np.intp]
) -> tuple[float, Floats]:
    """Whether what labels score with the catalog's average image is taken off, 1 or 0, and what is: whichever is right
    most often in the validation half."""
    nothing: Floats = np.zeros(similarities.shape[1], np.float32)
    if not len(usual):
        return 0.0, nothing
    scored = classifier.similarities(usual)
    mean: Floats = scored.mean(axis=0)
    unmeasured = 0.0 if label_bias(scored) is None else 1.0

    def right(share: float) -> float:
        scores = (similarities - np.float32(share) * mean)[:, classifier.leaves]
        return float((scores.argmax(axis=1) == truth).mean())

    best = max((unmeasured, 1.0 - unmeasured), key=right)  # of two that are as good, what is done without labels
    return best, np.float32(best) * mean


def _fit(classifier: Classifier, similarities: Floats, truth: NDArray[np.intp]) -> tuple[float, float]:
    """The temperature, and the threshold of `unknown`, of the validation half."""
    recognised = truth >= 0
    temperature = fit_temperature(
        lambda at: classifier.probabilities(similarities[recognised], Scale(at))[:, classifier.leaves],
        truth[recognised],
    )
    scores: Floats = similarities[:, classifier.leaves]
    if (~recognised).any():
        return temperature, threshold_of_unknown(scores.max(axis=1), ~recognised)
    return temperature, threshold_without_examples(scores, truth)


def _tested(
    classifier: Classifier, similarities: Floats, truth: NDArray[np.intp], temperature: float, threshold: float
) -> dict[str, Any]:
    recognised, scores = truth >= 0, similarities[:, classifier.leaves]
    probabilities = classifier.probabilities(similarities[recognised], Scale(temperature))[:, classifier.leaves]
    right = probabilities.argmax(axis=1) == truth[recognised]
    diagram = reliability(probabilities.max(axis=1), right)
    said, unknown = scores.max(axis=1) < threshold, ~recognised
    if not unknown.any():  # each with its own label left out stands for what is unknown
        without = scores.copy()
        without[np.arange(len(scores)), truth] = -np.inf
        said = np.concatenate([said, without.max(axis=1) < threshold])
        unknown = np.repeat([False, True], len(scores))
    hits, wrong, missed = (int(n) for n in ((said & unknown).sum(), (said & ~unknown).sum(), (~said & unknown).sum()))
    return {
        "images": len(truth),
        "accuracy": round(float(right.mean()), 6),
        "expected_calibration_error": round(expected_calibration_error(diagram), 6),
        "log_loss": round(log_loss(probabilities, truth[recognised]), 6),
        "reliability": [asdict(bin) for bin in diagram],
        "unknown": {
            "examples": int((~recognised).sum()),
            "precision": round(hits / (hits + wrong), 6) if hits + wrong else None,
            "recall": round(hits / max(hits + missed, 1), 6),
            "f1": round(2 * hits / max(2 * hits + wrong + missed, 1), 6),
        },
    }
