"""The pictures of a product, read, hashed and made ready for the encoder, by threads and decode processes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from catalog import KeptPicture, PictureLimits, PictureRoot, PictureStore, hash_bytes
from embedding import Pixels, Preparer
from ingest.decoding import DecodePool
from schemas import PictureDamaged, PictureError

MAX_PICTURES = 64
"""Of one product; those beyond are left out, and said to be."""


@dataclass(frozen=True, slots=True)
class Picture:
    """``pixels`` are those of the picture's views, ``(height, width, 3) uint8`` as the encoder wants them, or None
    where nobody asked for them."""

    kept: KeptPicture
    pixels: tuple[Pixels, ...] | None

    @property
    def hash(self) -> str:
        return self.kept.hash


@dataclass(frozen=True, slots=True)
class Loaded:
    """The usable pictures of a product, in its order, and what was wrong with the others."""

    pictures: tuple[Picture, ...]
    errors: tuple[PictureError, ...]


class PictureLoader:
    """Reads each picture once; keeps nothing between calls; any number of threads may call at once.

    Args:
        preparer: Asked when the first picture is decoded; None where pixels are for nobody.
    """

    def __init__(
        self,
        root: PictureRoot,
        store: PictureStore,
        limits: PictureLimits,
        decoders: DecodePool,
        preparer: Callable[[], Preparer] | None,
        views: int,
    ) -> None:
        self._root = root
        self._store = store
        self._limits = limits
        self._decoders = decoders
        self._preparer = preparer
        self._views = views

    def load(self, sources: Sequence[str], inline: Mapping[str, bytes], known: Collection[KeptPicture]) -> Loaded:
        """
        Args:
            inline: Pictures that came with the row, by source; kept in the store, since nobody else has them.
            known: Pictures whose vectors are at hand, so that no pixels are needed.

        Raises:
            OSError: the store cannot keep a picture.
        """
        for data in inline.values():
            self._store.put(data)
        held = {picture.hash: picture.phash for picture in known if picture.phash}
        pictures: list[Picture] = []
        errors: list[PictureError] = []
        if len(sources) > MAX_PICTURES:
            beyond = f"the product has {len(sources):,} pictures; the first {MAX_PICTURES} are searchable"
            errors.append(PictureError(beyond, field="images"))
        for at, source in enumerate(sources[:MAX_PICTURES]):
            try:
                mark = self._root.mark(source)  # before reading: a change in between is then seen the next time
                data = self._root.read(source)
            except Exception as error:
                errors.append(_picture_error(source, error))
                continue
            hash = hash_bytes(data)
            if hash in held:
                pictures.append(Picture(KeptPicture(at, hash, held[hash], mark), None))
                continue
            prepare = (
                self._preparer() if self._preparer else None
            )  # an encoder that does not load is no picture's fault
            try:
                decoded = self._decoders.decode(data, self._limits, prepare, self._views)
            except Exception as error:
                errors.append(_picture_error(source, error))
                continue
            pictures.append(Picture(KeptPicture(at, hash, decoded.phash, mark), decoded.pixels))
        return Loaded(tuple(pictures), tuple(errors))


def _picture_error(source: str, error: Exception) -> PictureError:
    """Whatever a poisoned file does to a decoder, memory errors included, it is one picture's."""
    if isinstance(error, PictureError):
        return error
    return PictureDamaged(f"{source[:200]} cannot be decoded: {type(error).__name__}: {error}", field="image")
