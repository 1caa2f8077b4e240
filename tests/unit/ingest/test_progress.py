"""How far, how fast, how long still and what holds it up: measured on a clock of the test's own."""

from __future__ import annotations

import io
import logging
import sys
import threading
import time
import tracemalloc
from typing import Any

import pytest

import ingest.progress
from ingest.progress import Meter, Progress, announced
from ingest.timing import Stopwatch
from tests.support.clock import Clock


class Terminal(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.named = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if "bottleneck: write 100%" in text:
            self.named.set()
        return super().write(text)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)
    return clock


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "ingest")
    return caplog


def test_rate_time_left_and_bottleneck_are_of_late_and_the_run_is_told_apart(clock: Clock) -> None:
    watch = Stopwatch()
    meter = Meter(1000, watch)
    with watch.stage("wait"):
        clock.now += 100
    at = meter.measure(100)
    assert (at.rate, at.eta) == (1, 900)
    assert at.now == {"decode": 1, "encode": 0, "write": 0}
    for rows in range(200, 600, 100):
        with watch.stage("images"):
            clock.now += 10
        at = meter.measure(rows)
    assert (at.rate, at.eta, at.seconds) == (10, 50, 140)
    assert at.now == {"decode": 0, "encode": 1, "write": 0}
    assert at.run["decode"] == pytest.approx(100 / 140)


def test_what_stands_still_has_no_time_left_and_still_says_why(clock: Clock) -> None:
    watch = Stopwatch()
    meter = Meter(10, watch)
    assert meter.measure(0).eta is None
    with watch.stage("wait"):
        clock.now += 60
        at = meter.measure(0)
    assert (at.rate, at.eta, at.now["decode"]) == (0, None, 1)
    assert Meter(None, watch).measure(0).eta is None


def test_what_a_meter_keeps_does_not_grow_with_the_run(clock: Clock) -> None:
    meter = Meter(None, Stopwatch())
    sizes = []
    tracemalloc.start()
    try:
        for rows in range(2_000):
            clock.now += 1
            at = meter.measure(rows)
            if rows % 1_000 == 999:
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert at.rate == pytest.approx(1)
    assert sizes[1] < sizes[0] + 1_000 * sys.getsizeof(1.0)


def test_without_a_terminal_lines_are_said_also_while_nothing_comes_through(
    events: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.progress, "LINE_EVERY", 0.001)
    said = threading.Event()

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.set()

    handler = Heard()
    ingest.progress.log.addHandler(handler)
    watch = Stopwatch()
    try:
        with Progress(48, watch, "text") as progress, watch.stage("wait"):
            progress.advance(40)
            said.clear()
            assert said.wait(20)
    finally:
        ingest.progress.log.removeHandler(handler)
    line = next(line for line in events.messages if line.startswith("second pass: 40/48 rows, "))
    assert line.endswith("; bottleneck: decode 100% (encode 0%, write 0%)")
    assert " left; " in line


def test_the_end_is_said_with_numbers_for_programs(events: pytest.LogCaptureFixture, clock: Clock) -> None:
    watch = Stopwatch()
    with Progress(48, watch, "json") as progress, watch.stage("texts"):
        clock.now += 2
        progress.advance(40)
        progress.advance(8)
    (message,) = events.messages
    assert message == "second pass: 48/48 rows in 00:02, 24 rows/s; bottleneck: encode 100% (decode 0%, write 0%)"
    numbers: dict[str, Any] = events.records[0].__dict__
    assert (
        numbers
        | {
            "event": "progress-over",
            "stage": "second pass",
            "rows": 48,
            "total": 48,
            "rate": 24,
            "seconds": 2,
            "run_bottleneck": "encode",
            "run_shares": {"decode": 0, "encode": 1, "write": 0},
        }
        == numbers
    )


def test_rows_without_a_known_end(events: pytest.LogCaptureFixture, clock: Clock) -> None:
    with Progress(None, Stopwatch(), "text", stage="scan") as progress:
        clock.now += 2
        progress.advance(20_000)
    assert events.messages == ["scan: 20,000 rows in 00:02, 10,000 rows/s"]


def test_a_failure_within_is_not_hidden(events: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="x"), Progress(2, Stopwatch(), "text") as progress:
        progress.advance(1)
        raise ValueError("x")
    assert events.messages[-1].startswith("second pass: 1/2 rows in ")
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_a_terminal_gets_a_bar_that_names_the_bottleneck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(ingest.progress, "BAR_EVERY", 0.001)
    watch = Stopwatch()
    with Progress(48, watch, "text") as progress, watch.stage("write"):
        progress.advance(48)
        assert terminal.named.wait(20)
    assert "48/48" in terminal.getvalue()


def test_a_terminal_gets_no_bar_where_every_line_is_an_object(
    monkeypatch: pytest.MonkeyPatch, events: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress(1, Stopwatch(), "json") as progress:
        progress.advance(1)
    assert not terminal.getvalue()
    assert len(events.messages) == 1


def test_a_long_stage_is_said_before_and_after(events: pytest.LogCaptureFixture, clock: Clock) -> None:
    watch = Stopwatch()
    with announced(watch, "optimize"):
        clock.now += 90
    assert events.messages == ["optimize: building the search graph", "optimize: 01:30"]
    assert [record.__dict__["event"] for record in events.records] == ["stage", "stage-over"]
    assert watch.seconds == {"optimize": 90}
