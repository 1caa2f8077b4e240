"""gzip and zstd: told by the end of a name, read as a stream."""

from __future__ import annotations

import gzip
import importlib
import sys
import zipfile
import zlib
from typing import Any, BinaryIO, Self, cast

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


def decompressed(file: BinaryIO, kind: str) -> BinaryIO:
    """What a compressed file holds; closing it closes the file. Reading raises ``DAMAGED``."""
    stream: Any = gzip.GzipFile(fileobj=file) if kind == "gzip" else _zstd.ZstdFile(file)
    return cast(BinaryIO, _Owner(stream, file))


class _Owner:
    """A stream that closes what it reads from."""

    def __init__(self, stream: Any, owned: BinaryIO) -> None:
        self._stream = stream
        self._owned = owned
        self.read = stream.read
        self.readline = stream.readline

    def close(self) -> None:
        self._stream.close()
        self._owned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
