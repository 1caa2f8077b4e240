"""Images by URL, kept on disk and asked for again only when they are old.

The bytes are in the ``ImageStore``. For each URL a small file beside them has their hash, the server's ``ETag`` and
``Last-Modified``, and when it was asked.

Why not hishel, the HTTP cache for httpx: it decides by the server's headers when to ask again, which would differ from
shop to shop; it keeps bodies by request in one SQLite file, where the API needs them by content and from other
processes; and it reads a body to learn that it is fresh, where a night over a million unchanged images reads none.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cachetools import LRUCache

from images.fingerprint import hash_bytes
from images.limits import ImageLimits
from images.settings import ImageSettings
from images.store import ImageStore
from schemas import ImageError, ImageHostGivenUp, ImageTooLarge, ImageUnreachable, NotAImage

if TYPE_CHECKING:
    from images.fetch.fetcher import Fetched, Fetcher

log = logging.getLogger(__name__)

FAILURES_KEPT = 10_000
"""URLs that failed in this run and are not tried again in it: one placeholder may be in a million rows."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of a URL."""

    hash: str
    etag: str | None
    last_modified: str | None
    fetched: float


class UrlImages:
    """The three methods of a ``ImageRoot``, for http and https URLs.

    Args:
        store: Also holds what is remembered of URLs.
        fetcher: Made when the first URL has to be asked for.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        store: ImageStore,
        settings: ImageSettings,
        limits: ImageLimits,
        fetcher: Callable[[], Fetcher] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._max_age = settings.picture_max_age * 86_400
        self._make = fetcher or (lambda: _fetcher(settings, limits))
        self._fetcher: Fetcher | None = None
        self._clock = clock
        self._opened = clock()
        self._failures: LRUCache[str, ImageError] = LRUCache(FAILURES_KEPT)
        self._outdated = 0
        self._lock = threading.Lock()

    def version_tag(self, source: str) -> str | None:
        """The hash of an image that is at hand and fresh; one small file is read, and nothing is fetched."""
        entry = self._recall(self._path(source))
        return entry.hash if entry is not None and self._is_fresh(entry) and self._store.has(entry.hash) else None

    def read(self, source: str) -> bytes:
        """Raises ImageError, and OSError where what came cannot be kept.

        Where an image that is kept can for a moment not be had again, what is kept is what it is.
        """
        path = self._path(source)
        entry = self._recall(path)
        kept = self._store.get(entry.hash) if entry is not None else None
        if entry is not None and kept is not None and self._is_fresh(entry):
            return kept
        with self._lock:
            failed = self._failures.get(path.name)
        if failed is not None:
            raise type(failed)(failed.message, field=failed.field)  # each thread its own: an exception has a traceback
        try:
            if entry is None or kept is None:
                return self._keep(path, self._the_fetcher().fetch(source))
            fetched = self._the_fetcher().fetch(source, entry.etag, entry.last_modified)
            return self._keep(path, fetched, entry, kept)
        except (ImageUnreachable, ImageTooLarge, NotAImage) as error:
            if kept is None:
                self._remember(path.name, error)
                raise
            with self._lock:
                self._outdated += 1
            return kept
        except ImageError as error:
            self._remember(path.name, error)
            raise

    def doubt(self, source: str, error: ImageError) -> None:
        """What came from a URL is no good: it is that for this run, and the next one asks for it anew."""
        path = self._path(source)
        self._remember(path.name, error)
        with suppress(OSError):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._fetcher is not None:
            self._fetcher.close()
        if self._outdated:
            log.warning(
                "%d images could not be fetched again; the copies of before were used, and will be asked for again",
                self._outdated,
            )
            self._outdated = 0

    def _keep(self, path: Path, fetched: Fetched, before: _Entry | None = None, kept: bytes = b"") -> bytes:
        """Remember what came, or that what is kept is still what it is."""
        if fetched.data is not None:
            entry = _Entry(self._store.put(fetched.data), fetched.etag, fetched.last_modified, self._clock())
        else:
            assert before is not None  # who asked without condition is not told that nothing changed
            etag, last_modified = fetched.etag or before.etag, fetched.last_modified or before.last_modified
            entry = _Entry(before.hash, etag, last_modified, self._clock())
        self._store.write(path, json.dumps(asdict(entry)).encode())
        return kept if fetched.data is None else fetched.data

    def _recall(self, path: Path) -> _Entry | None:
        try:
            entry = _Entry(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):  # nothing, or half of something
            return None
        return entry if isinstance(entry.hash, str) and isinstance(entry.fetched, int | float) else None

    def _is_fresh(self, entry: _Entry) -> bool:
        age = self._clock() - entry.fetched
        # A clock that was set back must not keep an image for years.
        return age >= -60 and (age < self._max_age or entry.fetched >= self._opened)

    def _remember(self, name: str, error: ImageError) -> None:
        if not isinstance(error, ImageHostGivenUp):  # costs nothing to ask, and its host may be well by then
            with self._lock:
                self._failures[name] = error

    def _the_fetcher(self) -> Fetcher:
        with self._lock:
            if self._fetcher is None:
                self._fetcher = self._make()
            return self._fetcher

    def _path(self, source: str) -> Path:
        # The URL itself is not written down: its query may hold a key.
        name = hash_bytes(source.encode("utf-8", "surrogatepass"))
        return Path(f"{self._store.folder}/urls/{name[:2]}/{name}.json")


def forget_urls(store: ImageStore) -> None:
    """Remove what is remembered of URLs whose image the store does not have any more."""
    for path in (store.folder / "urls").glob("??/*.json"):
        with suppress(OSError, ValueError, TypeError, KeyError):
            if not store.has(json.loads(path.read_bytes())["hash"]):
                path.unlink()


def _fetcher(settings: ImageSettings, limits: ImageLimits) -> Fetcher:
    from images.fetch.fetcher import Fetcher  # httpx, and what it brings: not for a run that finds nothing to fetch

    return Fetcher(settings, limits)
