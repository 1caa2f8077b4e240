"""How a table of text is written: its encoding, and what stands between its columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ingest.readers.encoding import encoding_name, file_encoding
from ingest.readers.lines import numbered_lines
from ingest.readers.source import Source

_DELIMITERS = ",;\t|"
_NAMED = frozenset(",;|:^~#")
_SAMPLE = 200
"""Lines that a delimiter is judged by."""


@dataclass(frozen=True, slots=True)
class TableFormat:
    """``skip`` lines stand before the header: the one with which Excel names the delimiter."""

    encoding: str
    delimiter: str
    skip: int = 0

    def __str__(self) -> str:
        between = "tabs" if self.delimiter == "\t" else repr(self.delimiter)
        return f"{encoding_name(self.encoding)}, {between} between columns"


def table_format(source: Source, delimiter: str | None = None, encoding: str | None = None) -> TableFormat:
    """Raises CatalogError where the file cannot be read, or its encoding is not certain.

    Args:
        delimiter: What the file's name or an option says.
        encoding: What an option says.
    """
    encoding = file_encoding(source, encoding)
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
