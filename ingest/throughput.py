"""How fast images go through a job once it is under way."""

from __future__ import annotations

import time

from ingest.embedder import Embedder
from ingest.stopwatch import Stopwatch


class SteadyRate:
    """Images a second from the end of the first batch on, less the time for words and for graphs: what comes before
    is the loading of the model and the start of the decode processes."""

    def __init__(self, embedder: Embedder, watch: Stopwatch) -> None:
        self._embedder = embedder
        self._watch = watch
        self._start = self._at()
        self._first = self._last = self._start

    def batch(self) -> None:
        """A batch is through."""
        self._last = self._at()
        if self._first is self._start:
            self._first = self._last

    def rate(self) -> float | None:
        """None where no image was embedded; of the whole run where it was one batch."""
        since = self._first if self._last is not self._first else self._start
        seconds, images = self._last[0] - since[0], self._last[1] - since[1]
        return round(images / seconds, 2) if images and seconds > 0 else None

    def _at(self) -> tuple[float, int]:
        apart = sum(self._watch.seconds.get(stage, 0.0) for stage in ("texts", "optimize"))
        return time.perf_counter() - apart, self._embedder.images
