"""All the images of a catalog: paths, URLs, ``data:`` URIs and bytes, each read by the module for its kind."""

from __future__ import annotations

import re

from images.fetch.cache import UrlImages
from images.inline import INLINE
from images.limits import ImageLimits
from images.roots import ImageRoot, open_root
from images.settings import ImageSettings
from images.store import ImageStore
from schemas import ImageError, ImageNotFound

_URL = re.compile(r"https?://", re.IGNORECASE)


def is_kept(source: str) -> bool:
    """Whether an image is shown from the store: it came from a URL, or inside its catalog."""
    return source.startswith(INLINE) or _URL.match(source) is not None


class Images:
    """A ``ImageRoot`` for every kind of source. Any number of threads may call at once."""

    def __init__(self, root: ImageRoot, urls: UrlImages, store: ImageStore) -> None:
        self._root = root
        self._urls = urls
        self._store = store

    def version_tag(self, source: str) -> str | None:
        """Changes when the image may have changed, and costs no reading; None where that cannot be told."""
        if source.startswith(INLINE):
            return source.removeprefix(INLINE)
        return (self._urls if _URL.match(source) else self._root).version_tag(source)

    def read(self, source: str) -> bytes:
        """At most ``limits.max_bytes`` bytes. Raises ImageError, and OSError where a fetched one cannot be kept."""
        if source.startswith(INLINE):
            data = self._store.get(source.removeprefix(INLINE))
            if data is None:
                raise ImageNotFound(f"{source[:60]!a} is not kept here; ingest its catalog again", field="image")
            return data
        return (self._urls if _URL.match(source) else self._root).read(source)

    def doubt(self, source: str, error: ImageError) -> None:
        """An image that was read does not decode; its server may have mended it by the next run."""
        if _URL.match(source):
            self._urls.doubt(source, error)

    def close(self) -> None:
        self._urls.close()
        self._root.close()


def open_images(root: str, store: ImageStore, settings: ImageSettings, limits: ImageLimits) -> Images:
    """The images of a catalog whose payloads have this ``root``.

    Raises:
        StoreLensError: as ``open_root`` does.
    """
    return Images(open_root(root, limits, settings.picture_folders), UrlImages(store, settings, limits), store)
