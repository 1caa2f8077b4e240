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

BLANK = b" \t\r\n\f\v"

_BUFFER = 2**18
_BROKEN = "\udcff"
"""Stands for what did not decode. It becomes a byte that is no UTF-8, so that its line is rejected."""


def numbered_lines(
    source: Source, encoding: str = "utf-8", *, longest: int = MAX_ROW_BYTES, blank: bytes = BLANK
) -> Iterator[tuple[int, bytes]]:
    """Each line as UTF-8 with its number, from 1, its line feed included; a leading mark is taken off.

    Args:
        longest: A line beyond so many bytes is cut there, so it is longer than that by one byte.
        blank: Lines of nothing but these bytes come many at once, as one: a gigabyte of them is soon through.

    Raises:
        CatalogError: the file cannot be opened or read.
    """
    number = 1
    with source.open() as file, unreadable(source.name):
        text = file if encoding == "utf-8" else recoded(file, encoding)
        for line in _lines(text, longest, blank):
            yield number, line.removeprefix(UTF8_BOM) if number == 1 else line
            number += line.count(b"\n") or 1


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


def _lines(file: BinaryIO, longest: int, blank: bytes) -> Iterator[bytes]:
    lines = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, file), _BUFFER)
    while line := lines.readline(longest + 1):
        if len(line) > longest:
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = lines.readline(longest)
                if line.isspace() and not rest.isspace():
                    line = rest.rjust(longest + 1)  # not blank after all
        elif line[0] in blank and not line.strip(blank):
            while len(line) < _BUFFER and (more := _blank_lines(lines.peek(), blank)):
                line += lines.read(more)
        yield line


def _blank_lines(ahead: bytes, blank: bytes) -> int:
    """How many bytes the blank lines take that something begins with."""
    rest = ahead.lstrip() if blank == BLANK else ahead.lstrip(blank)  # without arguments six times as fast
    return ahead.rfind(b"\n", 0, len(ahead) - len(rest)) + 1
