"""How long the stages of a job took, which of images, model and index it waited for, and how fast images went."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, get_args

MEANING = {
    "start": "opening the catalog, the index and the model",
    "scan": "reading the catalog for the first time",
    "embed": "reading it again, row by row, where something may be new",
    "wait": "waiting for images",
    "images": "images in the model",
    "texts": "words in the model",
    "compare": "asking the index what it has",
    "write": "writing to the index",
    "prune": "deleting what left the catalog",
    "optimize": "building the search graph",
    "same": "looking for images that show the same",
    "commit": "switching to the new index",
}
"""Stages of the main thread for people, in the order of a job; images are read and decoded beside it."""

Part = Literal["decode", "encode", "write"]
PARTS: tuple[Part, ...] = get_args(Part)

PART: dict[str, Part] = {
    "wait": "decode",
    "images": "encode",
    "texts": "encode",
    "compare": "write",
    "write": "write",
}
"""What a stage of the main thread is part of; images are decoded beside it, and it waits for them."""

ADVICE: dict[Part, str] = {
    "decode": "The model waited for images: reading, fetching or decoding them is the limit. More cores, smaller "
    "image files, or a faster disk or image server help; a faster model does not.",
    "encode": "The model is the limit. A GPU, more cores, or a lower precision help.",
    "write": "The index is the limit. A faster disk helps, or a Qdrant server nearer to the job.",
}
"""What makes a job faster, by its bottleneck, for people."""


def shares(seconds: Mapping[str, float]) -> dict[Part, float]:
    """What part of their common time each took, by seconds of stages; empty where that is none."""
    spent = dict.fromkeys(PARTS, 0.0)
    for stage, part in PART.items():
        spent[part] += max(0.0, seconds.get(stage, 0.0))  # a stage that gave time away can be below zero
    total = sum(spent.values())
    return {part: spent[part] / total for part in PARTS} if total > 0 else {}


def most(by_part: Mapping[Part, float]) -> Part | None:
    """The part with the largest share; None where there are no shares."""
    return max(by_part.items(), key=lambda item: item[1])[0] if by_part else None


def bottleneck(seconds: Mapping[str, float]) -> Part | None:
    """The part that took most of the time, by seconds of stages; None where none took any."""
    return most(shares(seconds))


def say_shares(by_part: Mapping[Part, float]) -> str:
    """As ``bottleneck: decode 62% (encode 30%, write 8%)``, the largest first."""
    if not by_part:
        return "bottleneck: none"
    first, *others = (f"{part} {by_part[part]:.0%}" for part in sorted(by_part, key=lambda part: -by_part[part]))
    return f"bottleneck: {first} ({', '.join(others)})"


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


class Throughput:
    """Images a second from the end of the first batch on, less the time for words and for graphs: what comes before
    is the loading of the model and the start of the decode processes."""

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch
        self._start = self._at(0)
        self._first = self._last = self._start

    def batch(self, images: int) -> None:
        """A batch is through, and with it ``images`` since the start."""
        self._last = self._at(images)
        if self._first is self._start:
            self._first = self._last

    def rate(self) -> float | None:
        """None where no image was embedded; of the whole run where it was one batch."""
        since = self._first if self._last is not self._first else self._start
        seconds, images = self._last[0] - since[0], self._last[1] - since[1]
        return round(images / seconds, 2) if images and seconds > 0 else None

    def _at(self, images: int) -> tuple[float, int]:
        apart = sum(self._watch.seconds.get(stage, 0.0) for stage in ("texts", "optimize"))
        return time.perf_counter() - apart, images
