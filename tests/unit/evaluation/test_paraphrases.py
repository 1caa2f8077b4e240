from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.paraphrases import overlap, rank_biased_overlap, read_needs
from schemas import ConfigurationError

LISTS = st.lists(st.sampled_from("abcdefghij"), unique=True)


def plainly(one: Sequence[str], other: Sequence[str], p: float) -> float:
    """The infinite sum that rank-biased overlap is, as far as it matters: unseen places agree as those before."""
    short, long = sorted((one, other), key=len)
    total = agreement = 0.0
    for depth in range(1, 400):
        if depth <= len(long):
            common = len(set(long[:depth]) & set(short[:depth]))
            shared = len(set(short) & set(long[: len(short)])) / len(short) if short else 0.0
            agreement = (common + shared * max(0, depth - len(short))) / depth
        total += (1 - p) * p ** (depth - 1) * agreement
    return total


@given(LISTS, LISTS)
def test_rank_biased_overlap_is_the_sum_that_its_paper_has(one: list[str], other: list[str]) -> None:
    found = rank_biased_overlap(one, other)
    assert found == pytest.approx(rank_biased_overlap(other, one))
    assert -1e-12 <= found <= 1 + 1e-12
    if one or other:
        assert found == pytest.approx(plainly(one, other, 0.9), abs=1e-9)


def test_the_top_counts_most_and_nothing_is_like_nothing() -> None:
    assert rank_biased_overlap("abcdef", "abcdef") == pytest.approx(1)
    assert rank_biased_overlap("abcdef", "uvwxyz") == rank_biased_overlap("abc", "") == 0
    assert rank_biased_overlap("", "") == overlap("", "") == 1
    assert rank_biased_overlap("abcdef", "bacdef") < rank_biased_overlap("abcdef", "abcdfe") < 1
    assert overlap("abcdef", "fedcba") == 1
    assert overlap("abcd", "ab") == 0.5


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"wordings": ["sofa"]}', "line 1: wordings: .*at least 2"),
        ('{"wordings": ["sofa", "sofa"]}', "line 1: .*twice"),
        ('{"wordings": ["sofa", " "]}', "line 1: .*blank"),
        ('{"wordings": ["sofa", 3]}', "line 1: wordings.1: .*string"),
        ("[]", "line 1: "),
        ("", "has no paraphrases"),
    ],
)
def test_a_line_that_is_none_of_paraphrases_is_named(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "paraphrases.jsonl"
    path.write_text(line)
    with pytest.raises(ConfigurationError, match=reason):
        read_needs(path)
