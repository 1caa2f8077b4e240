"""The generation that answers, and its replacement while requests go on.

A watcher asks the store whether something newer serves, opens it beside the old one, and swaps. A
request keeps the searcher it began with; a generation is closed when its last request is done.
"""

from __future__ import annotations

import gc
import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic

from embedding import Encoder, load_encoder
from images import ImageLimits
from index import CatalogIndex, IndexStore, deadline
from schemas import EmbeddingSpec, IndexMissing, Shared, StoreLensError, ingest_command
from search import Searcher

log = logging.getLogger("storelens.api")

PROBE_SECONDS = 1.0
"""How long what a probe found counts; and, but doubled, how long a probe may take."""

STOP_SECONDS = 1.0
"""How long a stop waits for a watcher that waits for a server."""


class Serving:
    """Hands out the current searcher; reopens when the store's version changes.

    Args:
        seconds: How long a request may wait for a server that holds the index.
        opened: Called with each index when it begins to serve.
        encoder_of: Loads a model by its name or directory.
    """

    def __init__(
        self,
        store: IndexStore,
        model: str | None,
        limits: ImageLimits,
        seconds: float,
        opened: Callable[[CatalogIndex], object] = lambda _: None,
        encoder_of: Callable[[str], Encoder] = load_encoder,
    ) -> None:
        self._store = store
        self._model = model
        self._limits = limits
        self._seconds = seconds
        self._opened = opened
        self._encoder_of = encoder_of
        self._version: str | None = None
        self._current: Shared[Searcher] | None = None
        self._problem: StoreLensError = IndexMissing("nothing has been opened yet; try again in a moment")
        self._lock = threading.Lock()
        self._probing = threading.Lock()
        self._probed: tuple[float, StoreLensError | None] = (-math.inf, None)
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="generation-watcher", daemon=True)

    def start(self) -> None:
        """Open what there is, then watch. A missing index is no failure: it may be ingested later."""
        self.refresh()
        self._watcher.start()

    def stop(self) -> None:
        self._stop.set()
        if self._watcher.is_alive():
            self._watcher.join(STOP_SECONDS)
        with self._lock:
            current, self._current = self._current, None
        if current is not None:
            current.release()

    @contextmanager
    def searcher(self) -> Iterator[Searcher]:
        """The current searcher, kept open until the context ends.

        Raises:
            StoreLensError: why nothing can be answered now.
        """
        with ExitStack() as held:
            with self._lock:
                if self._current is None:
                    raise self._problem
                searcher = held.enter_context(self._current.used())
            with deadline(self._seconds):
                yield searcher

    def ready(self) -> str:
        """The generation that answers, once the index was seen to answer within the last second.

        Raises:
            StoreLensError: why nothing can be answered now.
        """
        with self.searcher() as searcher:
            with self._probing:
                when, problem = self._probed
                if monotonic() - when > PROBE_SECONDS:
                    before, problem = problem, _probe(searcher)
                    self._probed = monotonic(), problem
                    if problem is not None and before is None:
                        log.error("not ready: %s", problem.message)
            if problem is not None:
                raise problem
            return searcher.index.generation

    def refresh(self) -> None:
        """Open what the store has now when it is not what is open."""
        try:
            version = self._store.version()
            if version is None:
                raise IndexMissing(f"nothing has been ingested yet: run `{ingest_command()} CATALOG`")
            if version == self._version:
                return
            searcher = self._open()
            products = searcher.index.count()
        except StoreLensError as error:
            if error.message != self._problem.message:
                log.warning("%s", error.message)
            self._problem = error
            return
        with self._lock:
            if self._stop.is_set():  # while this waited for a server
                searcher.index.close()
                return
            old, self._current = self._current, Shared(searcher, searcher.index.close)
            self._version = version
        # What is loaded by now stays; without this every full collection walks all of torch again,
        # a tenth of a search's time.
        gc.freeze()
        log.info("serving generation %s: %d products", searcher.index.generation, products)
        self._opened(searcher.index)
        if old is not None:
            old.release()

    def _open(self) -> Searcher:
        index = self._store.open()
        try:
            searcher = Searcher(index, self._encoder_for(index.record.embedding), self._limits)
            searcher.warm_up()
        except BaseException:
            index.close()
            raise
        return searcher

    def _encoder_for(self, spec: EmbeddingSpec) -> Encoder:
        current = self._current
        if current is not None and not spec.differences(current.value.encoder.spec):
            return current.value.encoder
        return self._encoder_of(self._model or spec.model)

    def _watch(self) -> None:
        while not self._stop.wait(self._store.poll_seconds):
            try:
                self.refresh()
            except Exception:
                # The watcher must outlive whatever goes wrong: what is open goes on serving.
                log.exception("could not look for a newer generation")


def _probe(searcher: Searcher) -> StoreLensError | None:
    """One point of the index asked for, which needs every part of it that a search does."""
    try:
        with deadline(2 * PROBE_SECONDS):
            searcher.index.scan(None, 1)
    except StoreLensError as error:
        return error
    return None
