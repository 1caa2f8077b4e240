from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.metrics import METRICS, expected_at_random, measure

IDS = "abcdefghijklmn"
GRADES = st.dictionaries(st.sampled_from(IDS), st.integers(0, 3), min_size=1).filter(
    lambda grades: any(grades.values())
)


def plainly(relevant: Mapping[str, int], ranking: Sequence[str]) -> list[float]:
    """The metrics as a textbook writes them."""
    right = {id for id, grade in relevant.items() if grade > 0}
    best = sorted(relevant.values(), reverse=True)[:10]
    ndcg = sum(relevant.get(id, 0) / math.log2(rank + 1) for rank, id in enumerate(ranking[:10], 1)) / sum(
        grade / math.log2(rank + 1) for rank, grade in enumerate(best, 1)
    )
    recalls = [len(right & set(ranking[:k])) / len(right) for k in (1, 5, 10)]
    mrr = next((1 / rank for rank, id in enumerate(ranking, 1) if id in right), 0.0)
    successes = [float(bool(right & set(ranking[:k]))) for k in (1, 5, 10)]
    return [ndcg, *recalls, mrr, *successes]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(GRADES, st.permutations(IDS), st.integers(0, len(IDS))), min_size=1, max_size=5))
def test_metrics_are_those_of_a_textbook(queries: list[tuple[dict[str, int], list[str], int]]) -> None:
    rankings = [order[:length] for _, order, length in queries]
    expected = [plainly(relevant, ranking) for (relevant, _, _), ranking in zip(queries, rankings, strict=True)]
    assert measure([relevant for relevant, _, _ in queries], rankings) == pytest.approx(np.array(expected), abs=1e-6)


def test_nothing_found_is_0_and_what_is_beyond_the_depth_is_not_found() -> None:
    long = [f"other {number}" for number in range(100)]
    assert not measure([{"a": 1}, {"a": 1}], [[], [*long, "a"]]).any()
    assert measure([{"a": 1}], [[*long[:99], "a"]])[0, METRICS.index("mrr")] == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("relevant", "pool"),
    [
        ({"a": 2, "b": 1}, "abcdef"),
        ({"a": 2, "b": 1, "elsewhere": 1}, "abcde"),
        ({"a": 1, "judged": 0}, ["a", "judged", "x", "y"]),
        ({"elsewhere": 1}, "xyz"),
        ({"a": 3}, "a"),
    ],
)
def test_random_is_the_mean_over_all_orders(relevant: dict[str, int], pool: Sequence[str]) -> None:
    orders = list(permutations(pool))
    mean = measure([relevant] * len(orders), orders).mean(axis=0)
    assert expected_at_random(relevant, len(pool), [id for id in relevant if id in pool]) == pytest.approx(mean)


def test_among_no_products_nothing_is_found_at_random() -> None:
    assert not expected_at_random({"a": 1}, 0, []).any()
