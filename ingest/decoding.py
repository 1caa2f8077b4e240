"""Pictures decoded in processes of their own.

A file made to hurt takes down its decoder, or keeps it busy for ever, and not the job: the process is
replaced, and the picture is a reject. Pebble does what the standard library's pool does not: it ends
a task at its deadline, and outlives a worker's death.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as DeadlineExceeded
from dataclasses import dataclass
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Self

from pebble import ProcessExpired, ProcessPool
from PIL import Image

from catalog import PictureLimits, crops, decode_picture, perceptual_hash
from embedding import Pixels
from schemas import PictureDamaged

Prepare = Callable[[Image.Image], Pixels]
"""An encoder's ``preparer``: pickled with every task, so it is small."""

SECONDS = 60.0
"""For one picture; the largest that limits allow takes a few."""

ATTEMPTS = 3
"""Workers that may die over a picture before it is held to be the reason: one may be killed for another's memory."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """``pixels`` are ``views`` arrays ``(height, width, 3) uint8`` as the encoder wants them, or none where nobody
    asked for them."""

    pixels: tuple[Pixels, ...]
    phash: str


class DecodePool:
    """Worker processes, started with the first picture; any number of threads may ask at once."""

    def __init__(self, workers: int | None = None, seconds: float = SECONDS) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._seconds = seconds
        self._lock = threading.Lock()
        self._pool: Any = None

    def decode(self, data: bytes, limits: PictureLimits, prepare: Prepare | None, views: int) -> Decoded:
        """Waits for the picture.

        Raises:
            PictureError: as ``decode_picture``; PictureDamaged where decoders die of it or do not end.
        """
        for _ in range(ATTEMPTS):
            task = self._started().schedule(_decode, args=[data, limits, prepare, views], timeout=self._seconds)
            try:
                decoded: Decoded = task.result()
                return decoded
            except ProcessExpired as error:
                died = error
            except DeadlineExceeded as error:
                raise PictureDamaged(f"the picture is not decoded within {self._seconds:g} s", field="image") from error
        raise PictureDamaged(f"decoders die of the picture (exit {died.exitcode})", field="image") from died

    def close(self) -> None:
        """End the workers, busy or not."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()
            pool.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> Any:
        with self._lock:
            if self._pool is None:
                # Spawned: a fork would inherit locks of threads that are not there, and the index's files.
                self._pool = ProcessPool(max_workers=self._workers, context=get_context("spawn"))
            return self._pool


def _decode(data: bytes, limits: PictureLimits, prepare: Prepare | None, views: int) -> Decoded:
    image = decode_picture(data, limits)
    phash = perceptual_hash(image)
    return Decoded(tuple(prepare(view) for view in crops(image, views)) if prepare else (), phash)
