"""Fits what the scores of searches mean on one catalog, and says how well that holds where it was not fitted.

A verdict is a logistic regression on the evidence of a request (``search.result_set``), drawn to what that usually
weighs and fitted on requests for what the catalog sells and for what it does not; its thresholds are quantiles of the
latter, that of words drawn to one half. Whether a product fits is an isotonic curve over its share of the best score,
one for each kind of request, with the floor at which the sets found agree best with the labels (mean F1). The weights
of the legs come first (``leg_weights``), since shares depend on them. Requests of one source are in one part: each of
two parts is judged by what the other fitted, and the calibration that is kept is fitted on both.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from evaluation.home_made import Example
from evaluation.leg_weights import Tables, fit_weights, ndcg_of, ndcg_of_legs, tables_of, weighed
from schemas import Asked, Calibration, Curve, EmbeddingSpec, Logistic, Verdict
from search import LegWeights
from search.result_set import Observed, probability_of, within_categories

_NONE_OF_WORDS, _NONE_OF_IMAGES, _GOOD_OF_NOT_SOLD = 0.915, 0.94, 0.99
"""Of requests for what is not sold, those to be answered with ``none``, and those not to be answered with ``good``."""
_NONE_OF_CATEGORIES = 0.04
"""Of requests for a category, those that may be answered with ``none`` for it."""
_USUAL_OF_WORDS = {
    "title": 0.5,
    "text": 0.95,
    "anywhere": 0.8,
    "subject": 0.85,
    "own_anywhere": 0.4,
    "own_subject": -0.5,
    "supported": 0.5,
}
"""What the evidence of words weighs, in standard deviations of each: fitted on requests of people to four development
catalogs. Home-made synonyms are those of a thesaurus, and a fit that trusts them alone fails on people's own: their
AUC, each catalog judged by the weights of the other three, is .94 to .99 with these and .76 to .99 without. Words of
the catalog's own count less again where they say what a product is, since ``subject`` has counted them."""
_AS_LIKELY_AS_NOT = 0.5
"""What ``none`` of words is drawn to, halfway: a quantile of some hundred home-made requests differs more from catalog
to catalog than requests of people do. On those to four development catalogs ``none`` has 97, 96, 90 and 100 % of what
is not sold, and 24, 6, 11 and 9 % of synonyms; by the quantile alone 97, 96, 89 and 100 %, and 27, 6, 11 and 9 %."""
_REGULARISATION, _OF_USUAL = 0.003, 10.0
"""Strong, but for the sum of what is usual: counted ten times, it is a hundred times as free."""
_REGULARISATION_OF_IMAGES = 0.03
_FEWEST = 5
"""Requests of a kind, below which its usual curve is kept."""
_SHARES = (*np.arange(0.4, 1.0, 0.025).tolist(), 1.5)
_OF_CATEGORIES = (0.0, 0.8, 0.85, 0.9)
_USUAL_SHARE: dict[Asked, float] = {
    "covered": 0.9,
    "expanded": 0.8,
    "uncovered": 0.6,
    "long": 0.9,
    "image": 0.8,
    "product": 0.8,
    "mixed": 0.8,
}
"""Where a catalog has too few requests of a kind: what was best over the development catalogs."""
_COUNTS = {"category": 3.0, "synonym": 2.5, "color category": 2.0}
"""How much a kind counts in the verdict beside the others, and what is not sold counts as all together."""

Features = Callable[[Observed], Mapping[str, float] | None]


@dataclass(frozen=True, slots=True)
class FittedHalf:
    """What is fitted on some examples; of ``weights``, those that differ from the ones shipped."""

    weights: Tables
    words: Verdict | None
    image: Verdict | None
    curves: Mapping[Asked, Curve]


def fit(
    examples: Sequence[Example], shipped: LegWeights, spec: EmbeddingSpec, products: int, generation: str
) -> Calibration:
    """The calibration of all examples, with what two halves say of each other under ``test``.

    Args:
        shipped: The weights that the examples were observed with.
    """
    halves: tuple[list[Example], list[Example]] = ([], [])
    for example in examples:
        halves[zlib.crc32(example.source.encode()) % 2].append(example)
    judged = [
        (example, fitted)
        for part, others in (halves, halves[::-1])
        for fitted in (_fit(part, shipped),)
        for example in others
    ]
    fitted = _fit(examples, shipped)
    return Calibration(
        model=spec.model,
        fingerprint=spec.fingerprint,
        products=products,
        generation=generation,
        made=datetime.now(UTC),
        requests=dict(Counter(example.kind for example in examples)),
        words=fitted.words,
        image=fitted.image,
        fitting=dict(fitted.curves),
        weights=dict(fitted.weights) or None,
        test=_test(judged, tables_of(shipped)),
    )


def _fit(examples: Sequence[Example], shipped: LegWeights) -> FittedHalf:
    weights = fit_weights(examples, shipped)
    return FittedHalf(
        weights,
        _verdict(examples, lambda observed: observed.words, _NONE_OF_WORDS, _REGULARISATION, _USUAL_OF_WORDS),
        _verdict(examples, lambda observed: observed.image, _NONE_OF_IMAGES, _REGULARISATION_OF_IMAGES, {}),
        _curves([replace(example, observed=weighed(example.observed, weights)) for example in examples]),
    )


def _verdict(
    examples: Sequence[Example], features: Features, none_of: float, free: float, usual: Mapping[str, float]
) -> Verdict | None:
    """None where too little is sold, or not sold, to tell them apart."""
    from sklearn.linear_model import LogisticRegression  # it takes two seconds, which other commands need not wait for

    held = [(example, found) for example in examples if (found := features(example.observed)) is not None]
    sold = np.array([bool(example.relevant) for example, _ in held])
    if sold.sum() < _FEWEST or (~sold).sum() < _FEWEST:
        return None
    names = list(held[0][1])
    values = np.array([[found[name] for name in names] for _, found in held])
    weights = _weights([example for example, _ in held])
    middle, spread = values.mean(0), values.std(0) + 1e-6
    standard = (values - middle) / spread
    sum_of = _OF_USUAL * np.array([usual.get(name, 0.0) for name in names])
    model = LogisticRegression(C=free).fit(np.column_stack([standard, standard @ sum_of]), sold, sample_weight=weights)
    of_each = model.coef_[0, :-1] + model.coef_[0, -1] * sum_of
    scores = standard @ of_each + model.intercept_[0]
    # So strong a regularisation makes probabilities too careful: Platt's scaling gives them back their spread.
    platt = LogisticRegression(C=1e3).fit(scores[:, None], sold, sample_weight=weights)
    slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    raw = of_each / spread
    bias = float(model.intercept_[0] - raw @ middle) * slope + shift
    logistic = Logistic(
        weights={name: float(weight * slope) for name, weight in zip(names, raw, strict=True)}, bias=bias
    )
    p = np.array([probability_of(logistic, found) for _, found in held])
    none, good = np.quantile(p[~sold], [none_of, _GOOD_OF_NOT_SOLD])
    if usual:
        none = (none + _AS_LIKELY_AS_NOT) / 2
    plain = np.array([example.kind in ("category", "color category", "image") for example, _ in held])
    if plain.any():
        none = min(none, np.quantile(p[plain], _NONE_OF_CATEGORIES))
    return Verdict(probability=logistic, none_below=float(none), good_from=float(max(none, good)))


def _weights(examples: Sequence[Example]) -> NDArray[np.float64]:
    counts = Counter(example.kind for example in examples)
    of_kind = {kind: _COUNTS.get(kind, 1.0) for kind in counts}
    sold_kinds = {example.kind for example in examples if example.relevant}
    of_kind |= {kind: sum(of_kind[k] for k in sold_kinds) for kind in counts if kind not in sold_kinds}
    weights = np.array([of_kind[example.kind] / counts[example.kind] for example in examples])
    return np.asarray(weights * len(weights) / weights.sum(), np.float64)


def _curves(examples: Sequence[Example]) -> dict[Asked, Curve]:
    kinds: defaultdict[Asked, list[Example]] = defaultdict(list)
    for example in examples:
        # A title or a description names one product: the shares of others say nothing of a set.
        if example.relevant and (example.kind != "title" and example.kind != "description"):
            kinds[example.observed.kind].append(example)
    curves = {kind: _curve(some) for kind, some in kinds.items() if len(some) >= _FEWEST}
    usual = {kind: _usual(share) for kind, share in _USUAL_SHARE.items()}
    if "image" in curves:
        usual |= {"mixed": curves["image"]}
    return usual | curves


def _usual(share: float) -> Curve:
    return Curve(shares=[0.0, share, 1.0], probabilities=[0.0, 0.5, 0.9], floor=0.5, least_share=share, requests=0)


def _curve(examples: Sequence[Example]) -> Curve:
    from sklearn.isotonic import IsotonicRegression

    shares, fits, weights = [], [], []
    for example in examples:
        held = example.observed.shares
        shares += list(held.values())
        fits += [point in example.relevant for point in held]
        weights += [1.0 / len(held)] * len(held)
    isotonic = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(shares, fits, sample_weight=weights)
    whole = any(example.observed.categories for example in examples)
    of_category, least = max(
        product(_OF_CATEGORIES if whole else _OF_CATEGORIES[:1], _SHARES),
        key=lambda tried: (round(_mean_f1(examples, tried[1], tried[0]), 3), -tried[0], tried[1]),
    )
    knots = np.unique([0.0, *isotonic.X_thresholds_, 1.0])
    knots = knots if len(knots) <= 64 else np.quantile(knots, np.linspace(0, 1, 64))
    probabilities = np.maximum.accumulate(isotonic.predict(knots))
    floor = float(np.interp(min(least, 1.0), knots, probabilities))
    return Curve(
        shares=knots.tolist(),
        probabilities=probabilities.tolist(),
        floor=floor,
        least_share=least,
        least_of_category=of_category,
        requests=len(examples),
    )


def _mean_f1(examples: Sequence[Example], least_share: float, of_category: float) -> float:
    found = (found_set(example.observed, least_share, of_category) for example in examples)
    return float(np.mean([f1(some, example.relevant) for some, example in zip(found, examples, strict=True)]))


def found_set(observed: Observed, least_share: float, of_category: float) -> set[UUID]:
    """What fits, as ``search.result_set`` decides it."""
    near = {point: share for point, share in observed.shares.items() if share >= least_share}
    if of_category > 0:
        near = within_categories(near, observed.categories, of_category)
    return {*near, *observed.having, *observed.exact}


def f1(found: Iterable[UUID], relevant: frozenset[UUID]) -> float:
    found = set(found)
    return 2.0 * len(found & relevant) / (len(found) + len(relevant)) if found or relevant else 1.0


Judged = tuple[Example, FittedHalf]


def _test(judged: Sequence[Judged], shipped: Tables) -> dict[str, JsonValue]:
    """By kind: how many requests, the share answered with ``none``, F1 of the set where there are labels, and nDCG@10
    with the fitted weights, with those shipped, and of the best leg."""
    kinds: defaultdict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        kinds[one[0].kind].append(one)
    return {kind: _of_kind(some, shipped) for kind, some in sorted(kinds.items())}


def _of_kind(judged: Sequence[Judged], shipped: Tables) -> dict[str, JsonValue]:
    none, scores = [], []
    ndcg: defaultdict[str, list[float]] = defaultdict(list)
    of_legs: defaultdict[str, list[float]] = defaultdict(list)
    for example, fitted in judged:
        observed = weighed(example.observed, fitted.weights)
        verdict, features = (
            (fitted.words, observed.words) if observed.words is not None else (fitted.image, observed.image)
        )
        if verdict is not None and features is not None:
            none.append(probability_of(verdict.probability, features) < verdict.none_below and not observed.certain)
        if not example.relevant:
            continue
        curve = fitted.curves[observed.kind]
        scores.append(f1(found_set(observed, curve.least_share, curve.least_of_category), example.relevant))
        if observed.weighed is not None:
            before = shipped[observed.weighed]
            after, now = ndcg_of(example, [fitted.weights.get(observed.weighed, before), before]).tolist()
            ndcg["ndcg@10"].append(after)
            ndcg["shipped_ndcg@10"].append(now)
            for leg, value in ndcg_of_legs(example).items():
                of_legs[leg].append(value)
    shown: dict[str, JsonValue] = {"requests": len(judged)}
    if none:
        shown["none"] = round(float(np.mean(none)), 4)
    if scores:
        shown |= {"f1_mean": round(float(np.mean(scores)), 4), "f1_median": round(float(np.median(scores)), 4)}
    if ndcg:
        shown |= {name: round(float(np.mean(values)), 4) for name, values in ndcg.items()}
        shown["best_leg_ndcg@10"] = round(max(float(np.mean(values)) for values in of_legs.values()), 4)
    return shown
