from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Candidate, Term
from search.background import Usual
from search.fusion import LegResult, coverage, fuse, leg_result, of_words_in_common, standardized

POINTS = [UUID(int=n << 64) for n in range(1, 7)]


def candidates(scores: list[float]) -> list[Candidate]:
    """The first points with these scores, best first."""
    return [Candidate(point, score) for point, score in zip(POINTS, scores, strict=False)]


def leg(scores: list[float], weight: float = 1.0) -> LegResult:
    return leg_result(candidates(scores), weight)


def test_the_best_of_a_leg_is_one_and_the_worst_of_a_dense_leg_zero() -> None:
    assert leg([0.9, 0.6, 0.3]).normalized == pytest.approx([1, 0.5, 0])


def test_a_lexical_leg_keeps_its_zero_at_no_word_in_common() -> None:
    assert of_words_in_common(candidates([8.0, 4.0]), 0.5).normalized == pytest.approx([1, 0.5])


def test_more_words_in_common_weigh_more() -> None:
    assert of_words_in_common(candidates([8.0]), 0.5).weight == 4.0
    assert of_words_in_common([], 0.5).weight == 0.0


def test_a_leg_of_words_is_measured_by_what_it_scores_by_chance() -> None:
    found = standardized(candidates([0.5, 0.4, 0.3, 0.1]), 2.0, Usual(0.3, 0.1))
    assert found.weight == pytest.approx(4.0)  # the best is two deviations above the usual
    assert found.normalized == pytest.approx([1, 0.5, 0, 0])


def test_a_leg_that_finds_nothing_unusual_says_nothing() -> None:
    found = standardized(candidates([0.3, 0.2]), 2.0, Usual(0.35, 0.1))
    assert (found.weight, found.normalized.tolist()) == (0.0, [0.0, 0.0])


def test_noise_is_not_stretched_to_the_full_scale() -> None:
    assert leg([0.500, 0.499]).normalized[1] > 0.98


def test_a_leg_without_candidates_changes_nothing() -> None:
    alone = leg([0.9, 0.2], 0.5)
    assert fuse([alone, leg([], 0.5)])[0] == fuse([alone])[0]


def test_legs_that_found_nothing_find_nothing() -> None:
    points, scores = fuse([leg([]), leg([])])
    assert (points, scores.tolist()) == ([], [])


def test_a_sure_leg_is_not_outvoted_by_weak_ones_with_little_weight() -> None:
    strong = leg_result([Candidate(POINTS[0], 1.0), Candidate(POINTS[1], 0.2)], 0.8)
    weak = leg_result([Candidate(POINTS[1], 1.0), Candidate(POINTS[0], 0.2)], 0.1)
    assert fuse([strong, weak, weak])[0][0] == POINTS[0]


Legs = st.lists(
    st.lists(st.floats(-1, 1), max_size=6).map(lambda scores: sorted(scores, reverse=True)), min_size=1, max_size=5
)


@given(Legs)
def test_every_candidate_is_ranked_once_by_a_score_between_zero_and_one(legs: list[list[float]]) -> None:
    points, scores = fuse([leg(scores, weight) for weight, scores in enumerate(legs, 1)])
    assert set(points) == {point for scores in legs for point, _ in zip(POINTS, scores, strict=False)}
    assert len(points) == len(set(points)) == scores.size
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in scores)
    assert sorted(scores, reverse=True) == scores.tolist()


def test_equal_scores_are_ordered_by_id_so_that_pages_agree() -> None:
    same = [Candidate(point, 0.5) for point in reversed(POINTS)]
    assert fuse([leg_result(same, 1.0)])[0] == POINTS


def test_what_is_named_exactly_goes_first_though_no_leg_found_it() -> None:
    points, scores = fuse([leg([0.9, 0.5, 0.1])], {POINTS[1]: 1, POINTS[5]: 0, POINTS[0]: 1})
    assert points == [POINTS[5], POINTS[0], POINTS[1], POINTS[2]]
    assert scores[:3].tolist() == [1, 1, 1]


class TestCoverage:
    rare, common = Term("dal", ((1,),), idf=5.0, known=False), Term("make", ((2,),), idf=1.0, known=True)

    def test_is_the_idf_share_of_the_words_that_one_product_has(self) -> None:
        assert coverage([self.rare, self.common], [["make"], []]) == 1 / 6
        assert coverage([self.rare, self.common], [["make"], ["make", "dal"]]) == 1

    def test_is_nothing_when_no_product_has_a_word(self) -> None:
        assert coverage([self.rare], []) == 0

    def test_is_whole_for_a_request_of_stop_words(self) -> None:
        assert coverage([], []) == 1
