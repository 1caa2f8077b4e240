"""Points written by a thread of their own, while the next batch is in the model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from index import IndexBuild, Point
from ingest.timing import Stopwatch


class Writes:
    """One batch is being written at most: a slow index holds up the job, and nothing piles up."""

    def __init__(self, build: IndexBuild, watch: Stopwatch) -> None:
        self._build = build
        self._watch = watch
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writes")
        self._under_way: Future[None] | None = None

    def submit(self, points: Sequence[Point]) -> None:
        """Raises what the batch before raised."""
        self.wait()
        if self._build.graph_due:
            with self._watch.stage("optimize"):
                self._build.optimize()
        self._under_way = self._thread.submit(self._build.upsert, points)

    def wait(self) -> None:
        """Until everything submitted is durable. Raises what writing it raised."""
        with self._watch.stage("write"):
            if self._under_way:
                future, self._under_way = self._under_way, None
                future.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.wait()
        finally:
            self._thread.shutdown()
