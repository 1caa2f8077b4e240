"""The pictures of a product, read, hashed and made ready for the encoder, by threads and decode processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog import OPAQUE, KeptPicture
from embedding import Pixels, Preparer, keep_freed_memory
from images import DecodePool, PictureLimits, Pictures, PictureStore, hash_bytes
from schemas import PictureError

MAX_PICTURES = 64
"""Of one product; those beyond are left out, and said to be."""

DECODE_SECONDS = 60.0
"""For one picture; the largest that limits allow takes a few."""


@dataclass(frozen=True, slots=True)
class Picture:
    """``pixels`` are those of the picture's views, ``(height, width, 3) uint8`` as the encoder wants them, or None
    where nobody asked for them."""

    kept: KeptPicture
    pixels: tuple[Pixels, ...] | None


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
        root: Pictures,
        store: PictureStore,
        decoders: DecodePool,
        preparer: Callable[[], Preparer] | None,
        views: int,
    ) -> None:
        self._root = root
        self._store = store
        self._decoders = decoders
        self._preparer = preparer
        self._views = views

    def load(
        self,
        sources: Sequence[str],
        inline: Mapping[str, bytes],
        known: Collection[KeptPicture],
        over: Callable[[], bool] | None = None,
    ) -> Loaded:
        """
        Args:
            inline: Pictures that came with the row, by source; kept in the store, since nobody else has them.
            known: Pictures whose vectors are at hand, so that no pixels are needed.
            over: Whether nobody waits for them any more.

        Raises:
            OSError: the store cannot keep a picture.
            ClientGone: nobody waits for them.
        """
        for data in inline.values():
            self._store.put(data)
        held = {picture.hash: picture for picture in known if picture.phash}
        pictures: list[Picture] = []
        errors: list[PictureError] = []
        if len(sources) > MAX_PICTURES:
            beyond = f"the product has {len(sources):,} pictures; the first {MAX_PICTURES} are searchable"
            errors.append(PictureError(beyond, field="images"))
        for at, source in enumerate(sources[:MAX_PICTURES]):
            try:
                pictures.append(self._picture(at, source, held, over))
            except PictureError as error:
                errors.append(error)
        return Loaded(tuple(pictures), tuple(errors))

    def _picture(
        self, at: int, source: str, held: Mapping[str, KeptPicture], over: Callable[[], bool] | None
    ) -> Picture:
        """Raises PictureError; OSError where what was fetched cannot be kept, which is not the picture's fault."""
        mark = self._root.mark(source)  # before reading: a change in between is then seen the next time
        data = self._root.read(source)
        hash = hash_bytes(data)
        same = held.get(hash)
        if same and not same.needs_ground(source):
            return Picture(replace(same, at=at, mark=mark), None)
        prepare = self._preparer() if self._preparer else None
        try:
            decoded = self._decoders.decode(data, prepare, self._views, over)
        except PictureError as error:
            self._root.doubt(source, error)
            raise
        kept = KeptPicture(at, hash, decoded.phash, mark, decoded.ground or OPAQUE)
        return Picture(kept, None if same and same.shows == kept.shows else decoded.pixels)


def decode_pool(workers: int | None = None, seconds: float = DECODE_SECONDS) -> DecodePool:
    """The processes of a job."""
    # One more than cores: while one waits for its next picture, another has one.
    return DecodePool(PictureLimits(), workers or (os.cpu_count() or 1) + 1, seconds, setup=keep_freed_memory)
