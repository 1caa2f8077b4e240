"""Small images of products and of query images, as data: URIs."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from catalog import image_sources, points_of, stored_image_hash
from images import MEDIA_TYPE, ImageLimits, ImageRoot, ImageSettings, ImageStore, Thumbnails, is_kept, open_root
from index import CatalogIndex
from schemas import StoreLensError

_SECONDS = 60.0
"""For all images of a page: one is not to wait for storage that stalls."""


class FileImages:
    """Of files. What cannot be shown is None."""

    def __init__(self) -> None:
        self._limits = ImageLimits()
        self._held = ExitStack()
        self._thumbnails = self._held.enter_context(Thumbnails(self._limits))
        self._until = time.monotonic() + _SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def file(self, path: Path) -> str | None:
        try:
            return self._small(path.read_bytes()) if time.monotonic() < self._until else None
        except OSError:
            return None

    def _small(self, data: bytes) -> str | None:
        small = self._thumbnails(data)
        return None if small is None else f"data:{MEDIA_TYPE};base64,{base64.b64encode(small).decode()}"


class ReportImages(FileImages):
    """Of the products of an index as well. Nothing is fetched."""

    def __init__(self, index: CatalogIndex, data_dir: Path) -> None:
        super().__init__()
        self._index = index
        self._store = ImageStore(data_dir / "pictures")
        self._folders = ImageSettings().picture_folders
        self._roots: dict[str, ImageRoot] = {}
        self._made: dict[str, str | None] = {}
        self._titles: dict[str, str] = {}

    def products(self, ids: Sequence[str]) -> list[tuple[str, str, str | None]]:
        """Id, title and image of each."""
        missing = [id for id in dict.fromkeys(ids) if id not in self._titles]
        stored = self._index.fetch([point for id in missing for point in points_of(id)])
        payloads = {point.payload["id"]: point.payload for point in stored.values()}
        for id in missing:
            payload = payloads.get(id, {})
            self._titles[id] = str(payload.get("product", {}).get("title") or id)
            self._made[id] = self._first(payload) if payload and time.monotonic() < self._until else None
        return [(id, self._titles[id], self._made[id]) for id in ids]

    def _first(self, payload: dict[str, Any]) -> str | None:
        """A product's first image that can be shown."""
        for number, source in enumerate(image_sources(payload)):
            try:
                if is_kept(source):
                    hash = stored_image_hash(payload, number)
                    data = self._store.get(hash) if hash else None
                else:
                    data = self._root(payload["root"]).read(source)
            except (StoreLensError, OSError, ValueError):
                continue
            if data and (small := self._small(data)):
                return small
        return None

    def _root(self, root: str) -> ImageRoot:
        if root not in self._roots:
            opened = open_root(root, self._limits, self._folders)
            self._held.callback(opened.close)
            self._roots[root] = opened
        return self._roots[root]
