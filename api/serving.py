"""The generation that answers, and its replacement while requests go on.

A watcher asks the store whether something newer serves, opens it beside the old one, and swaps. A
request keeps the searcher it began with; a generation is closed when its last request is done. Another
watcher asks for documents that changed, which the searcher goes on with: opening a generation may take long.
"""

from __future__ import annotations

import gc
import logging
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import NamedTuple

from embedding import Encoder, OneAtATime, load_encoder
from images import ImageLimits
from index import CatalogIndex, Documents, IndexStore, deadline
from labels import Labeller, PromptEncoder
from schemas import Document, EmbeddingSpec, IndexMissing, Shared, StoreLensError, ingest_command
from search import Searcher

log = logging.getLogger("storelens.api")

PROBE_SECONDS = 1.0
"""How long what a probe found counts; and, but doubled, how long a probe may take."""

DOCUMENTS_SECONDS = 0.5
"""How often it is asked whether documents have changed."""

STOP_SECONDS = 1.0
"""How long a stop waits for a watcher that waits for a server."""


class _Opened(NamedTuple):
    """What answers from one opened index."""

    searcher: Searcher
    labeller: Labeller


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
        self._current: Shared[_Opened] | None = None
        self._problem: StoreLensError = IndexMissing("nothing has been opened yet; try again in a moment")
        self._documents: Sequence[Document] = ()
        self._documents_version: str | None = None
        self._documents_problem = ""
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._reading_documents = threading.Lock()
        self._using_documents = threading.Lock()
        self._probing = threading.Lock()
        self._probed: tuple[float, StoreLensError | None] = (-math.inf, None)
        self._stop = threading.Event()
        self._watchers = [
            threading.Thread(target=self._watch, args=(look, seconds), name=f"{name}-watcher", daemon=True)
            for name, look, seconds in (
                ("generation", self.refresh, self._store.poll_seconds),
                ("documents", self.refresh_documents, DOCUMENTS_SECONDS),
            )
        ]

    @property
    def documents(self) -> Documents:
        """Those of the collection; after a write, ``refresh_documents`` has this process go on with it at once."""
        return self._store.documents

    def start(self) -> None:
        """Open what there is, then watch. A missing index is no failure: it may be ingested later."""
        self.refresh_documents()
        self.refresh()
        for watcher in self._watchers:
            watcher.start()

    def stop(self) -> None:
        self._stop.set()
        for watcher in self._watchers:
            if watcher.is_alive():
                watcher.join(STOP_SECONDS)
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
        with self._using() as opened:
            yield opened.searcher

    @contextmanager
    def labeller(self) -> Iterator[Labeller]:
        """The labeller of the same index; as ``searcher``."""
        with self._using() as opened:
            yield opened.labeller

    def prompts(self) -> PromptEncoder:
        """The encoder of prompts, of the model of what the store has now: for what writes into it."""
        self.refresh()
        with self.labeller() as labeller:
            return labeller.prompts

    @contextmanager
    def _using(self) -> Iterator[_Opened]:
        with ExitStack() as held:
            with self._lock:
                if self._current is None:
                    raise self._problem
                opened = held.enter_context(self._current.used())
            with deadline(self._seconds):
                yield opened

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
        with self._refreshing:
            self._refresh()

    def _refresh(self) -> None:
        try:
            version = self._store.version()
            if version is None:
                raise IndexMissing(f"nothing has been ingested yet: run `{ingest_command()} CATALOG`")
            if version == self._version:
                return
            searcher, labeller = self._open()
            products = searcher.index.count()
        except StoreLensError as error:
            if error.message != self._problem.message:
                log.warning("%s", error.message)
            self._problem = error
            return
        with self._using_documents:
            searcher.use(self._documents)
            with self._lock:
                if self._stop.is_set():  # while this waited for a server
                    searcher.index.close()
                    return
                old, self._current = self._current, Shared(_Opened(searcher, labeller), searcher.index.close)
                self._version = version
        # What is loaded by now stays; without this every full collection walks all of torch again,
        # a tenth of a search's time.
        gc.freeze()
        log.info("serving generation %s: %d products", searcher.index.generation, products)
        self._opened(searcher.index)
        if old is not None:
            old.release()

    def refresh_documents(self) -> None:
        """Read the documents where they are not those that searches go on with."""
        try:
            with self._reading_documents:
                version = self._store.documents.version()
                if version == self._documents_version:
                    self._documents_problem = ""
                    return
                documents = self._store.documents.read_all()
                if documents or self._documents:
                    log.info("searching with %d documents", len(documents))
                with self._using_documents:
                    self._documents, self._documents_version = documents, version
                    if (current := self._current) is not None:
                        current.value.searcher.use(documents)
        except StoreLensError as error:
            if error.message != self._documents_problem:
                log.warning("documents stay as they were: %s", error.message)
            self._documents_problem = error.message
            return
        self._documents_problem = ""

    def _open(self) -> _Opened:
        index = self._store.open()
        try:
            prompts = self._prompts_for(index.record.embedding)
            searcher = Searcher(index, prompts.encoder, self._limits)
            searcher.warm_up()
        except BaseException:
            index.close()
            raise
        return _Opened(searcher, Labeller(index, prompts))

    def _prompts_for(self, spec: EmbeddingSpec) -> PromptEncoder:
        """The encoder of a model, with the prompts that it has encoded."""
        current = self._current
        if current is not None and not spec.differences(current.value.searcher.encoder.spec):
            return current.value.labeller.prompts
        return PromptEncoder(OneAtATime(self._encoder_of(self._model or spec.model)))

    def _watch(self, look: Callable[[], None], seconds: float) -> None:
        while not self._stop.wait(seconds):
            try:
                look()
            except Exception:
                # The watcher must outlive whatever goes wrong: what is open goes on serving.
                log.exception("could not look for what is newer")


def _probe(searcher: Searcher) -> StoreLensError | None:
    """One point of the index asked for, which needs every part of it that a search does."""
    try:
        with deadline(2 * PROBE_SECONDS):
            searcher.index.scan(None, 1)
    except StoreLensError as error:
        return error
    return None
