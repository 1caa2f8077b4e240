"""gzip and zstd: recognised by the end of a file's name, read as a stream."""

from __future__ import annotations

import gzip
import importlib
import io
import sys
import zipfile
import zlib
from typing import Any, BinaryIO, cast

MAX_EXPANSION = 200
MAX_ANYWAY = 2**28
"""What is unpacked may grow to this many times its size, or to this many bytes: images hardly compress, and text
does so twenty times; what grows more is there to fill memory, the disk, or the night."""

_BUFFER = 2**18

SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}

# In the standard library from Python 3.14 on.
_zstd = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

DAMAGED: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, _zstd.ZstdError)
"""What reading raises where a stream breaks off or is no such stream, of an archive's member too."""


def compression_of(name: str) -> str | None:
    """``gzip``, ``zstd`` or None, by a file's name."""
    return next((kind for suffix, kind in SUFFIXES.items() if name.lower().endswith(suffix)), None)


def compression_of_bytes(head: bytes) -> str | None:
    """The same by its first bytes."""
    return "gzip" if head.startswith(b"\x1f\x8b") else "zstd" if head.startswith(b"\x28\xb5\x2f\xfd") else None


def decompressed(file: BinaryIO, kind: str, *, bounded: bool = False) -> BinaryIO:
    """What a compressed file holds; closing it closes the file. Reading raises ``DAMAGED``.

    Args:
        bounded: Reading also raises OSError, once it has grown beyond ``MAX_EXPANSION``.
    """
    stream: Any = gzip.GzipFile(fileobj=file) if kind == "gzip" else _zstd.ZstdFile(file)
    return cast(BinaryIO, io.BufferedReader(_Unpacked(stream, file, bounded), _BUFFER))


class _Unpacked(io.RawIOBase):
    """A stream that closes what it reads from."""

    def __init__(self, stream: Any, packed: BinaryIO, bounded: bool) -> None:
        self._stream = stream
        self._packed = packed
        self._bounded = bounded
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        read: int = self._stream.readinto(buffer)
        self._size += read
        if self._bounded and self._size > max(MAX_ANYWAY, MAX_EXPANSION * self._packed.tell()):
            raise OSError(
                f"it unpacks to more than {MAX_EXPANSION} times its size, which no catalog does; unpack it yourself"
            )
        return read

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._packed.close()
        super().close()
