from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from evaluation.significance import corrected, interval, mean, p_values, rate_intervals


def test_means_are_weighted_by_how_often_a_query_is_asked() -> None:
    assert mean(np.array([[1.0, 0.0], [0.0, 0.5]]), np.array([3.0, 1.0])).tolist() == [0.75, 0.125]


def test_an_interval_is_around_the_mean_narrows_with_queries_and_covers_what_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(60):
        values = random.random((50, 1))
        ((low, high),) = interval(values, np.ones(50))
        assert low < values.mean() < high
        covered += low < 0.5 < high
    assert 50 <= covered <= 60
    few, many = (np.ptp(interval(random.random((n, 1)), np.ones(n))) for n in (20, 500))
    assert many < few / 3


def test_one_query_and_equal_ones_have_no_width() -> None:
    assert interval(np.array([[0.25, 1.0]]), np.ones(1)).tolist() == [[0.25, 0.25], [1.0, 1.0]]
    assert interval(np.full((5, 1), 0.5), np.arange(1.0, 6.0)).tolist() == [[0.5, 0.5]]


def test_the_randomisation_test_is_exact_for_few_queries() -> None:
    one = np.array([[0.9], [0.8], [0.4], [0.7], [0.5]])
    other = np.array([[0.5], [0.7], [0.6], [0.2], [0.5]])
    weights = np.array([1.0, 2.0, 1.0, 1.0, 1.0])
    by_query = ((one - other)[:, 0] * weights).tolist()
    observed = abs(sum(by_query))
    signs = list(product([1, -1], repeat=len(by_query)))
    extreme = sum(abs(sum(s * d for s, d in zip(sign, by_query, strict=True))) >= observed - 1e-12 for sign in signs)
    assert p_values(one, other, weights)[0] == pytest.approx(extreme / len(signs))


def test_equal_runs_do_not_differ_and_one_query_proves_nothing() -> None:
    same = np.random.default_rng(1).random((30, 2))
    assert p_values(same, same, np.ones(30)).tolist() == [1.0, 1.0]
    assert p_values(np.array([[1.0]]), np.array([[0.0]]), np.ones(1)).tolist() == [1.0]


def test_a_real_difference_is_told_and_chance_is_not() -> None:
    random = np.random.default_rng(2)
    base = random.random((200, 1))
    assert p_values(base + 0.05 + random.normal(0, 0.1, base.shape), base, np.ones(200))[0] < 0.001
    by_chance = [p_values(base + random.normal(0, 0.1, base.shape), base, np.ones(200))[0] for _ in range(20)]
    assert sum(p < 0.05 for p in by_chance) <= 3


def test_many_tests_are_corrected_for() -> None:
    assert corrected([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert corrected([]) == []


def test_intervals_of_rates_cover_them_and_narrow_with_more() -> None:
    random = np.random.default_rng(0)
    widths = []
    for n in (50, 1000):
        positive = random.random(n) < 0.4
        taken = np.where(positive, random.random(n) < 0.8, random.random(n) < 0.1)
        right, wrong, missed = (taken & positive).sum(), (taken & ~positive).sum(), (~taken & positive).sum()
        rates = {
            "precision": right / (right + wrong),
            "recall": right / (right + missed),
            "f1": 2 * right / (2 * right + wrong + missed),
        }
        found = rate_intervals(taken, positive)
        assert all(found[name][0] < rates[name] < found[name][1] for name in rates)
        widths.append(np.ptp(found["f1"]))
    assert widths[1] < widths[0] / 3
    certain = np.array([True, True, False])
    assert rate_intervals(certain, certain) == {"precision": [1, 1], "recall": [1, 1], "f1": [1, 1]}
