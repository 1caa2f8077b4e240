"""Small pictures of pictures that may be broken, made by a process that may die of them."""

from __future__ import annotations

import multiprocessing
import resource
import signal
from io import BytesIO
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from PIL import ImageFile

from catalog import PictureLimits, decode_picture

SIDE = 200
"""Pixels of a thumbnail's longer side: sharp at half that on a phone."""

MEDIA_TYPE = "image/webp"

_PATIENCE = 10.0
"""Seconds for one picture, the start of the process included."""

_MEMORY = 4 * 2**30


class Thumbnails:
    """Calls are answered one by one; the process starts with the first and starts again where one killed it."""

    def __init__(self, limits: PictureLimits) -> None:
        self._limits = limits
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def __call__(self, picture: bytes) -> bytes | None:
        """WebP, at most ``SIDE`` pixels wide and high, of as much as decodes; None where nothing does."""
        pipe = self._pipe or self._start()
        try:
            pipe.send_bytes(picture)
            if pipe.poll(_PATIENCE):
                return pipe.recv_bytes() or None
        except (OSError, EOFError):  # it died
            pass
        self.close()
        return None

    def close(self) -> None:
        if self._pipe is not None and self._process is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
            self._process.close()
        self._pipe = self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        self._pipe, its_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(its_end, self._limits), name="thumbnails", daemon=True)
        self._process.start()
        its_end.close()  # so that its death is seen
        return self._pipe


def _serve(pipe: Connection, limits: PictureLimits) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the job tells when it is over
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY if most == resource.RLIM_INFINITY else min(_MEMORY, most), most))
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # the part that is there is what people look for
    while True:
        try:
            picture = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send_bytes(_thumbnail(picture, limits))


def _thumbnail(picture: bytes, limits: PictureLimits) -> bytes:
    """Empty where nothing of the picture decodes."""
    small = BytesIO()
    try:
        image = decode_picture(picture, limits)
        image.thumbnail((SIDE, SIDE))
        image.save(small, "WEBP", quality=70)
    except Exception:  # memory errors too: whatever it is, there is no thumbnail
        return b""
    return small.getvalue()
