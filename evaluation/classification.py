"""Zero-shot classification, measured on labelled images: prompts side by side, label bias, temperature, `unknown`.

Nothing is judged by what it was fitted on. The images are parted into two halves, copies of an image on one side; what
one half fits (which prompts, whether bias is taken away, temperature, threshold) is judged on the other, and the other
way round, so that every image is judged once. The temperature and the threshold that are reported for use are fitted
on all of them. Means and confusions are over all images; prompts alone have nothing that is fitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from embedding import Encoder
from evaluation.fitting import BARE, DEFAULT, Fit, Similarities, Way, crossed, fit_on, to_probabilities
from evaluation.labelled_images import LabelledImages, embed, halves, read_labelled
from evaluation.significance import interval
from images.arrays import Flags, Floats, Numbers, Places
from labels import (
    TEMPLATES,
    Classifier,
    PromptEncoder,
    expected_calibration_error,
    label_nodes,
    log_loss,
    reliability,
    threshold_of_unknown,
)
from schemas import UNKNOWN, ConfigurationError, LabelSet

SYSTEMS = ("bare", "single", "averaged", "ensemble", "bias_removed", "chosen")
FEWEST = 4
"""Known images of a half."""
_FIXED = 0.25, 0.5
"""Cutoffs that people take from elsewhere, of a cosine and of a probability: for comparison alone."""


def measure(
    file: Path,
    encoder: Encoder,
    labels: Sequence[str],
    templates: Sequence[str] | None = None,
    held_out: Sequence[str] = (),
) -> dict[str, Any]:
    """Classify the images of a file; ``details`` of what is given tell of every image.

    Args:
        file: JSONL, ``{"image": path, "label": name}`` a line, paths relative to it.
        labels: Those to choose from; all of the file where none are given.
        held_out: Labels that are left out of them: their images are to be `unknown`, as are those of any label
            that is not among ``labels``.

    Raises:
        ConfigurationError: the file is none, a label is in no place that it should be in, or there are too few images
            to fit on some and judge by others.
    """
    rows = read_labelled(file)
    found = {row["label"] for row in rows}
    if missing := sorted(set(held_out) - found - set(labels)):
        raise ConfigurationError(
            f"--hold-out {missing[0]}: {file} has no such label; it has {', '.join(sorted(found))}"
        )
    chosen = [label for label in labels or sorted(found) if label not in held_out]
    if not chosen:
        raise ConfigurationError("no label is left to choose from")
    if not found & set(chosen):
        raise ConfigurationError(f"{file} has images of none of these labels; it has {', '.join(sorted(found))}")
    label_set = _label_set(chosen, templates or TEMPLATES)
    images = embed(rows, file.parent, encoder)
    similarities = _similarities(images, label_set, encoder)
    second = halves(images, [row["label"] for row in images.rows])
    for half in (second, ~second):
        if (known := int((half & similarities.known).sum())) < FEWEST:
            raise ConfigurationError(
                f"too few images, copies not counted, to fit on some and judge by others: one half has {known} of "
                f"these labels, and needs {FEWEST}"
            )
    return {
        "images": len(images.rows),
        "unusable": images.unusable,
        "clusters": int(images.clusters.max()) + 1,
        "halves": [int((~second).sum()), int(second.sum())],
        "labels": chosen,
        "model": encoder.spec.model,
        **_report(similarities, second, images.rows),
    }


def _label_set(labels: Sequence[str], templates: Sequence[str]) -> LabelSet:
    try:
        return LabelSet.model_validate(
            {"labels": [{"name": label} for label in labels], "templates": list(dict.fromkeys(templates))}
        )
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise ConfigurationError(f"the labels cannot be used: {wrong['msg'].removeprefix('Value error, ')}") from error


def _similarities(images: LabelledImages, label_set: LabelSet, encoder: Encoder) -> Similarities:
    encoded = PromptEncoder(encoder)
    templates = label_set.templates or []
    of: dict[str, Floats] = {}
    for name, some in [("averaged", templates), (BARE, [BARE]), *((template, [template]) for template in templates)]:
        nodes = label_nodes(label_set.model_copy(update={"templates": some}))
        classifier = Classifier(nodes, encoded.ensembles([node.texts for node in nodes]))
        of[name] = classifier.similarities(images.vectors)
    of["single"] = of[templates[0]]
    places = {label.name: at for at, label in enumerate(label_set.labels)}
    truth = np.array([places.get(row["label"], -1) for row in images.rows])
    return Similarities(list(places), of, truth)


def _report(similarities: Similarities, second: Flags, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    known = similarities.known
    fits = [fit_on(similarities, ~second), fit_on(similarities, second)]
    everything = fit_on(similarities, np.ones_like(second))
    ways = {
        "bare": Way(BARE, "kept"),
        "single": Way("single", "kept"),
        "averaged": Way("averaged", "kept"),
        "ensemble": DEFAULT,
        "bias_removed": Way("averaged", "removed"),
    }
    judged = {
        name: crossed(second, [similarities.scores(way, half) for half in (~second, second)])
        for name, way in ways.items()
    }
    judged["chosen"] = crossed(second, [similarities.fitted(fit) for fit in fits])
    best = judged["chosen"].argmax(axis=1)
    templates = [name for name in similarities.of if name not in ("single", "averaged", BARE)]
    return {
        "accuracy": {name: _accuracy(judged[name], similarities) for name in SYSTEMS},
        "intervals": {name: _interval(judged[name], similarities) for name in SYSTEMS},
        "macro": {name: _macro(judged[name], similarities) for name in SYSTEMS},
        "templates": {name: _accuracy(similarities.of[name], similarities) for name in templates},
        "chosen": asdict(everything.way),
        "temperature": _figure(everything.temperature),
        "calibration": _calibration(judged["chosen"][known], similarities.truth[known], second[known], fits),
        "unknown": _unknown(judged["chosen"], similarities, second, fits, everything),
        "confusion": _confusion(best, similarities),
        "details": {"images": _details(judged, similarities, second, fits, everything, rows)},
    }


def _details(
    judged: Mapping[str, Floats],
    similarities: Similarities,
    second: Flags,
    fits: Sequence[Fit],
    everything: Fit,
    rows: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """What each image was given. Scores of each half are moved so that its own threshold lies where that of all is."""
    scores = judged["chosen"]
    temperatures = np.where(second, fits[0].temperature, fits[1].temperature)[:, None]
    probabilities = to_probabilities(scores / temperatures, 1.0).max(axis=1)
    nearest = scores.max(axis=1) - np.where(second, fits[0].threshold, fits[1].threshold) + everything.threshold
    given = {name: judged[name].argmax(axis=1) for name in SYSTEMS}
    return [
        {
            "image": row["image"],
            "label": row["label"],
            "given": {name: similarities.labels[places[at]] for name, places in given.items()},
            "score": _figure(nearest[at]),
            "probability": _figure(probabilities[at]),
            "right": bool(given["chosen"][at] == similarities.truth[at]) if similarities.known[at] else None,
        }
        for at, row in sorted(enumerate(rows), key=lambda one: str(one[1]["image"]))
    ]


def _right(scores: Floats, similarities: Similarities) -> Flags:
    known = similarities.known
    return np.asarray(scores[known].argmax(axis=1) == similarities.truth[known])


def _accuracy(scores: Floats, similarities: Similarities) -> float:
    return _figure(_right(scores, similarities).mean())


def _interval(scores: Floats, similarities: Similarities) -> list[float]:
    """Of the accuracy, as other images like these would have it: 95 %."""
    right = np.sort(_right(scores, similarities)).astype(np.float64)  # the same samples whatever the order
    return [_figure(bound) for bound in interval(right[:, None], np.ones(len(right)))[0]]


def _macro(scores: Floats, similarities: Similarities) -> float:
    """The mean over labels that have images: a rare one counts as much as a common one."""
    right, truth = _right(scores, similarities), similarities.truth[similarities.known]
    return _figure(np.mean([right[truth == label].mean() for label in np.unique(truth)]))


def _calibration(scores: Floats, truth: Places, second: Flags, fits: Sequence[Fit]) -> dict[str, Any]:
    temperatures = np.where(second, fits[0].temperature, fits[1].temperature)[:, None]
    probabilities = to_probabilities(scores / temperatures, 1.0)
    diagram = reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth)
    return {
        "expected_calibration_error": _figure(expected_calibration_error(diagram)),
        "log_loss": _figure(log_loss(probabilities, truth)),
        "reliability": [asdict(bin) for bin in diagram],
    }


def _unknown(
    scores: Floats, similarities: Similarities, second: Flags, fits: Sequence[Fit], everything: Fit
) -> dict[str, Any]:
    nearest, unknown = scores.max(axis=1).astype(np.float64), ~similarities.known
    if not unknown.any():  # each with its own label left out stands for what is unknown
        without = scores.copy()
        without[np.arange(len(scores)), similarities.truth] = -np.inf
        nearest = np.concatenate([nearest, without.max(axis=1)])
        unknown, second = np.repeat([False, True], len(scores)), np.tile(second, 2)
    report: dict[str, Any] = {"threshold": _figure(everything.threshold)}
    report |= _told(nearest, unknown, np.where(second, fits[0].threshold, fits[1].threshold))
    report["examples"] = int((~similarities.known).sum())
    if report["examples"]:
        of_halves = np.where(second, fits[0].unseen, fits[1].unseen)
        report["without_examples"] = {"threshold": _figure(everything.unseen), **_told(nearest, unknown, of_halves)}
        report["compared"] = _compared(unknown, second, fits, similarities)
    return report


def _compared(unknown: Flags, second: Flags, fits: Sequence[Fit], similarities: Similarities) -> dict[str, Any]:
    """What else `unknown` could be told by: each with a threshold that the other half fits, and fixed cutoffs."""
    of_halves: list[dict[str, Numbers]] = []
    thresholds: list[dict[str, float]] = []
    cosine, probability = _FIXED
    fixed = {f"similarity below {cosine}": cosine, f"probability below {probability}": probability}
    for fit, on in zip(fits, (~second, second), strict=True):
        told_by = _told_by(similarities.fitted(fit), fit.temperature)
        thresholds.append({name: threshold_of_unknown(values[on], unknown[on]) for name, values in told_by.items()})
        plain = similarities.of["averaged"].max(axis=1).astype(np.float64)
        of_halves.append(told_by | dict(zip(fixed, (plain, told_by["probability"]), strict=True)))
        thresholds[-1] |= fixed
    told = {}
    for name in of_halves[0]:
        values, lines = (np.where(second, by[0][name], by[1][name]) for by in (of_halves, thresholds))
        told[name] = _told(values, unknown, lines)
    return {name: {figure: one[figure] for figure in ("precision", "recall", "f1")} for name, one in told.items()}


def _told_by(scores: Floats, temperature: float) -> dict[str, Numbers]:
    """What grows with how well an image is known, ``(n,)`` each (Hendrycks and Gimpel 2017; Liu et al. 2020)."""
    from scipy.special import logsumexp

    nearest = -np.sort(-scores.astype(np.float64), axis=1)
    return {
        "similarity": nearest[:, 0],
        "probability": to_probabilities(scores, temperature).max(axis=1),
        "energy": temperature * np.asarray(logsumexp(nearest / temperature, axis=1)),
        "margin": nearest[:, 0] - (nearest[:, 1] if nearest.shape[1] > 1 else 0.0),
    }


def _told(nearest: Numbers, unknown: Flags, thresholds: Numbers) -> dict[str, Any]:
    said = nearest < thresholds
    right, wrong, missed = (int(n) for n in ((said & unknown).sum(), (said & ~unknown).sum(), (~said & unknown).sum()))
    return {
        "precision": _figure(right / (right + wrong)) if right + wrong else None,
        "recall": _figure(right / (right + missed)),
        "f1": _figure(2 * right / (2 * right + wrong + missed)),
        "confusion": {
            UNKNOWN: {UNKNOWN: right, "known": missed},
            "known": {UNKNOWN: wrong, "known": int((~said & ~unknown).sum())},
        },
    }


def _confusion(best: Places, similarities: Similarities) -> dict[str, dict[str, int]]:
    """For each label, how often its images are given which one."""
    table: dict[str, dict[str, int]] = {}
    for at, label in enumerate(similarities.labels):
        given, counts = np.unique(best[similarities.truth == at], return_counts=True)
        table[label] = {similarities.labels[to]: int(count) for to, count in zip(given, counts, strict=True)}
    return table


def _figure(number: float) -> float:
    return round(float(number), 6)
