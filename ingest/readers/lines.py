"""Lines of a text file, however long they are, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ingest.readers.reader import MAX_ROW_BYTES
from schemas import CatalogError

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each line with its number, from 1, its line feed included; a leading UTF-8 mark is taken off.

    A line beyond ``MAX_ROW_BYTES`` is cut there, so it is longer than ``MAX_ROW_BYTES`` by one byte.

    Raises:
        CatalogError: the file cannot be opened or read, or is UTF-16.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file), start=1):
                if number == 1 and line.startswith(_UTF16_BOMS):
                    raise CatalogError(f"{path} is UTF-16; save it as UTF-8")
                yield number, line.removeprefix(_UTF8_BOM) if number == 1 else line
    except OSError as error:
        raise CatalogError(f"cannot read {path}: {error.strerror}") from error


def too_long(line: bytes) -> bool:
    return len(line) > MAX_ROW_BYTES


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(MAX_ROW_BYTES + 1):
        if too_long(line):
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(MAX_ROW_BYTES)
        yield line
