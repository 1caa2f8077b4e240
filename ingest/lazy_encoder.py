"""An encoder that is not there until something must be embedded: loading one takes seconds and torch."""

from __future__ import annotations

from collections.abc import Callable

from embedding import Choice, Encoder
from ingest.timing import Stopwatch


class LazyEncoder:
    """Loads when it is first called; that is a part of the stage ``start``, whenever it happens.

    ``choice`` is what was loaded and why; None while nothing was.
    """

    def __init__(self, load: Callable[[], Choice], watch: Stopwatch) -> None:
        self._load = load
        self._watch = watch
        self.choice: Choice | None = None

    def __call__(self) -> Encoder:
        if self.choice is None:
            with self._watch.stage("start"):
                self.choice = self._load()
        return self.choice.encoder
