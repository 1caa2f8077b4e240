"""The photo of a search, fetched from its URL: only where a setting says so, since it makes this server ask others."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from api.settings import ApiSettings
from images import ImageLimits
from schemas import ImageError, Overloaded, RequestError

if TYPE_CHECKING:
    from images.fetch.fetcher import Fetcher

AT_ONCE = 8
"""Photos on their way; each holds a thread that searches need."""


class QueryImageFetcher:
    """Keeps nothing: whoever may search must not fill the disk. Threads may call at once."""

    def __init__(self, settings: ApiSettings, limits: ImageLimits) -> None:
        self._settings = settings
        self._limits = limits
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._fetcher: Fetcher | None = None
        self._lock = threading.Lock()

    def fetch(self, url: str) -> bytes:
        """The bytes of the photo.

        Raises:
            RequestError: it is switched off.
            ImageError: the photo cannot be had from there.
            Overloaded: others are being fetched.
        """
        if not self._settings.image_urls:
            raise RequestError(
                "photos are not fetched from URLs by this server, unless STORELENS_IMAGE_URLS is set; send the photo "
                "itself as base64",
                field="image.url",
            )
        if not self._turns.acquire(blocking=False):
            raise Overloaded("too many photos are being fetched; try again in a moment")
        try:
            data = self._open().fetch(url).data
        except ImageError as error:
            error.field = "image.url"
            raise
        finally:
            self._turns.release()
        assert data is not None  # nobody asked whether it changed
        return data

    def close(self) -> None:
        if self._fetcher is not None:
            self._fetcher.close()

    def _open(self) -> Fetcher:
        from images.fetch.fetcher import Fetcher  # an HTTP client, for those who switched it on

        with self._lock:
            if self._fetcher is None:
                self._fetcher = Fetcher(self._settings, self._limits, patient=False)
            return self._fetcher
