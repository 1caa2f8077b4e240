"""Images of products, for showing: from where the catalog has them, or as they were when they were fetched."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from api.clients import Gone
from api.settings import ApiSettings
from catalog import image_sources, stored_image_hash
from images import (
    DecodePool,
    ImageLimits,
    ImageRoot,
    ImageStore,
    browser_format,
    browser_image,
    is_kept,
    is_remote,
    locate_image,
    open_root,
    split_location,
)
from index import CatalogIndex
from schemas import (
    ClientGone,
    ImageError,
    ImageOutsideCatalog,
    Overloaded,
    ProductImageNotFound,
    Shared,
    StoreLensError,
)

log = logging.getLogger("storelens.api")


MAX_ROOTS = 8
"""Catalogs that are kept open: an archive takes a while to look through."""

LOOKED_AT = 1_000
"""Products whose images are looked for when a generation begins to serve: chosen by the hashes of their ids."""

OUTSIDE = (
    "they lie outside the catalog's folder, in one that is not named here: set STORELENS_PICTURE_FOLDERS as it was for "
    "the job that ingested them"
)
ABSENT = "they are not where they were ingested from: is their folder here, and may this program read it?"
NOT_KEPT = "they came from URLs or inside the catalog, and the job's DATA_DIR/pictures is not this server's: share it"


class ProductImages:
    """Nothing is fetched to be shown. Threads may call at once."""

    def __init__(self, settings: ApiSettings, limits: ImageLimits, decoders: DecodePool) -> None:
        self._store = ImageStore(settings.data_dir / "pictures")
        self._folders = settings.picture_folders
        self._limits = limits
        self._decoders = decoders
        self.notices: list[str] = []
        """Why images of the generation that serves are not shown."""
        self._opened: dict[tuple[str, str], Shared[ImageRoot]] = {}
        self._lock = threading.Lock()

    def show(
        self, payload: Mapping[str, Any], number: int, generation: str, gone: Gone | None = None
    ) -> tuple[bytes, str]:
        """A product's image of that number, from 0, as browsers show it, and its media type.

        Args:
            generation: That the payload is of; with another one, archives are opened anew.

        Raises:
            ProductImageNotFound: there is none, or none any more.
            Overloaded, ClientGone: as ``DecodePool.run``, where browsers do not know its format.
        """
        sources = image_sources(payload)
        if not 0 <= number < len(sources):
            raise ProductImageNotFound(f"the product has {len(sources)} images, counted from 0; there is no {number}")
        try:
            if is_kept(sources[number]):
                data = self._kept(payload, number)
            else:
                with self._root(payload["root"], generation) as root:
                    # The path was safe when it was ingested; what lies there now may have been replaced by a link.
                    data = root.read(sources[number])
            media_type = browser_format(data)
            if media_type is not None:
                return data, media_type
            return self._decoders.run(partial(browser_image, data, self._limits), gone), "image/jpeg"
        except (ProductImageNotFound, Overloaded, ClientGone):
            raise
        except StoreLensError as error:
            raise ProductImageNotFound(f"the image was ingested, but cannot be read now: {error.code}") from error

    def look_for(self, index: CatalogIndex) -> None:
        """See whether images of a generation that begins to serve are there, without reading them, and say why not.

        Only files and what is kept are looked for: archives and object storage may be far away.
        """
        wanted = ("root", "product.image", "product.images", "pictures")
        try:
            payloads = index.payloads(index.scan(None, LOOKED_AT), wanted).values()
        except StoreLensError:  # an engine that is away is said elsewhere
            return
        found = [self._missing(payload, image["at"]) for payload in payloads for image in payload.get("pictures", ())]
        missing = Counter(reason for reason in found if reason)
        self.notices = [
            f"{count:,} of {len(found):,} images that were looked for when this index was opened cannot be shown: "
            f"{reason}"
            for reason, count in missing.items()
        ]
        for notice in self.notices:
            log.warning("%s", notice)

    def close(self) -> None:
        with self._lock:
            for opened in self._opened.values():
                opened.release()
            self._opened.clear()

    def _kept(self, payload: Mapping[str, Any], number: int) -> bytes:
        hash = stored_image_hash(payload, number)
        data = None if hash is None else self._store.get(hash)
        if data is None:
            raise ProductImageNotFound("the image is not kept on this server")
        return data

    def _missing(self, payload: Mapping[str, Any], number: int) -> str | None:
        """Why an image that was ingested cannot be shown; None where it can, or where that costs too much to tell."""
        source, root = image_sources(payload)[number], payload["root"]
        if is_kept(source):
            hash = stored_image_hash(payload, number)
            return None if hash and self._store.has(hash) else NOT_KEPT
        if source.startswith("/") and not any(Path(source).is_relative_to(folder) for folder in self._folders):
            return OUTSIDE
        if is_remote(root) or split_location(root):
            return None
        try:
            path = locate_image(Path(root), source, self._folders)
        except ImageOutsideCatalog:
            return OUTSIDE
        except ImageError:
            return ABSENT
        return None if os.access(path, os.R_OK) else ABSENT

    @contextmanager
    def _root(self, root: str, generation: str) -> Iterator[ImageRoot]:
        with ExitStack() as held:
            with self._lock:
                opened = self._opened.pop((root, generation), None)
                if opened is None:
                    images = open_root(root, self._limits, self._folders)
                    opened = Shared(images, images.close)
                self._opened[root, generation] = opened  # behind all others: the order says how long ago
                images = held.enter_context(opened.used())
                while len(self._opened) > MAX_ROOTS:
                    self._opened.pop(next(iter(self._opened))).release()
            yield images
