"""Stages add up to the whole, which of images, model and index a job waits for, and how fast images go."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.timing import ADVICE, MEANING, PARTS, Stopwatch, Throughput, bottleneck, say_shares, shares


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


def test_an_inner_stage_takes_its_time_away_from_the_outer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    watch = Stopwatch()
    with watch.stage("outer"):
        now += 1
        with watch.stage("inner"):
            now += 10
        now += 100
        with watch.stage("inner"):
            now += 1000
    now += 10_000
    assert watch.seconds == {"inner": 1010, "outer": 101}
    watch.move(10, "inner", "start")
    assert watch.seconds == {"inner": 1000, "outer": 101, "start": 10}


def test_what_is_still_running_is_counted_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    watch = Stopwatch()
    with watch.stage("outer"):
        now += 1
        with watch.stage("inner"):
            now += 10
            assert watch.so_far() == {"outer": 1, "inner": 10}
            now += 10
        assert watch.so_far() == {"outer": 1, "inner": 20}
    now += 1
    assert watch.so_far() == watch.seconds == {"outer": 1, "inner": 20}


def test_a_stage_that_fails_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    watch = Stopwatch()
    with pytest.raises(ValueError, match="x"), watch.stage("embed"):
        now += 1
        raise ValueError("x")
    now += 1
    assert watch.seconds == {"embed": 1}


def test_throughput_is_of_images_after_the_first_batch_and_without_the_time_for_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    watch = Stopwatch()
    throughput = Throughput(watch)
    assert throughput.rate() is None
    now += 60
    throughput.batch(30)
    assert throughput.rate() == 0.5
    with watch.stage("texts"):
        now += 1000
    now += 10
    throughput.batch(130)
    assert throughput.rate() == 10
