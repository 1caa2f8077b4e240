"""CSV as people and spreadsheets write it: a header row of column names, then a row a product.

How the file is written (``csv_format``) is decided over the whole of it, before the first row is given. An empty
cell is an absent value; a column without a name is left out.
"""

from __future__ import annotations

import csv
import logging
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import count, islice

from ingest.readers.csv_format import TableFormat, table_format
from ingest.readers.lines import BLANK, decoded, numbered_lines, too_long
from ingest.readers.reader import MAX_ROW_BYTES, FileReader, Row
from ingest.readers.shopify import shopify_export
from ingest.readers.source import Source
from ingest.rejects import rejection
from schemas import CatalogError, Rejection, RowUnreadable, clean_code

log = logging.getLogger(__name__)

Cells = list[str]

MAX_ROW_LINES = 100_000

_LINE = 100
"""What a line costs besides its bytes."""
_SHORT = 20 * _LINE
READ_IN_VAIN = 100_000_000
"""Bytes that may be read for records that turn out to have broken quotes, beyond four times the file's own."""


class CsvReader(FileReader):
    """A row of too many or too few cells, or of broken quotes, is rejected and costs no other row."""

    typed = False
    needs_id = True

    def __init__(self, source: Source, root: str, delimiter: str | None = None, encoding: str | None = None) -> None:
        super().__init__(source, root)
        self._format = table_format(source, delimiter, encoding)
        self.usual = "," if self._format.delimiter == ";" else "."
        self._columns = self._read_header()
        self.header = [name for name in self._columns if name]
        self._shopify = shopify_export(self.header)
        log.info("%s: CSV, %s", self.name, self._format)
        if self._shopify:
            self.known = self._shopify.known
            said = ", ".join(f"{ours}={name}" for ours, name in self.known.items())
            log.info("%s: an export of Shopify: %s", self.name, said)

    def rows(self) -> Iterator[Row | Rejection]:
        rows = self._rows()
        return self._shopify.variants(rows) if self._shopify else rows

    def _rows(self) -> Iterator[Row | Rejection]:
        named = [(at, name) for at, name in enumerate(self._columns) if name]
        for line, cells in self._records():
            if isinstance(cells, Rejection):
                yield cells
            else:
                values = {name: cell for at, name in named if (cell := cells[at]) and not cell.isspace()}
                yield Row(line, values, size=sum(map(len, cells)))

    def _read_header(self) -> Cells:
        first = next(self._all_records(), None)
        if first is None:
            raise CatalogError(f"{self.name} is empty; its first row must name the columns")
        _, cells = first
        if isinstance(cells, Rejection):
            raise CatalogError(f"the first row of {self.name} must name the columns, and {cells.reason}")
        names = [clean_code(name) for name in cells]
        different = _numbered(names)
        if different != names:
            again = ", ".join(name for name, before in zip(different, names, strict=True) if name != before)
            log.warning("%s names some columns more than once; the later ones are read as %s", self.name, again)
        return different

    def _all_records(self) -> Iterator[tuple[int, Cells | Rejection]]:
        return _records(self.source, self._format)

    def _records(self) -> Iterator[tuple[int, Cells | Rejection]]:
        width = len(self._columns)
        named = max((at for at, name in enumerate(self._columns, start=1) if name), default=0)
        for line, cells in islice(self._all_records(), 1, None):
            if isinstance(cells, Rejection):
                yield line, cells
                continue
            if not any(cell and not cell.isspace() for cell in cells):
                continue  # what a spreadsheet writes for a row that was emptied
            if len(cells) != width:
                if len(cells) < named or any(cell.strip() for cell in cells[width:]):
                    wrong = RowUnreadable(f"the row has {len(cells)} cells, and the header names {width} columns")
                    yield line, rejection(line, wrong, cells)
                    continue
                yield line, [*cells[:width], *[""] * (width - len(cells))]
            else:
                yield line, cells


class _Lines:
    """The numbered lines of a file, some of which may be given back to be read again."""

    def __init__(self, source: Source, table: TableFormat, blank: bytes) -> None:
        self._source = islice(numbered_lines(source, table.encoding, blank=blank), table.skip, None)
        self._given_back: deque[tuple[int, bytes]] = deque()
        self._in_vain = READ_IN_VAIN

    def take(self) -> tuple[int, bytes] | None:
        if self._given_back:
            return self._given_back.popleft()
        if taken := next(self._source, None):
            self._in_vain += 4 * _cost(taken)
        return taken

    def give_back(self, lines: list[tuple[int, bytes]]) -> None:
        self._in_vain -= sum(map(_cost, lines))
        self._given_back.extendleft(reversed(lines))

    def may_go_on(self, cost: int) -> bool:
        """Whether a record that has cost so much may take more lines: each of a file could open a quote that takes all
        that follow."""
        return cost < max(_SHORT, self._in_vain)


def _cost(line: tuple[int, bytes]) -> int:
    return len(line[1]) + _LINE


def _numbered(names: Sequence[str]) -> list[str]:
    """Names that came before with the next free number behind: ``link``, ``link_2``, ``link_3``."""
    taken, seen = set(names), set[str]()
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(2))
    numbered: list[str] = []
    for name in names:
        if name and name in seen:
            name_again = next(it for number in numbers[name] if (it := f"{name}_{number}") not in taken)
            taken.add(name_again)
            numbered.append(name_again)
        else:
            numbered.append(name)
        seen.add(name)
    return numbered


def _records(source: Source, table: TableFormat) -> Iterator[tuple[int, Cells | Rejection]]:
    """Each record of a file with the number of the line it starts on; blank lines between them are skipped.

    A quote that is never closed would swallow all that follows, so where the quotes of a record are
    broken only its first line is rejected, and reading goes on with the second.
    """
    csv.field_size_limit(MAX_ROW_BYTES)
    delimiter = table.delimiter
    blank = BLANK + delimiter.encode()
    lines = _Lines(source, table, blank)
    while (first := lines.take()) is not None:
        number, line = first
        if not line.strip(blank):
            continue
        taken = [first]
        try:
            plain = _text(line).removesuffix("\n").removesuffix("\r")
            if '"' not in plain and "\r" not in plain:  # as csv.reader has it, in a third of the time
                yield number, plain.split(delimiter)
            else:
                yield number, next(csv.reader(_record(lines, taken), delimiter=delimiter, strict=True))
        except (csv.Error, RowUnreadable) as error:
            lines.give_back(taken[1:])
            wrong = (
                error if isinstance(error, RowUnreadable) else RowUnreadable(f"the row is not CSV: {_reason(error)}")
            )
            yield number, rejection(number, wrong, line)


def _reason(error: csv.Error) -> str:
    if "new-line character" in str(error):
        return "it holds a carriage return outside of quotes; lines must end in a line feed, as UTF-8 CSV's do"
    return str(error)


def _record(lines: _Lines, taken: list[tuple[int, bytes]]) -> Iterator[str]:
    """The text of the first line taken, and of as many more as a quoted cell goes on for, which are taken too."""
    size = len(taken[0][1])
    yield _text(taken[0][1])
    while (more := lines.take()) is not None:
        taken.append(more)
        size += len(more[1])
        if size > MAX_ROW_BYTES or len(taken) > MAX_ROW_LINES:
            raise RowUnreadable(f"the row is longer than {MAX_ROW_BYTES:,} bytes or {MAX_ROW_LINES:,} lines")
        if not lines.may_go_on(size + _LINE * len(taken)):
            raise RowUnreadable("a quote is not closed for many lines, and neither are those of rows before it")
        yield _text(more[1])


def _text(line: bytes) -> str:
    if too_long(line):
        raise RowUnreadable(f"the line is longer than {MAX_ROW_BYTES:,} bytes")
    if b"\0" in line:
        raise RowUnreadable("the line holds a NUL byte")
    return decoded(line)
