"""A look at a whole catalog before anything is decided about it: which columns it has, and what their values say."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from catalog import MAX_COLUMNS
from ingest.columns.kinds import Votes, votes_of
from ingest.columns.numbers import Cells, Decimal, is_nothing
from ingest.columns.prices import Prices
from ingest.columns.synonyms import is_code, meaning
from ingest.columns.values import fits
from ingest.readers import Reader, Row
from schemas import MAX_NAME, STANDARD_COLUMNS, clean_code

MAX_NAMES = 20_000
"""Names of columns and their parts that are looked at at once; of the rarest of more nothing is known."""
_LONG = 40
"""Characters of a text that cannot be a number, or a word for nothing."""


@dataclass(slots=True)
class Column:
    """One of the catalog's columns, under its own name.

    ``ours`` is what it is read as where nothing is guessed, and ``may_be`` the column of ours that its name may mean.
    ``present`` counts the values that say something, ``fit`` those of them that could be of ``may_be``. A column that
    is none of ours becomes fields: ``fields`` are the votes on their kinds, by full name; the votes of a table's cells
    are in ``cells``.
    """

    ours: str
    may_be: str | None = None
    present: int = 0
    fit: int = 0
    fields: defaultdict[str, Votes] = field(default_factory=lambda: defaultdict(Counter))
    cells: Cells | None = None

    @property
    def is_ours(self) -> bool:
        return self.cells is None

    @property
    def fits(self) -> bool:
        """Whether most values, two thirds of them, fit what the name means."""
        return 3 * self.fit >= 2 * self.present > 0

    @property
    def mostly_fits(self) -> bool:
        return 2 * self.fit >= self.present


class Survey:
    """What was seen. ``prices`` has heard all prices, whichever columns they are in.

    Args:
        asked: Columns of theirs that were asked for, and what they are to be read as.
    """

    def __init__(self, reader: Reader, asked: dict[str, str]) -> None:
        self.columns: dict[str, Column] = {name: self._column(name, asked) for name in reader.header}
        self._stay = {*reader.header, *asked}
        self._names = 0
        self._typed = reader.typed
        self._asked = asked
        self._prices: defaultdict[str, Prices] = defaultdict(Prices)
        for item in reader.look():
            if isinstance(item, Row):
                self._see(item.values)
        self.usual = self._usual(reader.usual)
        """What decimals are in the file where a column leaves it open."""

    def prices(self, column: str) -> Prices:
        """What the prices of a column say of theirs."""
        prices = self._prices[column]
        prices.usual = self.usual
        return prices

    def _column(self, name: str, asked: dict[str, str]) -> Column:
        ours = asked.get(name, name)
        if ours in STANDARD_COLUMNS:
            return Column(ours)
        return Column(ours, None if name in asked else meaning(name), cells=Cells(codes=is_code(ours)))

    def _see(self, values: dict[str, Any]) -> None:
        if len(values) > MAX_COLUMNS:  # no product, and names would fill memory
            return
        for name, value in values.items():
            if value is None:
                continue
            column = self.columns.get(name)
            if column is None:
                column = self.columns[name] = self._column(name, self._asked)
                self._names += 1
            if isinstance(value, str):
                if text := clean_code(value):
                    self._see_text(name, column, text)
                continue
            column.present += 1
            if column.is_ours:
                continue
            if column.may_be:
                column.fit += fits(column.may_be, value)
            for part, vote in islice(votes_of(value, name), MAX_COLUMNS):
                if len(part) > MAX_NAME:
                    break
                self._names += part not in column.fields
                column.fields[part][vote] += bool(vote)
        if self._names > MAX_NAMES:
            self._forget()

    def _forget(self) -> None:
        """The rarer half of the names so far. One that many products have comes back, and stays."""
        counts: dict[tuple[str, str | None], int] = {}
        for name, column in self.columns.items():
            if not (column.is_ours or name in self._stay):
                counts[name, None] = column.present
            counts |= {(name, part): votes.total() for part, votes in column.fields.items()}
        rarest = sorted(counts, key=lambda name: counts[name])[: max(0, len(counts) - MAX_NAMES // 2)]
        for name, part in rarest:
            if part is None:
                del self.columns[name]
            elif name in self.columns:
                del self.columns[name].fields[part]
        self._names = len(counts) - len(rarest)

    def _see_text(self, name: str, column: Column, text: str) -> None:
        if column.cells is None:
            column.present += 1
            if column.ours == "price":
                self._prices[name].see(text)
            return
        if not self._typed:
            says = column.cells.see(text)
        else:
            self._names += name not in column.fields
            vote = "text" if len(text) > _LONG or text[0].isalpha() else next(iter(votes_of(text, name)))[1]
            says = not (len(text) <= _LONG and is_nothing(text))
            column.fields[name][vote] += says
        if says:
            column.present += 1
            if column.may_be:
                price = column.may_be == "price"
                column.fit += self._prices[name].see(text) if price else fits(column.may_be, text)

    def _usual(self, usual: Decimal | None) -> Decimal | None:
        said = {cells.says for column in self.columns.values() if (cells := column.cells)}
        said |= {prices.decimal for prices in self._prices.values()}
        said.discard(None)
        if len(said) == 1:
            return said.pop()
        return None if said else usual

    def votes(self, name: str) -> dict[str, Votes]:
        """The fields of a column that is none of ours, and what its values say of their kinds."""
        column = self.columns[name]
        fields = dict(column.fields)
        if column.cells is not None and (votes := column.cells.votes(self.usual)).total():
            fields[name] = votes
        return fields
