"""The images of a product, read, hashed and made ready for the encoder, by threads and decode processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog import OPAQUE, StoredImage
from embedding import Pixels, Preparer, keep_freed_memory
from images import DecodePool, ImageLimits, Images, ImageStore, hash_bytes
from schemas import ImageError

MAX_IMAGES = 64
"""Of one product; those beyond are left out, and said to be."""

DECODE_SECONDS = 60.0
"""For one image; the largest that limits allow takes a few."""


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """``state`` is what the index is to remember of it. ``pixels`` are those of its crops, ``(height, width, 3) uint8``
    as the encoder wants them, or None where nobody asked for them."""

    state: StoredImage
    pixels: tuple[Pixels, ...] | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """The usable images of a product, in its order, and what was wrong with the others."""

    images: tuple[PreparedImage, ...]
    errors: tuple[ImageError, ...]


class ImageLoader:
    """Reads each image once; keeps nothing between calls; any number of threads may call at once.

    Args:
        preparer: Asked when the first image is decoded; None where pixels are for nobody.
        crops_per_image: How many crops of each image are embedded, with the whole.
    """

    def __init__(
        self,
        root: Images,
        store: ImageStore,
        decoders: DecodePool,
        preparer: Callable[[], Preparer] | None,
        crops_per_image: int,
    ) -> None:
        self._root = root
        self._store = store
        self._decoders = decoders
        self._preparer = preparer
        self._crops_per_image = crops_per_image

    def version_tag(self, source: str) -> str | None:
        """What tells without reading an image whether it is another than before; None where nothing does."""
        return self._root.version_tag(source)

    def load(
        self,
        sources: Sequence[str],
        inline: Mapping[str, bytes],
        known: Collection[StoredImage],
        over: Callable[[], bool] | None = None,
    ) -> Loaded:
        """
        Args:
            inline: Images that came with the row, by source; kept in the store, since nobody else has them.
            known: Images whose vectors are at hand, so that no pixels are needed.
            over: Whether nobody waits for them any more.

        Raises:
            OSError: the store cannot keep an image.
            ClientGone: nobody waits for them.
        """
        for data in inline.values():
            self._store.put(data)
        stored = {image.hash: image for image in known if image.phash}
        images: list[PreparedImage] = []
        errors: list[ImageError] = []
        if len(sources) > MAX_IMAGES:
            beyond = f"the product has {len(sources):,} images; the first {MAX_IMAGES} are searchable"
            errors.append(ImageError(beyond, field="images"))
        for at, source in enumerate(sources[:MAX_IMAGES]):
            try:
                images.append(self._image(at, source, stored, over))
            except ImageError as error:
                errors.append(error)
        return Loaded(tuple(images), tuple(errors))

    def _image(
        self, at: int, source: str, stored: Mapping[str, StoredImage], over: Callable[[], bool] | None
    ) -> PreparedImage:
        """Raises ImageError; OSError where what was fetched cannot be kept, which is not the image's fault."""
        version_tag = self._root.version_tag(source)  # before reading: a change in between is then seen the next time
        data = self._root.read(source)
        hash = hash_bytes(data)
        same = stored.get(hash)
        if same and not same.needs_ground(source):
            return PreparedImage(replace(same, at=at, version_tag=version_tag), None)
        prepare = self._preparer() if self._preparer else None
        try:
            decoded = self._decoders.decode(data, prepare, self._crops_per_image, over)
        except ImageError as error:
            self._root.doubt(source, error)
            raise
        state = StoredImage(at, hash, decoded.phash, version_tag, decoded.ground or OPAQUE)
        return PreparedImage(state, None if same and same.shows == state.shows else decoded.pixels)


def decode_pool(workers: int | None = None, seconds: float = DECODE_SECONDS) -> DecodePool:
    """The processes of a job."""
    # One more than cores: while one waits for its next image, another has one.
    return DecodePool(ImageLimits(), workers or (os.cpu_count() or 1) + 1, seconds, setup=keep_freed_memory)
