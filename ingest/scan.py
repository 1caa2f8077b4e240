"""The first reading of a catalog: what must be known before the first product is written, and which rows the
second reading has to look at.

A row that reads as it did when the index last saw it, and whose pictures' marks are the same, is done with:
its product is not even made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from catalog import (
    STANDARD_FIELDS,
    Kept,
    PictureRoot,
    hash_row,
    kinds_of,
    picture_sources,
    point_id,
    product_from_row,
    readable_id,
    words,
)
from index import CatalogIndex
from ingest.batches import batched
from ingest.readers import Reader, Row
from ingest.rejects import rejection
from schemas import FieldKind, Rejection, RowError, RowRepeated, widen_kind

BATCH = 1_000
REMEMBERED = ("hashes", "pictures", "product.image", "product.images")
"""What of a payload says whether its product is unchanged."""


@dataclass(slots=True)
class Scan:
    """``fields`` are the filterable ones and the narrowest kind that holds all their values; both they and
    ``average_words`` are of the rows to do. ``todo`` has a byte a row, 1 where it is to do.

    Ids are remembered by their 16-byte point ids, so a reading of millions of rows stays small.
    """

    rows: int = 0
    unchanged: int = 0
    fields: dict[str, FieldKind] = field(default_factory=lambda: dict(STANDARD_FIELDS))
    average_words: float = 1.0
    todo: bytearray = field(default_factory=bytearray)
    _accepted: set[bytes] = field(default_factory=set)
    _refused: set[bytes] = field(default_factory=set)

    @property
    def products(self) -> int:
        """How many rows are products."""
        return len(self._accepted)

    @property
    def to_do(self) -> int:
        return sum(self.todo)

    def some(self, count: int) -> bytearray:
        """``todo`` with no more than about ``count`` rows in it, from all over the catalog."""
        step = max(1, self.to_do // count)
        chosen = bytearray(len(self.todo))
        for place, row in enumerate(row for row, todo in enumerate(self.todo) if todo):
            chosen[row] = place % step == 0
        return chosen

    def has_seen(self, point: UUID) -> bool:
        """Whether a row with this point's id was there, as a product or not."""
        return point.bytes in self._accepted or point.bytes in self._refused

    def accept(self, point: UUID) -> bool:
        """False where an earlier row was a product of the same id."""
        before = len(self._accepted)
        self._accepted.add(point.bytes)
        return len(self._accepted) > before

    def refuse(self, point: UUID) -> None:
        self._refused.add(point.bytes)


class Scanner:
    """One first reading.

    Args:
        held: What the index holds by now; None where it holds nothing.
        reject: Is given every row that is no product.
    """

    def __init__(
        self, reader: Reader, held: CatalogIndex | None, pictures: PictureRoot, reject: Callable[[Rejection], None]
    ) -> None:
        self._reader = reader
        self._held = held
        self._pictures = pictures
        self._reject = reject
        self._words = 0
        self._scan = Scan()

    def run(self, advance: Callable[[int], object] = lambda _: None) -> Scan:
        """Raises CatalogError when the catalog cannot be read to its end."""
        scan = self._scan
        for batch in batched(self._reader.rows(), BATCH):
            points = [self._point(item) for item in batch]
            held = self._remembered([point for point in points if point])
            for item, point in zip(batch, points, strict=True):
                scan.todo.append(self._is_to_do(item, point, held.get(point) if point else None))
            scan.rows += len(batch)
            advance(len(batch))
        parsed = scan.products - scan.unchanged
        scan.average_words = max(1.0, self._words / max(1, parsed))
        return scan

    def _point(self, item: Row | Rejection) -> UUID | None:
        if isinstance(item, Rejection):
            return None
        id = readable_id(item.values, typed_ids=self._reader.typed_ids)
        return None if id is None else point_id(id)

    def _remembered(self, points: list[UUID]) -> Mapping[UUID, dict[str, Any]]:
        return self._held.payloads(points, REMEMBERED) if self._held and points else {}

    def _is_to_do(self, item: Row | Rejection, point: UUID | None, held: dict[str, Any] | None) -> bool:
        if isinstance(item, Rejection):
            self._reject(item)
            return False
        if point and held and self._is_unchanged(item, held):
            if self._first(item, point):
                self._scan.unchanged += 1
            return False
        try:
            product = product_from_row(item.values, typed_ids=self._reader.typed_ids).product
        except RowError as error:
            if point:
                self._scan.refuse(point)
            id = readable_id(item.values, typed_ids=self._reader.typed_ids)
            self._reject(rejection(item.line, error, item.values, id=id))
            return False
        assert point is not None  # a product has an id
        if not self._first(item, point):
            return False
        for name, kind in kinds_of(product).items():
            self._scan.fields[name] = widen_kind(self._scan.fields.get(name), kind)
        self._words += len(words(product).split())
        return True

    def _first(self, row: Row, point: UUID) -> bool:
        """Whether no earlier row is a product of this id; a later one is rejected."""
        if self._scan.accept(point):
            return True
        id = readable_id(row.values, typed_ids=self._reader.typed_ids)
        repeated = RowRepeated(f"an earlier row has the id {id!r}, and the first one counts", field="id")
        self._reject(rejection(row.line, repeated, row.values, id=id))
        return False

    def _is_unchanged(self, row: Row, payload: dict[str, Any]) -> bool:
        kept = Kept.from_payload(payload)
        if kept is None or not kept.row or kept.row != hash_row(row.values, self._reader.root):
            return False
        sources = picture_sources(payload)
        return len(sources) == len(kept.pictures) and all(
            picture.mark is not None and picture.mark == self._pictures.mark(sources[picture.at])
            for picture in kept.pictures
        )
