"""Stages add up to the whole, however they are nested."""

from __future__ import annotations

import time

import pytest

from ingest.stopwatch import Stopwatch


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
