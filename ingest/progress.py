"""Long work, seen while it goes on: how far, how fast, how long still, and what holds it up.

On a terminal a bar, elsewhere a line every ten seconds: also while nothing comes through, because
that is when people look.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from ingest.logs import Log
from ingest.timing import MEANING, Part, Stopwatch, most, say_shares, shares

LINE_EVERY = 10.0
"""Seconds between lines where there is no terminal."""

BAR_EVERY = 1.0
_RECENT = 30.0
"""Seconds that rate, time left and the bottleneck of now are about."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """Where the work stands. ``rate`` is in rows a second; ``eta`` in seconds, None where it cannot be told."""

    rows: int
    total: int | None
    seconds: float
    rate: float
    eta: float | None
    now: dict[Part, float]
    run: dict[Part, float]


class Meter:
    """Measures what went on of late; one thread asks at a time."""

    def __init__(self, total: int | None, watch: Stopwatch) -> None:
        self._total = total
        self._watch = watch
        self._start = time.perf_counter()
        self._samples = deque([(self._start, 0, watch.so_far())])

    def measure(self, rows: int) -> Measured:
        """Args: ``rows`` are through since the meter was made."""
        now, seconds = time.perf_counter(), self._watch.so_far()
        self._samples.append((now, rows, seconds))
        while len(self._samples) > 2 and self._samples[1][0] <= now - _RECENT:
            self._samples.popleft()
        then, rows_then, seconds_then = self._samples[0]
        rate = (rows - rows_then) / (now - then) if now > then else 0.0
        lately = {stage: spent - seconds_then.get(stage, 0.0) for stage, spent in seconds.items()}
        return Measured(
            rows=rows,
            total=self._total,
            seconds=now - self._start,
            rate=rate,
            eta=(self._total - rows) / rate if self._total is not None and rate else None,
            now=shares(lately),
            run=shares(seconds),
        )


class Progress:
    """Within it, ``advance`` counts rows of one stage of a job, of ``total_rows`` where that is known."""

    def __init__(self, total_rows: int | None, watch: Stopwatch, log: Log, *, stage: str = "second pass") -> None:
        self._stage = stage
        self._meter = Meter(total_rows, watch)
        self._rows = 0
        self._over = threading.Event()
        self._closing = ExitStack()
        self._bar: tqdm[Any] | None = None
        if log == "text" and sys.stderr.isatty():
            self._bar = tqdm(total=total_rows, desc=stage, unit=" rows", file=sys.stderr, dynamic_ncols=True, delay=0.2)
        self._ticker = threading.Thread(target=self._tick, name="progress", daemon=True)

    def advance(self, rows: int) -> None:
        self._rows += rows
        if self._bar is not None:
            self._bar.update(rows)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._closing.enter_context(self._bar)
            self._closing.enter_context(logging_redirect_tqdm())  # a line of the log goes above the bar
        self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._ticker.join()
        self._closing.close()
        self._say_last(self._meter.measure(self._rows))

    def _tick(self) -> None:
        while not self._over.wait(LINE_EVERY if self._bar is None else BAR_EVERY):
            measured = self._meter.measure(self._rows)
            if self._bar is None:
                self._say(measured)
            elif measured.run:
                self._bar.set_postfix_str(say_shares(measured.now))

    def _say(self, at: Measured) -> None:
        left = "" if at.total is None else f", {tqdm.format_interval(at.eta) if at.eta is not None else '?'} left"
        waits = f"; {say_shares(at.now)}" if at.run else ""
        log.info(
            f"{self._stage}: {_count(at)} rows, {_rate(at.rate)} rows/s{left}{waits}",
            extra=self._numbers(at, at.rate) | {"eta_seconds": None if at.eta is None else round(at.eta, 1)},
        )

    def _say_last(self, at: Measured) -> None:
        rate = at.rows / at.seconds if at.seconds else 0.0
        waits = f"; {say_shares(at.run)}" if at.run else ""
        log.info(
            f"{self._stage}: {_count(at)} rows in {tqdm.format_interval(at.seconds)}, {_rate(rate)} rows/s{waits}",
            extra=self._numbers(at, rate) | {"event": "progress-over", "seconds": round(at.seconds, 3)},
        )

    def _numbers(self, at: Measured, rate: float) -> dict[str, Any]:
        return {
            "event": "progress",
            "stage": self._stage,
            "rows": at.rows,
            "total": at.total,
            "rate": round(rate, 2),
            "bottleneck": most(at.now),
            "shares": {part: round(share, 3) for part, share in at.now.items()},
            "run_bottleneck": most(at.run),
            "run_shares": {part: round(share, 3) for part, share in at.run.items()},
        }


@contextmanager
def announced(watch: Stopwatch, stage: str) -> Iterator[None]:
    """A stage that may take minutes and has no rows to count: said when it begins, and when it is over."""
    log.info(f"{stage}: {MEANING[stage]}", extra={"event": "stage", "stage": stage})
    before = watch.seconds.get(stage, 0.0)
    with watch.stage(stage):
        yield
    seconds = watch.seconds[stage] - before
    log.info(
        f"{stage}: {tqdm.format_interval(seconds)}",
        extra={"event": "stage-over", "stage": stage, "seconds": round(seconds, 3)},
    )


def _count(at: Measured) -> str:
    return f"{at.rows:,}" if at.total is None else f"{at.rows:,}/{at.total:,}"


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


@contextmanager
def counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, for what is told of how many products of how many are through."""
    with tqdm(unit="product", desc=what, disable=None) as bar:

        def progress(done: int, products: int) -> None:
            bar.total = products
            bar.update(done - bar.n)

        yield progress
