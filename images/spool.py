"""Parts of an open file, each read as a file of its own, by any number of threads."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from typing import IO, Any, BinaryIO, cast

_CHUNK = 2**20


class _FileSlice(io.RawIOBase):
    """``size`` bytes of a file from ``start``. A position of its own: the file's is never moved."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file = file  # held, so that the descriptor stays open
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        into = memoryview(buffer).cast("B")[: max(0, self._size - self._at)]
        if not into:
            return 0
        read = os.preadv(self._file.fileno(), [into], self._start + self._at)
        self._at += read
        return read

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence])
        return self._at

    def tell(self) -> int:
        return self._at


def file_slice(file: IO[bytes], start: int = 0, size: int | None = None) -> BinaryIO:
    """A reader of ``size`` bytes of an open file, or of all from ``start``."""
    if size is None:
        size = max(0, os.fstat(file.fileno()).st_size - start)
    return cast(BinaryIO, io.BufferedReader(_FileSlice(file, start, size), 2**16))


def spool(source: IO[bytes], max_bytes: int | None = None) -> IO[bytes]:
    """A copy in a temporary file without a name: it is gone with its last reader, however that ends.

    Raises:
        OverflowError: there is more than ``max_bytes``.
        OSError: it cannot be read, or there is no room.
    """
    copy = tempfile.TemporaryFile(prefix="storelens-")  # noqa: SIM115 - it outlives this call
    try:
        if max_bytes is None:
            shutil.copyfileobj(source, copy, _CHUNK)
        else:
            while chunk := source.read(_CHUNK):
                if copy.tell() + len(chunk) > max_bytes:
                    raise OverflowError(f"more than {max_bytes:,} bytes")
                copy.write(chunk)
        copy.flush()
    except BaseException:
        copy.close()
        raise
    return copy
