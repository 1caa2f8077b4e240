"""Shopify's export of products: several rows a product, of which only the first says what it is.

A row is a variant, one more image, or both. Here each variant becomes a row that says everything:
what the product's first row says, and all the product's images. Rows of an image alone are gone.
Shopify has written its columns under other names since 2024; both are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.columns.stock import parse_stock
from ingest.readers.reader import Row
from schemas import Rejection

_MORE = "images"
_MAX_ROWS = 3_000
"""Of one product: Shopify allows 2,048 variants, and 250 images."""


@dataclass(frozen=True, slots=True)
class ShopifyExport:
    """What the columns are called. ``handle`` is what the variants of a product have in common, and ``sku`` what tells
    them apart; ``quantity`` is how many there are, ``sold_on`` whether it is sold when there are none; ``variant`` are
    those that only a variant has, ``of_image`` those about an image."""

    handle: str
    sku: str
    title: str
    price: str
    image: str
    own_image: str
    quantity: str
    sold_on: str
    options: tuple[str, ...]
    variant: frozenset[str]
    of_image: frozenset[str]

    @property
    def known(self) -> dict[str, str]:
        """Our columns -> theirs that are not to be guessed."""
        return {"id": self.sku, "group_id": self.handle, "image": self.image}

    def variants(self, items: Iterable[Row | Rejection]) -> Iterator[Row | Rejection]:
        """Rows of the export as rows of variants, each with an id and a handle of its own."""
        product: list[Row] = []
        for item in items:
            if isinstance(item, Rejection):
                yield item
                continue
            if product and (
                item.values.get(self.handle) != product[0].values.get(self.handle) or len(product) == _MAX_ROWS
            ):
                yield from self._variants(product)
                product = []
            product.append(item)
        yield from self._variants(product)

    def _variants(self, product: Sequence[Row]) -> Iterator[Row]:
        if not product:
            return
        said = {
            name: value
            for name, value in product[0].values.items()
            if name not in self.variant and name not in self.of_image and not name.startswith("Variant ")
        }
        images = list(dict.fromkeys(row.values[self.image] for row in product if self.image in row.values))
        tells = {self.sku, self.price, *self.options}
        rows = [row for row in product if not tells.isdisjoint(row.values)] or product[:1]
        for row in rows:
            values = said | {name: value for name, value in row.values.items() if name not in self.of_image}
            own = values.pop(self.own_image, None)
            if shown := list(dict.fromkeys([*([own] if own else []), *images])):
                values[self.image] = shown[0]
                if shown[1:]:
                    values[_MORE] = shown[1:]
            if self.sku not in values:
                options = [str(values[name]) for name in self.options if name in values and len(rows) > 1]
                values[self.sku] = "/".join([str(values.get(self.handle, "")), *options])
            if (stock := self._in_stock(row.values)) is not None and "in_stock" not in values:
                values["in_stock"] = stock
            yield Row(row.line, values, size=row.size)

    def _in_stock(self, values: Mapping[str, Any]) -> str | None:
        """Of how many there are and what happens when there are none; None where nothing says how many."""
        quantity = parse_stock(values.get(self.quantity))
        sold_on = str(values.get(self.sold_on, "")).strip().lower() in ("continue", "true", "yes")
        return None if quantity is None else "true" if quantity or sold_on else "false"


_OLD_OPTIONS = ("Option1 Value", "Option2 Value", "Option3 Value")
_NEW_OPTIONS = ("Option1 value", "Option2 value", "Option3 value")
_EXPORTS = (
    ShopifyExport(
        handle="Handle",
        sku="Variant SKU",
        title="Title",
        price="Variant Price",
        image="Image Src",
        own_image="Variant Image",
        quantity="Variant Inventory Qty",
        sold_on="Variant Inventory Policy",
        options=_OLD_OPTIONS,
        variant=frozenset({"Variant SKU", "Variant Price", *_OLD_OPTIONS}),
        of_image=frozenset({"Image Src", "Image Position", "Image Alt Text"}),
    ),
    ShopifyExport(
        handle="URL handle",
        sku="SKU",
        title="Title",
        price="Price",
        image="Product image URL",
        own_image="Variant image URL",
        quantity="Inventory quantity",
        sold_on="Continue selling when out of stock",
        options=_NEW_OPTIONS,
        variant=frozenset(
            {
                *("SKU", "Barcode", "Barcodes", *_NEW_OPTIONS, "Price", "Price / International", "Compare-at price"),
                *("Compare-at price / International", "Cost per item", "Charge tax", "Tax code", "Inventory tracker"),
                *("Inventory quantity", "Continue selling when out of stock", "Weight value (grams)"),
                *("Weight unit for display", "Requires shipping", "Fulfillment service", "Variant image URL"),
            }
        ),
        of_image=frozenset({"Product image URL", "Image position", "Image alt text"}),
    ),
)


def shopify_export(columns: Sequence[str]) -> ShopifyExport | None:
    """Which of Shopify's exports has these columns."""
    if _MORE in columns:
        return None
    for export in _EXPORTS:
        if {export.handle, export.sku, export.title, export.price, export.image} <= set(columns):
            return export
    return None
