"""The first pass over a catalog: what must be known before the first product is written, and which rows the second
pass has to look at.

Products are made here to know which rows are none and how long texts are, and are not kept but made again: those of a
million rows would take 2.4 GB, and to make them takes two minutes of hours.

A row that reads as it did when the index last saw it, and whose images' version tags are the same, is done with:
its product is not even made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from catalog import StoredState, hash_row, image_sources, older_point, point_id, product_from_row, readable_id, words
from index import CatalogIndex, count_words
from ingest.batches import batched_by_weight
from ingest.catalog import Catalog
from ingest.readers import Row
from ingest.rejects import rejection
from schemas import Rejection, RowError, RowRepeated

BATCH = 1_000
BATCH_BYTES = 16_000_000
REMEMBERED = ("hashes", "pictures", "product.image", "product.images")
"""What of a payload says whether its product is unchanged."""


@dataclass(slots=True)
class Scan:
    """``average_words`` are of the rows to do, and ``images`` those that the index has of the others. ``todo`` has a
    byte a row, 1 where it is to do. ``superseded`` are points under ids as they stood there before ids were brought
    into one form, with those that take their place.

    Ids are remembered by their 16-byte point ids, so a scan of millions of rows stays small.
    """

    rows: int = 0
    unchanged: int = 0
    images: int = 0
    average_words: float = 1.0
    todo: bytearray = field(default_factory=bytearray)
    superseded: dict[UUID, UUID] = field(default_factory=dict)
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

    def is_product(self, point: UUID) -> bool:
        return point.bytes in self._accepted

    def accept(self, point: UUID) -> bool:
        """False where an earlier row was a product of the same id."""
        before = len(self._accepted)
        self._accepted.add(point.bytes)
        return len(self._accepted) > before

    def refuse(self, point: UUID) -> None:
        self._refused.add(point.bytes)


def _weight(item: Row | Rejection) -> int:
    return item.size if isinstance(item, Row) else 0


class Scanner:
    """One first pass.

    Args:
        index: What the index has by now; None where it has nothing.
        version_tag: Of an image by its source.
        reject: Is given every row that is no product.
    """

    def __init__(
        self,
        catalog: Catalog,
        index: CatalogIndex | None,
        version_tag: Callable[[str], str | None],
        reject: Callable[[Rejection], object],
    ) -> None:
        self._catalog = catalog
        self._index = index
        self._version_tag = version_tag
        self._reject = reject
        self._words = 0
        self._scan = Scan()

    def run(self, advance: Callable[[int], object] = lambda _: None) -> Scan:
        """Raises CatalogError when the catalog cannot be read to its end."""
        scan = self._scan
        for batch in batched_by_weight(self._catalog.rows(), BATCH, _weight, BATCH_BYTES):
            points = [self._point(item) for item in batch]
            older = [older_point(item.values) if isinstance(item, Row) else None for item in batch]
            stored = self._remembered([point for point in (*points, *older) if point])
            for item, point, before in zip(batch, points, older, strict=True):
                scan.todo.append(self._is_to_do(item, point, stored.get(point) if point else None))
                if before in stored:
                    assert before is not None
                    self._supersede(before, point)
            scan.rows += len(batch)
            advance(len(batch))
        parsed = scan.products - scan.unchanged
        scan.average_words = max(1.0, self._words / max(1, parsed))
        return scan

    def _point(self, item: Row | Rejection) -> UUID | None:
        if isinstance(item, Rejection):
            return None
        id = readable_id(item.values)
        return None if id is None else point_id(id)

    def _remembered(self, points: list[UUID]) -> Mapping[UUID, dict[str, Any]]:
        return self._index.payloads(points, REMEMBERED) if self._index and points else {}

    def _is_to_do(self, item: Row | Rejection, point: UUID | None, stored: dict[str, Any] | None) -> bool:
        if isinstance(item, Rejection):
            self._reject(item)
            return False
        if point and stored and not self._catalog.new_values and self._is_unchanged(item, stored):
            if self._first(item, point):
                self._scan.unchanged += 1
                self._scan.images += len(stored.get("pictures", ()))
            return False
        try:
            product = product_from_row(item.values, item.unusable).product
        except RowError as error:
            if point:
                self._scan.refuse(point)
            id = readable_id(item.values)
            self._reject(rejection(item.line, error, item.values, id=id))
            return False
        assert point is not None  # a product has an id
        if not self._first(item, point):
            return False
        self._words += count_words(words(product))
        return True

    def _supersede(self, before: UUID, point: UUID | None) -> None:
        """Where the row is a product; of a rejected one what the index has stays, under its older id."""
        if point and self._scan.is_product(point):
            self._scan.superseded[before] = point
        self._scan.refuse(before)

    def _first(self, row: Row, point: UUID) -> bool:
        """Whether no earlier row is a product of this id; a later one is rejected."""
        if self._scan.accept(point):
            return True
        id = readable_id(row.values)
        repeated = RowRepeated(f"an earlier row has the id {id!r}, and the first one counts", field="id")
        self._reject(rejection(row.line, repeated, row.values, id=id))
        return False

    def _is_unchanged(self, row: Row, payload: dict[str, Any]) -> bool:
        state = StoredState.from_payload(payload)
        if state is None or not state.row or state.row != hash_row(row.values, self._catalog.root):
            return False
        sources = image_sources(payload)
        return len(sources) == len(state.images) and all(
            image.version_tag is not None
            and image.version_tag == self._version_tag(sources[image.at])
            and not image.needs_ground(sources[image.at])
            for image in state.images
        )
