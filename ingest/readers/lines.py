"""Lines of a text file, however long they are, in bounded memory."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from ingest.readers.reader import MAX_ROW_BYTES
from ingest.readers.source import Source, unreadable
from schemas import CatalogError

UTF8_BOM = codecs.BOM_UTF8
UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_BROKEN = "\udcff"
"""Stands for what did not decode. It becomes a byte that is no UTF-8, so that its line is rejected."""


def numbered_lines(source: Source, encoding: str = "utf-8") -> Iterator[tuple[int, bytes]]:
    """Each line as UTF-8 with its number, from 1, its line feed included; a leading mark is taken off.

    A line beyond ``MAX_ROW_BYTES`` is cut there, so it is longer than ``MAX_ROW_BYTES`` by one byte.

    Raises:
        CatalogError: the file cannot be opened or read, or is UTF-16 where that was not said.
    """
    with source.open() as file, unreadable(source.name):
        text = file if encoding == "utf-8" else recoded(file, encoding)
        for number, line in enumerate(_lines(text), start=1):
            if number == 1 and line.startswith(UTF16_BOMS):
                raise CatalogError(f"{source.name} is UTF-16; save it as UTF-8")
            yield number, line.removeprefix(UTF8_BOM) if number == 1 else line


def too_long(line: bytes) -> bool:
    return len(line) > MAX_ROW_BYTES


def recoded(file: BinaryIO, encoding: str) -> BinaryIO:
    """A file of another encoding as UTF-8."""
    return cast(BinaryIO, io.BufferedReader(_Recoder(file, encoding), 2**16))


class _Recoder(io.RawIOBase):
    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("storelens-broken")
        self._left = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        into = memoryview(buffer).cast("B")
        while not self._left and not self._ended:
            data = self._file.read(2**15)
            self._ended = not data
            self._left = self._decoder.decode(data, final=self._ended).encode("utf-8", "surrogateescape")
        size = min(len(into), len(self._left))
        into[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


codecs.register_error("storelens-broken", lambda error: (_BROKEN, error.end))  # type: ignore[attr-defined]


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(MAX_ROW_BYTES + 1):
        if too_long(line):
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(MAX_ROW_BYTES)
        yield line
