"""How long each stage of a job took."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Seconds by stage. A stage within a stage takes its time away from the outer one, so they add up.

    One thread runs the stages; any may ask ``so_far``.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._running: list[str] = []
        self._counted = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        with self._lock:
            self._count()
            self._running.append(name)
        try:
            yield
        finally:
            with self._lock:
                self._count()
                self._running.pop()

    def so_far(self) -> dict[str, float]:
        """Seconds by stage, with those of the stage that is running."""
        with self._lock:
            self._count()
            return dict(self.seconds)

    def move(self, seconds: float, source: str, target: str) -> None:
        """Count time of one stage to another."""
        with self._lock:
            self.seconds[source] -= seconds
            self.seconds[target] = self.seconds.get(target, 0.0) + seconds

    def _count(self) -> None:
        """Give the innermost stage the time since it was last given some."""
        now = time.perf_counter()
        if self._running:
            stage = self._running[-1]
            self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._counted
        self._counted = now
