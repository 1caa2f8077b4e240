"""An encoder that is not there until something must be embedded: loading one takes seconds and torch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from embedding import Encoder


class LazyEncoder:
    """``seconds`` is what loading took, 0 while there was none."""

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None
        self.seconds = 0.0

    def __call__(self) -> Encoder:
        """The encoder, loaded by whichever thread needs it first."""
        with self._lock:
            if self._encoder is None:
                start = time.perf_counter()
                self._encoder = self._load()
                self.seconds = time.perf_counter() - start
            return self._encoder
