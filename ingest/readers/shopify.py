"""Shopify's export of products: several rows a product, of which only the first says what it is.

A row is a variant, one more picture, or both. Here each variant becomes a row that says everything:
what the product's first row says, and all the product's pictures. Rows of a picture alone are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ingest.readers.reader import Row
from schemas import Rejection

HANDLE, SKU = "Handle", "Variant SKU"
"""What the variants of a product have in common, and what tells them apart."""

_PICTURE, _OWN_PICTURE, _MORE = "Image Src", "Variant Image", "images"
_SIGNS = frozenset({HANDLE, SKU, _PICTURE, "Title", "Variant Price"})
_OPTIONS = ("Option1 Value", "Option2 Value", "Option3 Value")
_VARIANT = frozenset({SKU, "Variant Price", *_OPTIONS})
_OF_A_ROW = frozenset({_PICTURE, "Image Position", "Image Alt Text"})
_MAX_ROWS = 3_000
"""Of one product: Shopify allows 2,048 variants, and 250 pictures."""


def is_shopify(columns: Sequence[str]) -> bool:
    return frozenset(columns) >= _SIGNS and _MORE not in columns


def variants(items: Iterable[Row | Rejection]) -> Iterator[Row | Rejection]:
    """Rows of the export as rows of variants, each with an id and a handle of its own."""
    product: list[Row] = []
    for item in items:
        if isinstance(item, Rejection):
            yield item
            continue
        if product and (item.values.get(HANDLE) != product[0].values.get(HANDLE) or len(product) == _MAX_ROWS):
            yield from _variants(product)
            product = []
        product.append(item)
    yield from _variants(product)


def _variants(product: Sequence[Row]) -> Iterator[Row]:
    if not product:
        return
    said = {name: value for name, value in product[0].values.items() if name not in _VARIANT | _OF_A_ROW}
    said = {name: value for name, value in said.items() if not name.startswith("Variant ")}
    pictures = list(dict.fromkeys(row.values[_PICTURE] for row in product if _PICTURE in row.values))
    rows = [row for row in product if not _VARIANT.isdisjoint(row.values)] or product[:1]
    for row in rows:
        values = said | {name: value for name, value in row.values.items() if name not in _OF_A_ROW}
        own = values.pop(_OWN_PICTURE, None)
        if shown := list(dict.fromkeys([*([own] if own else []), *pictures])):
            values[_PICTURE] = shown[0]
            if shown[1:]:
                values[_MORE] = shown[1:]
        if SKU not in values:
            options = [str(values[name]) for name in _OPTIONS if name in values and len(rows) > 1]
            values[SKU] = "/".join([str(values.get(HANDLE, "")), *options])
        yield Row(row.line, values)
