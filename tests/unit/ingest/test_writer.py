"""Batches written beside the model, and the graphs that are built between them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, cast

import pytest

from index import IndexBuild, Point
from ingest.timing import Stopwatch
from ingest.writer import WriteQueue


class Build:
    """Says what is done to it, and wants graphs after ``every`` batches."""

    def __init__(self, every: int = 100) -> None:
        self.done: list[str] = []
        self._every = every
        self._loose = 0
        self._busy = threading.Lock()

    def upsert(self, points: Sequence[Point]) -> None:
        with self._busy:
            if not points:
                raise OSError("the disk is full")
            self._loose += 1
            self.done.append("upsert")

    @property
    def graph_due(self) -> bool:
        assert not self._busy.locked()
        return self._loose >= self._every

    def optimize(self) -> None:
        assert not self._busy.locked()
        self._loose = 0
        self.done.append("optimize")


def _points(count: int) -> list[Point]:
    return cast(list[Point], [None] * count)


def _queue(build: Build, watch: Stopwatch) -> WriteQueue:
    return WriteQueue(cast(IndexBuild, cast(Any, build)), watch)


def test_graphs_are_built_between_batches_as_a_stage_of_their_own() -> None:
    build, watch = Build(every=2), Stopwatch()
    with watch.stage("embed"), _queue(build, watch) as queue:
        for _ in range(5):
            queue.submit(_points(1))
    assert build.done == ["upsert", "upsert", "optimize", "upsert", "upsert", "optimize", "upsert"]
    assert set(watch.seconds) == {"embed", "write", "optimize"}


def test_what_a_batch_raised_is_raised_by_what_comes_next() -> None:
    build = Build()
    with pytest.raises(OSError, match="full"), _queue(build, Stopwatch()) as queue:
        queue.submit([])
        queue.submit(_points(1))
    assert build.done == []


def test_the_last_batch_is_waited_for() -> None:
    with pytest.raises(OSError, match="full"), _queue(Build(), Stopwatch()) as queue:
        queue.submit([])
