"""Lines of a text file, however long they are, in bounded memory."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from ingest.readers.reader import MAX_ROW_BYTES
from ingest.readers.source import Source, unreadable
from schemas import RowUnreadable

UTF8_BOM = codecs.BOM_UTF8
UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_BROKEN = "\udcff"
"""Stands for what did not decode. It becomes a byte that is no UTF-8, so that its line is rejected."""


def numbered_lines(source: Source, encoding: str = "utf-8") -> Iterator[tuple[int, bytes]]:
    """Each line as UTF-8 with its number, from 1, its line feed included; a leading mark is taken off.

    A line beyond ``MAX_ROW_BYTES`` is cut there, so it is longer than ``MAX_ROW_BYTES`` by one byte.

    Raises:
        CatalogError: the file cannot be opened or read.
    """
    with source.open() as file, unreadable(source.name):
        text = file if encoding == "utf-8" else recoded(file, encoding)
        for number, line in enumerate(_lines(text), start=1):
            yield number, line.removeprefix(UTF8_BOM) if number == 1 else line


def too_long(line: bytes) -> bool:
    return len(line) > MAX_ROW_BYTES


def decoded(line: bytes) -> str:
    """The text of a line that ``numbered_lines`` gave. Raises RowUnreadable where it is none."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = f"the line is not in the encoding of the file: byte {error.start + 1} is {line[error.start]:#04x}"
        raise RowUnreadable(f"{wrong}; where the file has another, --encoding names it") from error


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
