"""Rows of a catalog that are to be done, as products: its second reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from catalog import ParsedRow, point_id, product_from_row
from ingest.readers import Reader, Row
from schemas import CatalogError, Product, RowError


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that is a product. ``parsed`` says what of its pictures' columns cannot name a picture."""

    row: Row
    parsed: ParsedRow
    point: UUID

    @property
    def product(self) -> Product:
        return self.parsed.product


def entries(reader: Reader, todo: bytearray) -> Iterator[Entry]:
    """The rows that ``todo`` has a 1 for. Raises CatalogError where the catalog is not the one that was scanned."""
    number = -1
    for number, row in enumerate(reader.rows()):
        # What the first reading found must hold for every row of the second.
        if number % 64 == 0:
            reader.check_unchanged()
        if number >= len(todo):
            break
        if not todo[number]:
            continue
        if not isinstance(row, Row):
            raise _changed(reader)
        try:
            parsed = product_from_row(row.values, typed_ids=reader.typed_ids)
        except RowError as error:
            raise _changed(reader) from error
        yield Entry(row, parsed, point_id(parsed.product.id))
    reader.check_unchanged()
    if number + 1 != len(todo):
        raise _changed(reader)


def _changed(reader: Reader) -> CatalogError:
    return CatalogError(f"{reader.name} changed while it was read; run the job again once it is complete")
