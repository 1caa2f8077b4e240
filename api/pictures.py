"""Pictures of products, for showing: from where the catalog has them, or as they were when they were fetched."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from api.settings import ApiSettings
from catalog import (
    PictureLimits,
    PictureRoot,
    PictureStore,
    browser_picture,
    is_kept,
    kept_hash,
    open_root,
    picture_sources,
)
from schemas import ProductPictureNotFound, StoreLensError

MAX_ROOTS = 8
"""Catalogs that are kept open: an archive takes a while to look through."""


@dataclass(slots=True)
class _Opened:
    root: PictureRoot
    users: int = 0


class ProductPictures:
    """Nothing is fetched to be shown. Threads may call at once."""

    def __init__(self, settings: ApiSettings, limits: PictureLimits) -> None:
        self._store = PictureStore(settings.data_dir / "pictures")
        self._folders = settings.picture_folders
        self._limits = limits
        self._opened: dict[tuple[str, str], _Opened] = {}
        self._lock = threading.Lock()

    def show(self, payload: Mapping[str, Any], number: int, generation: str) -> tuple[bytes, str]:
        """A product's picture of that number, from 0, as browsers show it, and its media type.

        Args:
            generation: That the payload is of; with another one, archives are opened anew.

        Raises:
            ProductPictureNotFound: there is none, or none any more.
        """
        sources = picture_sources(payload)
        if not 0 <= number < len(sources):
            raise ProductPictureNotFound(
                f"the product has {len(sources)} pictures, counted from 0; there is no {number}"
            )
        try:
            if is_kept(sources[number]):
                data = self._kept(payload, number)
            else:
                with self._root(payload["root"], generation) as root:
                    # The path was safe when it was ingested; what lies there now may have been replaced by a link.
                    data = root.read(sources[number])
            return browser_picture(data, self._limits)
        except ProductPictureNotFound:
            raise
        except StoreLensError as error:
            raise ProductPictureNotFound(f"the picture was ingested, but cannot be read now: {error.code}") from error

    def close(self) -> None:
        with self._lock:
            for opened in self._opened.values():
                opened.root.close()
            self._opened.clear()

    def _kept(self, payload: Mapping[str, Any], number: int) -> bytes:
        hash = kept_hash(payload, number)
        data = None if hash is None else self._store.get(hash)
        if data is None:
            raise ProductPictureNotFound("the picture is not kept on this server")
        return data

    @contextmanager
    def _root(self, root: str, generation: str) -> Iterator[PictureRoot]:
        with self._lock:
            opened = self._opened.pop((root, generation), None)
            if opened is None:
                opened = _Opened(open_root(root, self._limits, self._folders))
            self._opened[root, generation] = opened  # behind all others: the order says how long ago
            opened.users += 1
            self._close_oldest()
        try:
            yield opened.root
        finally:
            with self._lock:
                opened.users -= 1

    def _close_oldest(self) -> None:
        unused = [key for key, opened in self._opened.items() if not opened.users]
        for key in unused[: max(len(self._opened) - MAX_ROOTS, 0)]:
            self._opened.pop(key).root.close()
