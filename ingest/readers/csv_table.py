"""CSV: a header row of column names, commas, UTF-8 with or without a byte order mark.

Cells are text, so what they mean is decided here, once for a whole column:

- an empty cell is an absent value;
- ``price`` is a number, ``in_stock`` is true, false, yes, no, 1 or 0;
- ``images``, ``tags`` and ``color`` are lists: a JSON array, or values with ``|`` between them;
- the other columns of the contract are text;
- any other column is whole numbers, numbers, or true and false when every one of its cells is, and
  text otherwise. Digits behind a zero, as in ``007``, are text.

A column without a name is left out.
"""

from __future__ import annotations

import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from ingest.readers.lines import numbered_lines, too_long
from ingest.readers.reader import MAX_ROW_BYTES, Reader, Row
from ingest.rejects import rejection
from schemas import STANDARD_COLUMNS, CatalogError, Rejection, RowUnreadable

Cells = list[str]

_LISTS = frozenset({"images", "tags", "color"})
_BOOLS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")


class CsvReader(Reader):
    """A row of too many or too few cells, or of broken quotes, is rejected and costs no other row."""

    def rows(self) -> Iterator[Row | Rejection]:
        convert = self._converters
        for line, cells in self._records():
            if isinstance(cells, Rejection):
                yield cells
            else:
                pairs = zip(self._header, cells, strict=True)
                yield Row(line, {name: convert[name](cell) for name, cell in pairs if name and cell.strip()})

    @cached_property
    def _header(self) -> Cells:
        first = next(_records(self.path), None)
        if first is None:
            raise CatalogError(f"{self.path} is empty; its first row must name the columns")
        _, cells = first
        if isinstance(cells, Rejection):
            raise CatalogError(f"the first row of {self.path} must name the columns, and {cells.reason}")
        names = [name.strip() for name in cells]
        if "id" not in names:
            raise CatalogError(f"{self.path} has no column `id`; its columns, between commas, are {names[:20]}")
        twice = sorted({name for name in names if name and names.count(name) > 1})
        if twice:
            raise CatalogError(f"{self.path} has more than one column named {', '.join(twice)}; rename them")
        return names

    def _records(self) -> Iterator[tuple[int, Cells | Rejection]]:
        width = len(self._header)
        records = _records(self.path)
        next(records)  # the header
        for line, cells in records:
            if isinstance(cells, list) and len(cells) != width:
                wrong = RowUnreadable(f"the row has {len(cells)} cells, and the header names {width} columns")
                yield line, rejection(line, wrong, cells)
            else:
                yield line, cells

    @cached_property
    def _converters(self) -> dict[str, Callable[[str], Any]]:
        """How each column's cells are read. Looks through the file once where that is for its cells to say."""
        free = {name: _FreeColumn() for name in self._header if name and name not in STANDARD_COLUMNS}
        if free:
            for _, cells in self._records():
                if not isinstance(cells, Rejection):
                    for name, cell in zip(self._header, cells, strict=True):
                        if name in free:
                            free[name].see(cell.strip())
        standard = {name: _standard_converter(name) for name in self._header if name in STANDARD_COLUMNS}
        return standard | {name: column.converter() for name, column in free.items()}


class _FreeColumn:
    """The narrowest type that every cell of a column has."""

    def __init__(self) -> None:
        self.integer = self.number = self.boolean = True

    def see(self, cell: str) -> None:
        if cell:
            self.integer = self.integer and _INTEGER.fullmatch(cell) is not None
            self.number = self.number and _NUMBER.fullmatch(cell) is not None
            self.boolean = self.boolean and cell.lower() in ("true", "false")

    def converter(self) -> Callable[[str], Any]:
        if self.integer:
            return int
        if self.number:
            return float
        return _bool if self.boolean else str


def _standard_converter(name: str) -> Callable[[str], Any]:
    if name in _LISTS:
        return _list
    return {"price": _number, "in_stock": _bool}.get(name, str)


# What does not fit stays text: whoever makes a product of the row says what is wrong with it.


def _number(cell: str) -> Any:
    return float(cell) if _NUMBER.fullmatch(cell.strip()) else cell


def _bool(cell: str) -> Any:
    return _BOOLS.get(cell.strip().lower(), cell)


def _list(cell: str) -> Any:
    if cell.lstrip().startswith("["):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return [part.strip() for part in cell.split("|") if part.strip()]


class _Lines:
    """The numbered lines of a file, some of which may be given back to be read again."""

    def __init__(self, path: Path) -> None:
        self._source = numbered_lines(path)
        self._given_back: deque[tuple[int, bytes]] = deque()

    def take(self) -> tuple[int, bytes] | None:
        return self._given_back.popleft() if self._given_back else next(self._source, None)

    def give_back(self, lines: list[tuple[int, bytes]]) -> None:
        self._given_back.extendleft(reversed(lines))


def _records(path: Path) -> Iterator[tuple[int, Cells | Rejection]]:
    """Each record of a file with the number of the line it starts on; blank lines between them are skipped.

    A quote that is never closed would swallow all that follows, so where the quotes of a record are
    broken only its first line is rejected, and reading goes on with the second.
    """
    csv.field_size_limit(MAX_ROW_BYTES)
    lines = _Lines(path)
    while (first := lines.take()) is not None:
        number, line = first
        if not line.strip():
            continue
        taken = [first]
        try:
            yield number, next(csv.reader(_record(lines, taken), strict=True))
        except (csv.Error, RowUnreadable) as error:
            lines.give_back(taken[1:])
            wrong = error if isinstance(error, RowUnreadable) else RowUnreadable(f"the row is not CSV: {error}")
            yield number, rejection(number, wrong, line)


def _record(lines: _Lines, taken: list[tuple[int, bytes]]) -> Iterator[str]:
    """The text of the first line taken, and of as many more as a quoted cell goes on for, which are taken too."""
    size = len(taken[0][1])
    yield _text(taken[0][1])
    while (more := lines.take()) is not None:
        taken.append(more)
        size += len(more[1])
        if size > MAX_ROW_BYTES:
            raise RowUnreadable(f"the row is longer than {MAX_ROW_BYTES:,} bytes")
        yield _text(more[1])


def _text(line: bytes) -> str:
    if too_long(line):
        raise RowUnreadable(f"the line is longer than {MAX_ROW_BYTES:,} bytes")
    if b"\0" in line:
        raise RowUnreadable("the line holds a NUL byte")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowUnreadable(f"the line is not UTF-8: byte {error.start + 1} is {line[error.start]:#04x}") from error
