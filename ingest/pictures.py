"""The pictures of a product, read, hashed and made ready for the encoder, in the threads that do so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from PIL import Image

from catalog import PictureLimits, PictureRoot, decode_picture, hash_bytes
from embedding import Encoder, Pixels
from schemas import PictureDamaged, PictureError

MAX_PICTURES = 64
"""Of one product; those beyond are left out, and said to be."""


@dataclass(frozen=True, slots=True)
class Picture:
    """``pixels`` is ``(height, width, 3) uint8`` as the encoder wants it, or None where nobody asked for it."""

    hash: str
    pixels: Pixels | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """The usable pictures of a product, in its order, and what was wrong with the others."""

    pictures: tuple[Picture, ...]
    errors: tuple[PictureError, ...]


class PictureLoader:
    """Reads each file once; keeps nothing between calls; any number of threads may call at once."""

    def __init__(self, root: PictureRoot, limits: PictureLimits, encoder: Callable[[], Encoder]) -> None:
        self._root = root
        self._limits = limits
        self._encoder = encoder

    def load(self, sources: Sequence[str], known: Collection[str]) -> Loaded:
        """Args: ``known`` has hashes of pictures whose vectors are at hand, so that no pixels are needed."""
        pictures: list[Picture] = []
        errors: list[PictureError] = []
        if len(sources) > MAX_PICTURES:
            beyond = f"the product has {len(sources):,} pictures; the first {MAX_PICTURES} are searchable"
            errors.append(PictureError(beyond, field="images"))
        for source in sources[:MAX_PICTURES]:
            try:
                hash, image = self._decode(source, known)
            except Exception as error:
                errors.append(_picture_error(source, error))
                continue
            if image is None:
                pictures.append(Picture(hash, None))
                continue
            prepare = self._encoder().prepare_image  # an encoder that does not load is no picture's fault
            try:
                pictures.append(Picture(hash, prepare(image)))
            except Exception as error:
                errors.append(_picture_error(source, error))
        return Loaded(tuple(pictures), tuple(errors))

    def _decode(self, source: str, known: Collection[str]) -> tuple[str, Image.Image | None]:
        data = self._root.read(source)
        hash = hash_bytes(data)
        return hash, None if hash in known else decode_picture(data, self._limits)


def _picture_error(source: str, error: Exception) -> PictureError:
    """Whatever a poisoned file does to a decoder, memory errors included, it is one picture's."""
    if isinstance(error, PictureError):
        return error
    return PictureDamaged(f"{source} cannot be decoded: {type(error).__name__}: {error}", field="image")
