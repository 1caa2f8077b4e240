"""Small images of images that may be broken, made by a process that may die of them."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from types import TracebackType
from typing import Self

from PIL import ImageFile

from images.decode import decode_image
from images.decode_pool import DecodePool
from images.limits import ImageLimits
from schemas import StoreLensError

SIDE = 200
"""Pixels of a thumbnail's longer side: sharp at half that on a phone."""

MEDIA_TYPE = "image/webp"

_SECONDS = 10.0
"""For one image."""


class Thumbnails:
    """Calls are answered one by one."""

    def __init__(self, limits: ImageLimits, seconds: float = _SECONDS) -> None:
        self._limits = limits
        self._pool = DecodePool(limits, workers=1, seconds=seconds, setup=_take_what_there_is)

    def __call__(self, image: bytes) -> bytes | None:
        """WebP, at most ``SIDE`` pixels wide and high, of as much as decodes; None where nothing does."""
        try:
            return self._pool.run(partial(_thumbnail, image, self._limits))
        except StoreLensError:
            return None

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _take_what_there_is() -> None:
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # the part that is there is what people look for


def _thumbnail(data: bytes, limits: ImageLimits) -> bytes | None:
    small = BytesIO()
    try:
        image = decode_image(data, limits)
        image.thumbnail((SIDE, SIDE))
        image.save(small, "WEBP", quality=70)
    except Exception:  # memory errors too: whatever it is, there is no thumbnail
        return None
    return small.getvalue()
