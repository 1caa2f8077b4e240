"""Rows of a catalog that are to be done, as products: its second reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from catalog import ParsedRow, point_id, product_from_row
from ingest.catalog import Catalog
from ingest.readers import Row
from schemas import CatalogError, FieldKind, Product, RowError, Scalar, ValueUnusable, shown, unfit_values


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that is a product, the ``number``-th of its catalog from 0. ``parsed`` says what of its columns is of no
    use, and ``unfit`` which values are not of their fields' kinds."""

    number: int
    row: Row
    parsed: ParsedRow
    point: UUID
    unfit: tuple[ValueUnusable, ...] = ()

    @property
    def product(self) -> Product:
        return self.parsed.product


def entries(catalog: Catalog, todo: bytearray) -> Iterator[Entry]:
    """The rows that ``todo`` has a 1 for. Raises CatalogError where the catalog is not the one that was scanned."""
    number = -1
    for number, row in enumerate(catalog.rows()):
        # What the first reading found must hold for every row of the second.
        if number % 64 == 0:
            catalog.check_unchanged()
        if number >= len(todo):
            break
        if not todo[number]:
            continue
        if not isinstance(row, Row):
            raise _changed(catalog)
        try:
            parsed = product_from_row(row.values, row.unusable)
        except RowError as error:
            raise _changed(catalog) from error
        unfit = tuple(
            _unfit(name, values, catalog.kinds[name])
            for name, values in unfit_values(parsed.product.to_row(), catalog.kinds).items()
        )
        yield Entry(number, row, parsed, point_id(parsed.product.id), unfit)
    catalog.check_unchanged()
    if number + 1 != len(todo):
        raise _changed(catalog)


def _unfit(name: str, values: tuple[Scalar, ...], kind: FieldKind) -> ValueUnusable:
    value = shown(values[0] if len(values) == 1 else list(values))
    expected = "true or false" if kind == "bool" else "a number"
    return ValueUnusable(f"{name} is {value}, and the field is {expected}: it is kept, and not filtered by", field=name)


def _changed(catalog: Catalog) -> CatalogError:
    return CatalogError(f"{catalog.name} changed while it was read; run the job again once it is complete")
