"""Rows of a catalog as products, each id once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from catalog import point_id, product_from_row, readable_id
from ingest.readers import Reader, Row
from ingest.rejects import rejection
from schemas import PictureError, Product, Rejection, RowError, RowRepeated


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that is a product. ``errors`` are about values that cannot be a picture; ``inline`` has the bytes
    of those that the row itself holds, by their sources."""

    row: Row
    product: Product
    point: UUID
    errors: tuple[PictureError, ...]
    inline: Mapping[str, bytes]


class Intake:
    """One reading of a catalog: iterating gives an ``Entry`` or a ``Rejection`` for each of its rows.

    Ids are remembered by their 16-byte point ids, so a reading of millions of rows stays small.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._accepted: set[bytes] = set()
        self._refused: set[bytes] = set()

    def __iter__(self) -> Iterator[Entry | Rejection]:
        for row in self._reader.rows():
            yield row if isinstance(row, Rejection) else self._entry(row)

    def _entry(self, row: Row) -> Entry | Rejection:
        try:
            product, errors, inline = product_from_row(row.values, typed_ids=self._reader.typed_ids)
        except RowError as error:
            id = readable_id(row.values, typed_ids=self._reader.typed_ids)
            if id is not None:
                self._refused.add(point_id(id).bytes)
            return rejection(row.line, error, row.values, id=id)
        point = point_id(product.id)
        if point.bytes in self._accepted:
            repeated = RowRepeated(f"an earlier row has the id {product.id!r}, and the first one counts", field="id")
            return rejection(row.line, repeated, row.values, id=product.id)
        self._accepted.add(point.bytes)
        return Entry(row, product, point, errors, inline)

    @property
    def products(self) -> int:
        """How many rows were products."""
        return len(self._accepted)

    def has_seen(self, point: UUID) -> bool:
        """Whether a row with this point's id was there, as a product or not."""
        return point.bytes in self._accepted or point.bytes in self._refused
