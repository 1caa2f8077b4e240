"""Which of images, model and index a job waits for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.stages import ADVICE, MEANING, PARTS, bottleneck, say_shares, shares


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({"wait": 6.2, "images": 2, "texts": 1, "write": 0.5, "compare": 0.3, "scan": 100}, "decode"),
        ({"wait": 3, "images": 2, "texts": 2, "write": 1}, "encode"),
        ({"wait": 3, "images": 2, "texts": 0.5, "write": 2, "compare": 2}, "write"),
        ({"scan": 3, "embed": 4}, None),
        ({}, None),
    ],
)
def test_the_bottleneck_is_what_took_most_of_what_the_three_took(
    seconds: dict[str, float], expected: str | None
) -> None:
    assert bottleneck(seconds) == expected


@given(st.dictionaries(st.sampled_from([*MEANING, "another"]), st.floats(-1, 1e6)))
def test_shares_add_up_whatever_the_stages_took(seconds: dict[str, float]) -> None:
    by_part = shares(seconds)
    assert not by_part or sum(by_part.values()) == pytest.approx(1)
    assert all(0 <= share <= 1 for share in by_part.values())
    assert bottleneck(seconds) in (by_part or [None])


def test_the_largest_is_said_first() -> None:
    assert (
        say_shares(shares({"wait": 3, "images": 6.2, "write": 0.8})) == "bottleneck: encode 62% (decode 30%, write 8%)"
    )
    assert set(ADVICE) == set(PARTS)
