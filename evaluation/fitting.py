"""Ways of classifying images by prompts, and what is fitted of them on some images: bias, temperature, threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from images.arrays import Flags, Floats, Numbers, Places
from labels import fit_temperature, label_bias, threshold_of_unknown, threshold_without_examples

BARE = "{}"
"""The prompt that is nothing but the label."""

Bias = Literal["kept", "harmful", "removed"]
"""Of the labels: never taken away, where it does harm (``labels.label_bias``), or always."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way of classifying: with which prompts, and what is done about the bias of labels."""

    prompts: str
    bias: Bias


DEFAULT = Way("averaged", "harmful")
"""What is done where nobody has measured anything."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What was fitted on some images: ``unseen`` is the threshold that is found without any image of what is to be
    unknown."""

    way: Way
    bias: Floats
    temperature: float
    threshold: float
    unseen: float


@dataclass(frozen=True, slots=True)
class Similarities:
    """``(n, labels)`` of every way of prompting, and what each image is: ``-1`` where it is of none of the labels."""

    labels: Sequence[str]
    of: Mapping[str, Floats]
    truth: Places

    @property
    def known(self) -> Flags:
        return self.truth >= 0

    def bias(self, way: Way, on: Flags) -> Floats:
        """``(labels,)``: what is taken away of each label's similarities, as some images say, whatever they are."""
        sample = self.of[way.prompts][on]
        nothing = np.zeros(sample.shape[1], np.float32)
        if way.bias == "kept":
            return nothing
        if way.bias == "harmful":
            found = label_bias(sample)
            return nothing if found is None else found
        mean: Floats = sample.mean(axis=0)
        return mean

    def scores(self, way: Way, on: Flags) -> Floats:
        """``(n, labels)``: similarities as that way has them."""
        found: Floats = self.of[way.prompts] - self.bias(way, on)
        return found

    def fitted(self, fit: Fit) -> Floats:
        """``(n, labels)``: similarities with what was fitted on some images, others perhaps."""
        scores: Floats = self.of[fit.way.prompts] - fit.bias
        return scores


def fit_on(similarities: Similarities, on: Flags) -> Fit:
    """The way that is right most often on some images, with its bias, temperature and threshold."""
    known = on & similarities.known
    truth = similarities.truth[known]
    prompts = [name for name in similarities.of if name != "single"]
    biases: tuple[Bias, ...] = ("harmful", "kept", "removed")
    ways = [DEFAULT, *(way for name in prompts for bias in biases if (way := Way(name, bias)) != DEFAULT)]
    # Of ways that are as good it is the first.
    way = max(ways, key=lambda way: _right_share(similarities.scores(way, on)[known], truth))
    scores, bias = similarities.scores(way, on), similarities.bias(way, on)
    temperature = fit_temperature(lambda at: to_probabilities(scores[known], at), truth)
    unseen = threshold_without_examples(scores[known], truth)
    unknown = on & ~similarities.known
    threshold = threshold_of_unknown(scores[on].max(axis=1), ~similarities.known[on]) if unknown.any() else unseen
    return Fit(way, bias, temperature, threshold, unseen)


def _right_share(scores: Floats, truth: Places) -> float:
    return float((scores.argmax(axis=1) == truth).mean())


def crossed(second: Flags, by_first_and_second: Sequence[Floats]) -> Floats:
    """Each half as the other one has it."""
    by_first, by_second = by_first_and_second
    crossed: Floats = np.where(second[:, None], by_first, by_second)
    return crossed


def to_probabilities(scores: Floats | Numbers, temperature: float) -> Numbers:
    from scipy.special import softmax

    return np.asarray(softmax(scores.astype(np.float64) / temperature, axis=1))
