"""What the cells of a table's columns mean, decided once for each whole column.

- ``price`` is a number, perhaps with a currency; ``in_stock`` is yes or no;
- ``images``, ``tags`` and ``color`` are lists: a JSON array, or values with ``|`` between them;
- the other columns of the contract are text;
- ``NULL``, ``n/a`` and the like are absent values among numbers, and yes and no;
- product numbers (``catalog.is_code_name``) are text, as they are written;
- any other column is whole numbers, numbers, or true and false when every one of its cells is and could be written back
  as it is, and text otherwise: digits behind a zero, as in ``007``, exponents, and zeros at the end, as in ``1.10``
  beside ``1.9``, are text. Where all numbers have as many decimals, as ``1.50`` and ``2.25``, their zeros say nothing.

Numbers may have decimal commas, and separators between thousands, where all of a column's agree. Where
``1.234`` could be either, the other columns of the file say which, and last what stands between its
columns: spreadsheets write semicolons where commas are decimal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from catalog import is_code_name
from ingest.mapping import split_pictures
from ingest.numbers import NOTHING, PLAIN, Decimal, parse_bool, parse_price, reading, split_price, to_number
from schemas import STANDARD_COLUMNS, clean_code

Convert = Callable[[str], Any]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_EXACT = 15
"""Digits that a float keeps, whatever they are."""
_FRACTION = re.compile(r"[.,]([0-9]+)\Z")
_TRUTH = {"true": True, "false": False}


class TableColumns:
    """Sees all cells, a batch of rows at a time, and then says how each column's are read.

    ``None`` for a converter: the cell's text as it is.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._columns = [_column(name) for name in names]
        self._deciding = {at: column for at, column in enumerate(self._columns) if column is not None}

    @property
    def curious(self) -> bool:
        """Whether there is a column whose cells have a say."""
        return bool(self._deciding)

    def see(self, rows: Sequence[Sequence[str]]) -> None:
        """Rows of as many cells as there are names."""
        columns = list(zip(*rows, strict=True))
        for at, column in list(self._deciding.items()):
            for cell in set(columns[at]):
                if (stripped := clean_code(cell)) and not _is_nothing(stripped):
                    column.see(stripped)
            if column.decided:
                del self._deciding[at]

    def converters(self, delimiter: str) -> list[Convert | None]:
        usual = self._usual(delimiter)
        columns = zip(self._names, self._columns, strict=True)
        return [_or_nothing(column.converter(usual)) if column else _STANDARD.get(name) for name, column in columns]

    def with_commas(self, delimiter: str) -> list[str]:
        """Names of the columns whose numbers have decimal commas."""
        usual = self._usual(delimiter)
        return [name for name, column in zip(self._names, self._columns, strict=True) if column and column.comma(usual)]

    def _usual(self, delimiter: str) -> Decimal | None:
        """What the file's decimals are where a column leaves it open; None where its columns contradict each other."""
        said = {decimal for column in self._columns if column and (decimal := column.says) is not None}
        if len(said) == 1:
            return said.pop()
        return None if said else "," if delimiter == ";" else "."


class _Free:
    """The narrowest type that every cell of a column has."""

    def __init__(self) -> None:
        self.integer = self.number = self.point = self.with_comma = self.boolean = True
        self.empty = True
        self._zeros = False
        self._decimals: set[int] = set()

    @property
    def decided(self) -> bool:
        """Nothing is left but text."""
        return not (self.number or self.point or self.with_comma or self.boolean) or self._loses

    @property
    def _loses(self) -> bool:
        """Whether numbers say less than their cells."""
        return self._zeros and len(self._decimals) > 1

    def see(self, cell: str) -> None:
        self.empty = False
        can = reading(cell)
        self.integer = self.integer and _INTEGER.fullmatch(cell) is not None
        exact = "e" not in cell.lower() and sum(map(str.isdigit, cell)) <= _EXACT
        self.number = self.number and PLAIN.fullmatch(cell) is not None and exact
        self.point = self.point and can.point and exact
        self.with_comma = self.with_comma and can.comma and exact
        self.boolean = self.boolean and cell.lower() in _TRUTH
        if fraction := _FRACTION.search(cell):
            self._decimals.add(len(fraction[1]))
            self._zeros = self._zeros or fraction[1].endswith("0")

    @property
    def says(self) -> Decimal | None:
        """What decimals are here, where this column alone shows it."""
        if self.empty or self._loses or self.point == self.with_comma:
            return None
        return "." if self.point else ","

    def comma(self, usual: Decimal | None) -> bool:
        if self.empty or self.integer or self._loses or not self.with_comma:
            return False
        return not self.point or usual == ","

    def converter(self, usual: Decimal | None) -> Convert | None:
        if self._loses:
            return None
        if self.integer:
            return int
        if self.comma(usual):
            return lambda cell: to_number(cell.strip(), ",")
        if self.number:
            return float
        if self.point and (not self.with_comma or usual == "."):
            return lambda cell: to_number(cell.strip(), ".")
        return (lambda cell: _TRUTH[cell.strip().lower()]) if self.boolean else None


class _Price:
    """Prices are numbers, whatever some cells hold: what is no price is for its row to be rejected for."""

    decided = False

    def __init__(self) -> None:
        self.points = self.commas = False
        self._seen = self._decimals = False

    def see(self, cell: str) -> None:
        parts = split_price(cell)
        if parts is not None:
            can = reading(parts[0])
            self.points = self.points or (can.point and not can.comma)
            self.commas = self.commas or (can.comma and not can.point)
            self._decimals = self._decimals or not parts[0].lstrip("-").isdigit()

    @property
    def says(self) -> Decimal | None:
        if self.points == self.commas:
            return None
        return "." if self.points else ","

    def comma(self, usual: Decimal | None) -> bool:
        return self._decimals and self._decimal(usual) == ","

    def _decimal(self, usual: Decimal | None) -> Decimal | None:
        if self.points and self.commas:
            return None  # both are there, so each cell is on its own
        return self.says or usual

    def converter(self, usual: Decimal | None) -> Convert:
        decimal = self._decimal(usual)

        def convert(cell: str) -> Any:
            if decimal != "," and PLAIN.fullmatch(text := cell.strip()):
                return float(text)
            return parse_price(cell, decimal) or cell

        return convert


def _or_nothing(convert: Convert | None) -> Convert | None:
    """The same where a cell may say that it holds nothing: of numbers, since a text may be just that."""
    return convert and (lambda cell: None if _is_nothing(cell) else convert(cell))


def _is_nothing(cell: str) -> bool:
    return len(cell) < 8 and cell.strip().lower() in NOTHING


def _list(cell: str) -> Any:
    return [part.strip() for part in cell.split("|") if part.strip()] if (array := _array(cell)) is None else array


def _pictures(cell: str) -> Any:
    return split_pictures(cell) if (array := _array(cell)) is None else array


def _column(name: str) -> _Free | _Price | None:
    """What decides about a column; None where its name alone does."""
    if name == "price":
        return _Price()
    return _Free() if name and name not in STANDARD_COLUMNS and not is_code_name(name) else None


def _array(cell: str) -> Any:
    """A JSON array; None for what does not look like one, and the cell itself where it only looks like one."""
    if not cell.lstrip().startswith("["):
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


_STANDARD: dict[str, Convert] = {
    "images": _pictures,
    "tags": _list,
    "color": _list,
    "in_stock": lambda cell: None if _is_nothing(cell) else parse_bool(cell),
}
