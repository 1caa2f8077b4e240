"""A row of a catalog under our names, each value as our columns have it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.columns.numbers import is_nothing, to_number
from ingest.columns.prices import Amount, Prices
from ingest.columns.survey import MAX_NAMES, Survey
from ingest.columns.values import AS_THEY_ARE, READ, Read
from ingest.readers import Reader, Row
from schemas import STANDARD_COLUMNS, FieldKind, ValueUnusable, clean_code, describe_value, number_in

log = logging.getLogger(__name__)

_MANY = "images"


def is_replaced(name: str, mapping: Mapping[str, str], asked: Collection[str]) -> bool:
    """Whether another column was asked for in the place of this one."""
    return name not in mapping and any(mapping[theirs] == name for theirs in asked)


class RowReader:
    """Reads the rows of a catalog as what a look at all of them has decided.

    Args:
        mapping: The catalog's own names of columns -> the names that they are read under, where the two differ.
        asked: Those of them that were asked for.
        kinds: Of all fields; what is not among them is left as it stands.
    """

    def __init__(
        self,
        reader: Reader,
        survey: Survey,
        mapping: Mapping[str, str],
        asked: Collection[str],
        kinds: Mapping[str, FieldKind],
    ) -> None:
        self._reader, self._survey = reader, survey
        self._mapping, self._asked, self._kinds = mapping, asked, kinds
        self._plans: dict[str, _Plan] = {}

    def read(self, row: Row) -> Row:
        """The row as products are made of it; raises nothing: what cannot be read is among its ``unusable``."""
        values: dict[str, Any] = {}
        unusable: dict[str, ValueUnusable] = {}
        mapped: list[tuple[_Plan, Any]] = []
        currency: str | None = None
        for name, value in row.values.items():
            plan = self._plans.get(name) or self._plan(name)
            if plan.ours is None:
                continue
            if plan.mapped:
                mapped.append((plan, value))
                continue
            if plan.read is None or type(value) in plan.as_it_is:
                values[plan.ours] = value
                continue
            currency = _put(values, unusable, plan, value) or currency
        for plan, value in sorted(mapped, key=lambda pair: pair[0].order) if len(mapped) > 1 else mapped:
            if plan.ours == _MANY or _is_blank(values.get(plan.ours or "")):
                currency = _put(values, unusable, plan, value) or currency
        if currency and _is_blank(values.get("currency")):
            values["currency"] = currency
        return Row(row.line, values, unusable or None, row.size)

    def _plan(self, name: str) -> _Plan:
        ours = self._mapping.get(name, name)
        plan = _Plan(
            None if is_replaced(name, self._mapping, self._asked) else ours,
            self._reading(name, ours),
            AS_THEY_ARE.get(ours, frozenset()),
            name in self._mapping,
            list(self._mapping).index(name) if name in self._mapping else 0,
        )
        if len(self._plans) >= MAX_NAMES:  # every row of millions may bring names of its own
            self._plans.clear()
        self._plans[name] = plan
        return plan

    def _reading(self, name: str, ours: str) -> Read | None:
        if name in self._reader.with_bytes and ours not in ("image", _MANY):
            log.warning("%s: the column %s holds bytes that are no text; they are left out", self._reader.name, name)
            return lambda value: None if isinstance(value, bytes | dict | list) else value
        if ours not in STANDARD_COLUMNS:
            return None if self._reader.typed else self._cell_reader(name, ours)
        read = _price_reader(self._survey.prices(name)) if ours == "price" else READ.get(ours)
        if self._reader.typed or read is None:
            return read
        if ours in ("price", "in_stock"):
            return lambda cell: None if is_nothing(cell) else read(cell)
        return read if ours in (_MANY, "color", "tags") else None  # text is text

    def _cell_reader(self, name: str, ours: str) -> Read | None:
        """How the cells of a table's free column are read; text stays where they cannot be."""
        kind = self._kinds.get(ours)
        cells = self._survey.columns[name].cells if name in self._survey.columns else None
        if kind in ("integer", "float") and cells and (decimal := cells.decimal(self._survey.usual)):

            def number(cell: str) -> Any:
                found = to_number(cell, decimal)
                return found if found is not None else None if is_nothing(cell) else cell

            return number
        if kind == "bool":
            words = {"true": True, "false": False}
            return lambda cell: None if is_nothing(cell) else words.get(cell.strip().lower(), cell)
        if cells and cells.whole:  # 42.0 is 42 where other cells are written so
            return lambda cell: _or_itself(cell, number_in(cell) if cell.strip().endswith(".0") else None)
        return None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What becomes of a column: ``ours`` is its name, None where another takes its place."""

    ours: str | None
    read: Read | None
    as_it_is: frozenset[type]
    mapped: bool
    order: int
    """Its place among those that are mapped, which is the order of a product's images."""


def _put(values: dict[str, Any], unusable: dict[str, ValueUnusable], plan: _Plan, value: Any) -> str | None:
    """Put a value into a row, as it should be or, where it cannot be read, as it is; returns a price's currency."""
    ours, currency = plan.ours, None
    assert ours is not None
    if plan.read is not None and not _is_blank(value):
        try:
            value = plan.read(clean_code(value) if isinstance(value, str) else value)
        except ValueError as error:
            unusable[ours] = ValueUnusable(f"{ours} is {describe_value(value)}, {error}", field=ours)
        if isinstance(value, Amount):
            value, currency = value
        if value is None:
            return None
    if ours == _MANY and _MANY in values:
        more = value if isinstance(value, list | tuple) else [value]
        values[_MANY] = [*_listed(values[_MANY]), *more]
    elif not (plan.mapped and value is None):
        values[ours] = value
    return currency


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not clean_code(value))


def _or_itself(cell: str, number: int | float | None) -> Any:
    return cell if number is None else number


def _price_reader(prices: Prices) -> Read:
    def read(value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        if isinstance(value, str):
            return prices.read(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("expected a number, or text that is a price")
        return value

    return read
