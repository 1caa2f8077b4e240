"""How a table of text is written: its encoding, and what stands between its columns."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ingest.readers.lines import UTF16_BOMS, numbered_lines
from ingest.readers.source import Source, unreadable

_DELIMITERS = ",;\t|"
_NAMED = frozenset(",;|:^~#")
_NAMES = {"\t": "tabs", "utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}
_SAMPLE = 200
"""Lines that a delimiter is judged by."""

_SENSELESS = frozenset("ÐÝÞðýþÿ¦¨¬¯¶¹÷ƒ†‡‰\u00ad\u00b8\u02c6\u02dc\ufffd")
"""What hardly anybody writes, of the letters of Windows-1252; damaged UTF-8 is full of them."""


@dataclass(frozen=True, slots=True)
class TableFormat:
    """``skip`` lines stand before the header: the one with which Excel names the delimiter."""

    encoding: str
    delimiter: str
    skip: int = 0

    def __str__(self) -> str:
        between = _NAMES.get(self.delimiter, repr(self.delimiter))
        return f"{_NAMES[self.encoding]}, {between} between columns"


def table_format(source: Source, delimiter: str | None = None) -> TableFormat:
    """Raises CatalogError where the file cannot be read. ``delimiter``: what the file's name or an option says."""
    encoding = _encoding(source)
    lines = list(islice(_decoded(source, encoding), _SAMPLE))
    if lines and (first := lines[0].strip()).lower().startswith("sep=") and first[4:] in _NAMED:
        return TableFormat(encoding, first[4], skip=1)
    if lines and lines[0].lower().rstrip("\r\n") == "sep=\t":
        return TableFormat(encoding, "\t", skip=1)
    return TableFormat(encoding, _delimiter(lines, delimiter))


def _decoded(source: Source, encoding: str) -> Iterator[str]:
    for _, line in numbered_lines(source, encoding):
        if line.strip():
            yield line.decode("utf-8", "replace").replace("\0", "")


def _delimiter(lines: list[str], preferred: str | None) -> str:
    """The one that cuts the most lines into as many cells as the header has, the more cells the better."""
    if preferred and lines and preferred in lines[0]:
        return preferred
    best, best_rank = ",", (0.0, 1)
    for delimiter in _DELIMITERS:
        widths = _widths(lines, delimiter)
        if not widths or widths[0] < 2:
            continue
        alike = sum(width == widths[0] for width in widths) / len(widths)
        if (rank := (round(alike, 1), widths[0])) > best_rank:
            best, best_rank = delimiter, rank
    return best


def _widths(lines: list[str], delimiter: str) -> list[int]:
    try:
        return [len(cells) for cells in csv.reader(lines, delimiter=delimiter)]
    except csv.Error:  # a bare carriage return, a cell beyond all bounds
        return [len(lines[0].split(delimiter))]


def _encoding(source: Source) -> str:
    """UTF-8, UTF-16 where a mark says so, or the encoding of Western spreadsheets.

    It is decided over the whole file: lines that are no UTF-8, among as many or more that are by letters
    beyond ASCII, are broken ones, and so are those that make no sense in Windows-1252.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with source.open() as file, unreadable(source.name):
        head = file.read(2**16)
        if head.startswith(UTF16_BOMS):
            return "utf-16"
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8"
        try:
            while head:
                decoder.decode(head)
                head = file.read(2**20)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _other_encoding(source)
    return "utf-8"


def _other_encoding(source: Source) -> str:
    utf8 = other = senseless = 0
    for _, line in numbered_lines(source):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            utf8 += 1
        except UnicodeDecodeError:
            other += 1
            senseless += not _SENSELESS.isdisjoint(line.decode("cp1252", "replace"))
    return "utf-8" if utf8 >= other or 2 * senseless > other else "cp1252"
