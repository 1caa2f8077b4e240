"""The second pass over a catalog: the rows that the scan left to do, with what the index has of each and its images.

Rows are read, looked up in the index and given to threads, which load images while the batch before is in the model.
What is held at any moment is a window of prepared images, whatever the size of the catalog.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from catalog import StoredState, older_point, point_id, product_from_row
from embedding import Pixels
from index import CatalogIndex
from ingest.batches import batched_by_weight
from ingest.catalog import Catalog
from ingest.images import MAX_IMAGES, ImageLoader, Loaded, PreparedImage
from ingest.readers import Row
from ingest.scan import REMEMBERED
from ingest.timing import Stopwatch
from schemas import (
    CatalogError,
    FieldKind,
    ImageError,
    Product,
    RowError,
    Scalar,
    ValueUnusable,
    describe_value,
    unfit_values,
)

BATCH = 64
"""Products compared and written at once, and about as many images embedded."""

WINDOW = 3 * BATCH
"""Images that are being loaded or wait for the model."""

_IMAGE_BYTES = 50_000
"""Bytes of a row that count as an image: by the time it is written it takes many times as many."""

_THREADS = 16
"""They wait for files, for other machines and for the decode processes; the work is done elsewhere."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """A row that is a product, with what is known of it so far: as it is read, looked up and its images are loaded.

    ``number`` is its place in the catalog from 0, ``line`` where it stands in its file, ``size`` its bytes there.
    ``image_errors``, ``value_errors`` and ``load_errors`` say what of it cannot be used, and ``inline`` has the images
    that came with it, by source. ``point`` is where the index is to have the product, and ``older_point`` where it may
    have it from before ids were brought into one form.

    ``stored`` is what the index has of the product, ``stored_at`` at which point; None where it has nothing.
    ``served_images`` are the images of the product in what serves, by what they show, also where that is of another
    model. ``images`` are those that can be used, in the product's order.
    """

    number: int
    line: int
    size: int
    values: Mapping[str, Any]
    product: Product
    inline: Mapping[str, bytes]
    image_errors: tuple[ImageError, ...]
    value_errors: tuple[ValueUnusable, ...]
    point: UUID
    older_point: UUID | None
    stored: StoredState | None = None
    stored_at: UUID | None = None
    served_images: tuple[str, ...] = ()
    images: tuple[PreparedImage, ...] = ()
    load_errors: tuple[ImageError, ...] = ()


def second_pass(
    catalog: Catalog,
    todo: bytearray,
    index: Callable[[], CatalogIndex | None],
    served: CatalogIndex | None,
    loader: ImageLoader,
    watch: Stopwatch,
) -> Generator[list[CatalogRow]]:
    """The rows that ``todo`` has a 1 for, in their order, as batches to be compared and written.

    Args:
        index: What rows are compared with, as it is by now; None while there is none.
        served: What serves, where that is another index.

    Raises:
        CatalogError: the catalog is not the one that was scanned.
    """
    over = threading.Event()

    def load(row: CatalogRow) -> Loaded:
        stored_images = row.stored.images if row.stored else ()
        return loader.load(row.product.images, row.inline, stored_images, over.is_set)

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="images") as executor:
        try:
            rows = _with_stored_state(catalog_rows(catalog, todo), index, served, watch)
            loaded = prefetch(executor, load, rows, WINDOW, _cost)
            with closing(loaded), closing(_batches(loaded)) as batches:
                while True:
                    with watch.stage("wait"):
                        batch = next(batches, None)
                    if batch is None:
                        return
                    yield batch
        finally:
            over.set()  # a job that is interrupted does not wait for images


def catalog_rows(catalog: Catalog, todo: bytearray) -> Iterator[CatalogRow]:
    """The rows that ``todo`` has a 1 for. Raises CatalogError where the catalog is not the one that was scanned."""
    number = -1
    for number, row in enumerate(catalog.rows()):
        # What the scan found must hold for every row of the second pass.
        if number % 64 == 0:
            catalog.check_unchanged()
        if number >= len(todo):
            break
        if not todo[number]:
            continue
        if not isinstance(row, Row):
            raise _changed(catalog)
        try:
            product, image_errors, inline, value_errors = product_from_row(row.values, row.unusable)
        except RowError as error:
            raise _changed(catalog) from error
        unfit = unfit_values(product.to_row(), catalog.kinds).items()
        of_another_kind = tuple(_unfit(name, values, catalog.kinds[name]) for name, values in unfit)
        yield CatalogRow(
            number=number,
            line=row.line,
            size=row.size,
            values=row.values,
            product=product,
            inline=inline,
            image_errors=image_errors,
            value_errors=value_errors + of_another_kind,
            point=point_id(product.id),
            older_point=older_point(row.values),
        )
    catalog.check_unchanged()
    if number + 1 != len(todo):
        raise _changed(catalog)


def sample_pixels(catalog: Catalog, todo: bytearray, loader: ImageLoader, most: int) -> list[Pixels]:
    """The first images of up to ``most`` products of these rows; those that cannot be used are left out."""
    rows = (row for row in catalog_rows(catalog, todo) if row.product.images)
    loaded = (loader.load(row.product.images[:1], row.inline, known=()) for row in rows)
    return list(islice((image.pixels[0] for it in loaded for image in it.images if image.pixels), most))


def _unfit(name: str, values: tuple[Scalar, ...], kind: FieldKind) -> ValueUnusable:
    value = describe_value(values[0] if len(values) == 1 else list(values))
    expected = "true or false" if kind == "bool" else "a number"
    return ValueUnusable(f"{name} is {value}, and the field is {expected}: it is kept, and not filtered by", field=name)


def _changed(catalog: Catalog) -> CatalogError:
    return CatalogError(f"{catalog.name} changed while it was read; run the job again once it is complete")


def _with_stored_state(
    rows: Iterable[CatalogRow],
    index: Callable[[], CatalogIndex | None],
    served: CatalogIndex | None,
    watch: Stopwatch,
) -> Iterator[CatalogRow]:
    """Each row with what the index has of it."""
    for batch in batched_by_weight(rows, BATCH, lambda row: row.size, BATCH * _IMAGE_BYTES):
        with watch.stage("compare"):
            points = [point for row in batch for point in (row.point, row.older_point) if point]
            now = index()
            in_index = now.payloads(points, REMEMBERED) if now else {}
            in_served = served.payloads(points, REMEMBERED) if served else in_index
        for row in batch:
            stored_at, stored = _stored_state(row, in_index)
            _, serves = _stored_state(row, in_served)
            served_images = serves.shown if serves else ()
            yield replace(row, stored=stored, stored_at=stored_at, served_images=served_images)


def _stored_state(row: CatalogRow, payloads: Mapping[UUID, dict[str, Any]]) -> tuple[UUID | None, StoredState | None]:
    """Where a product is stored and its state there."""
    for point in (row.point, row.older_point):
        if point in payloads:
            assert point is not None
            return point, StoredState.from_payload(payloads[point])
    return None, None


def _cost(row: CatalogRow) -> int:
    """Images it may hold; a product without any is not free either, nor one of a very large row."""
    images = max(1, min(len(row.product.images), MAX_IMAGES))
    return images + row.size // _IMAGE_BYTES


def _batches(loaded: Iterable[tuple[CatalogRow, Loaded]]) -> Generator[list[CatalogRow]]:
    """Rows with their images, up to ``BATCH``, fewer where their images are many."""
    batch: list[CatalogRow] = []
    cost = 0
    for row, its_images in loaded:
        batch.append(replace(row, images=its_images.images, load_errors=its_images.errors))
        cost += _cost(row)
        if cost >= BATCH:
            yield batch
            batch, cost = [], 0
    if batch:
        yield batch


def prefetch(
    executor: Executor,
    work: Callable[[Item], Result],
    items: Iterable[Item],
    window: int,
    cost: Callable[[Item], int],
) -> Generator[tuple[Item, Result]]:
    """Each item with what ``work`` makes of it in the executor's threads, in the order of ``items``.

    Items are taken, and results kept, up to a total ``cost`` of ``window``, or one item where that
    alone costs more. What ``work`` raises is raised here; what is still waiting is then given up.
    """
    under_way: deque[tuple[Item, int, Future[Result]]] = deque()
    spent = 0
    try:
        for item in items:
            price = cost(item)
            while under_way and spent + price > window:
                done, its_price, future = under_way.popleft()
                spent -= its_price
                yield done, future.result()
            under_way.append((item, price, executor.submit(work, item)))
            spent += price
        while under_way:
            done, _, future = under_way.popleft()
            yield done, future.result()
    finally:
        for _, _, future in under_way:
            future.cancel()
