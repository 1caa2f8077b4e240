"""Weights of the legs, fitted on requests whose legs are made up."""

from __future__ import annotations

import random
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from evaluation.home_made import Example
from evaluation.leg_weights import fit_weights, ndcg_of, ndcg_of_legs, tables_of, weighed
from schemas import Asked, LegName, Weighed
from search import LegWeights
from search.fusion import LegResult, Scores, fuse
from search.result_set import Observed
from search.weights import BUILTIN, CLIP

POINTS = [UUID(int=number << 64) for number in range(40)]
WORDS: tuple[LegName, ...] = ("text->title", "text->text", "text->image", "lexical")
IMAGES: tuple[LegName, ...] = ("image->image", "image->text")


def example(right: LegName, regime: Weighed = "covered", seed: int = 0, kind: str = "category") -> Example:
    """A request of which one leg has what fits first, and the others anything."""
    chance = random.Random(seed)
    relevant = frozenset(chance.sample(POINTS, 5))
    legs: dict[LegName, Scores] = {
        leg: np.array([chance.uniform(0, 3) + (leg == right and point in relevant) * 3 for point in POINTS])
        for leg in (IMAGES if regime == "image" else WORDS)
    }
    asked: Asked = "image" if regime == "image" else "covered"
    observed = Observed(asked, None, None, {}, frozenset(), frozenset(), regime, POINTS, legs)
    return Example(kind, f"{seed}", relevant, observed)


def mean_ndcg(weights: LegWeights, examples: list[Example]) -> float:
    tables = tables_of(weights)
    return sum(float(ndcg_of(one, [tables[one.observed.weighed or "covered"]])[0]) for one in examples) / len(examples)


@pytest.mark.parametrize("right", ["text->image", "lexical"])
@pytest.mark.parametrize("shipped", [BUILTIN, CLIP])
def test_a_leg_that_is_right_gets_more_of_the_weight_and_it_holds_for_others(
    right: LegName, shipped: LegWeights
) -> None:
    fitted = shipped.fitted(fit_weights([example(right, seed=seed) for seed in range(40)], shipped))
    others = [example(right, seed=seed) for seed in range(100, 160)]
    assert mean_ndcg(fitted, others) > mean_ndcg(shipped, others) + 0.02
    assert fitted.words.long == shipped.words.long


def test_an_image_leg_gets_its_weight_too() -> None:
    fitted = fit_weights([example("image->text", "image", seed) for seed in range(30)], BUILTIN)
    assert fitted.keys() == {"image"}
    assert fitted["image"]["image->text"] > BUILTIN.image["image->text"]


def test_what_is_shipped_stays_where_nothing_is_better() -> None:
    everywhere = [replace(example("lexical", seed=seed), relevant=frozenset(POINTS)) for seed in range(30)]
    assert fit_weights(everywhere, BUILTIN) == {}
    assert fit_weights([example("text->image", seed=seed) for seed in range(5)], BUILTIN) == {}
    assert fit_weights([], CLIP) == {}


def test_every_kind_counts_as_much_however_many_requests_it_has() -> None:
    many = [example("lexical", seed=seed, kind="title") for seed in range(200)]
    few = [example("text->title", seed=seed, kind="synonym") for seed in range(300, 320)]
    fitted = BUILTIN.fitted(fit_weights([*many, *few], BUILTIN))
    assert mean_ndcg(fitted, few) >= mean_ndcg(BUILTIN, few) - 0.02


def test_shares_are_those_of_the_fused_search() -> None:
    one = example("lexical").observed
    named = replace(one, exact=frozenset(POINTS[:1]))
    table = tables_of(BUILTIN)["covered"]
    results = []
    for leg, scores in one.legs.items():
        order = np.argsort(-scores)
        best = float(scores.max())
        found = [POINTS[at] for at in order]
        results.append(LegResult(table[leg] * best, found, scores[order], scores[order] / best, best))
    points, scores = fuse(results)
    shares = weighed(one, {"covered": table}).shares
    assert shares == pytest.approx(dict(zip(points, (scores / scores[0]).tolist(), strict=True)))
    assert weighed(named, {"covered": table}).shares[POINTS[0]] == 1.0
    assert weighed(one, {"long": table}) is one


def test_legs_are_measured_alone() -> None:
    legs = ndcg_of_legs(example("text->image"))
    assert legs["text->image"] == 1.0 > max(legs[leg] for leg in ("text->title", "lexical"))
