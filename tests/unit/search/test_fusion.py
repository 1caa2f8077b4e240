from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from index import Candidate, Term
from search.fusion import LegResult, coverage, fuse, normalize, ranked

POINTS = [UUID(int=n) for n in range(1, 7)]


def leg(scores: list[float], weight: float = 1.0, *, lexical: bool = False) -> LegResult:
    """A leg that gave the first points these scores, best first."""
    candidates = [Candidate(point, score) for point, score in zip(POINTS, scores, strict=False)]
    return LegResult(weight, {c.id: c.score for c in candidates}, normalize(candidates, lexical=lexical))


def test_the_best_of_a_leg_is_one_and_the_worst_of_a_dense_leg_zero() -> None:
    assert leg([0.9, 0.6, 0.3]).normalized == {POINTS[0]: 1.0, POINTS[1]: 0.5, POINTS[2]: 0.0}


def test_a_lexical_leg_keeps_its_zero_at_no_word_in_common() -> None:
    assert leg([8.0, 4.0], lexical=True).normalized == {POINTS[0]: 1.0, POINTS[1]: 0.5}


def test_noise_is_not_stretched_to_the_full_scale() -> None:
    normalized = leg([0.500, 0.499]).normalized
    assert normalized[POINTS[1]] > 0.98


def test_a_leg_without_candidates_changes_nothing() -> None:
    alone = leg([0.9, 0.2], 0.5)
    assert ranked(fuse([alone, leg([], 0.5)])) == ranked(fuse([alone]))


def test_a_sure_leg_is_not_outvoted_by_weak_ones_with_little_weight() -> None:
    strong = LegResult(0.8, {}, {POINTS[0]: 1.0, POINTS[1]: 0.2})
    weak = LegResult(0.1, {}, {POINTS[0]: 0.0, POINTS[1]: 1.0})
    assert ranked(fuse([strong, weak, weak]))[0] == POINTS[0]


@given(
    st.lists(st.lists(st.floats(-1, 1), max_size=6).map(lambda xs: sorted(xs, reverse=True)), min_size=1, max_size=5)
)
def test_fused_scores_are_between_zero_and_one_and_every_candidate_is_ranked_once(legs: list[list[float]]) -> None:
    fused = fuse([leg(scores, weight) for weight, scores in enumerate(legs, 1)])
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in fused.values())
    assert sorted(ranked(fused)) == sorted(fused)
    assert set(fused) == {point for scores in legs for point, _ in zip(POINTS, scores, strict=False)}


def test_equal_scores_are_ordered_by_id_so_that_pages_agree() -> None:
    assert ranked(dict.fromkeys(reversed(POINTS), 0.5)) == POINTS


def test_what_is_named_exactly_goes_first() -> None:
    assert ranked({POINTS[0]: 0.9, POINTS[1]: 0.1}, [POINTS[1]]) == [POINTS[1], POINTS[0]]


class TestCoverage:
    rare, common = Term("dal", 1, idf=5.0, known=False), Term("make", 2, idf=1.0, known=True)

    def test_is_the_idf_share_of_the_words_that_one_product_has(self) -> None:
        assert coverage([self.rare, self.common], [["make"], []]) == 1 / 6
        assert coverage([self.rare, self.common], [["make"], ["make", "dal"]]) == 1

    def test_is_nothing_when_no_product_has_a_word(self) -> None:
        assert coverage([self.rare], []) == 0

    def test_is_whole_for_a_request_of_stop_words(self) -> None:
        assert coverage([], []) == 1
