"""What a catalog row becomes: a product, or a rejection that says why not."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

MAX_ID = 1_024
MAX_NAME = 256
"""Characters of a column's name; of nested ones the full name, as ``nutrition.protein``."""

ProductId = Annotated[str, Field(min_length=1, max_length=MAX_ID)]
FieldName = Annotated[str, Field(max_length=MAX_NAME)]

STANDARD_COLUMNS = (
    "id",
    "title",
    "description",
    "image",
    "images",
    "category",
    "brand",
    "price",
    "currency",
    "color",
    "in_stock",
    "tags",
    "group_id",
    "language",
)
"""Columns with a meaning of their own; any other becomes an attribute under its own name."""


class Product(BaseModel):
    """One valid catalog row.

    ``image`` and ``images`` of the row are one tuple here, in that order and without repeats.
    ``attributes`` holds every other column: scalars, lists of scalars (both filterable), and values
    of other shapes (kept and returned, not filterable). Absent and null are the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: ProductId
    title: str | None = None
    description: str | None = None
    images: tuple[str, ...] = ()
    category: str | None = None
    brand: str | None = None
    price: float | None = Field(default=None, allow_inf_nan=False)
    currency: str | None = None
    color: tuple[str, ...] = ()
    in_stock: bool | None = None
    tags: tuple[str, ...] = ()
    group_id: str | None = None
    language: str | None = None
    attributes: dict[str, JsonValue] = Field(default_factory=dict)

    def to_row(self) -> dict[str, Any]:
        """The product as a catalog row again: nothing empty, attributes beside the standard columns.

        The first image is `image` and the others are `images`; a single colour is text.
        """
        row = self.model_dump(mode="json", exclude={"images", "color", "attributes"}, exclude_none=True)
        if self.images:
            row["image"] = self.images[0]
        if self.images[1:]:
            row["images"] = list(self.images[1:])
        if self.color:
            row["color"] = self.color[0] if len(self.color) == 1 else list(self.color)
        if not self.tags:
            del row["tags"]
        return row | self.attributes


class Rejection(BaseModel):
    """One line of the rejects file: a row, or a part of it, that was not indexed and why.

    ``content`` is the row as it was read, its columns under our names and its bytes as data: URIs, so
    that it can be mended and tried again; where it could not be parsed, its text, cut to 10,000 characters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: int = Field(description="Line of the catalog, from 1; the row's number where there are no lines.")
    id: str | None = Field(None, description="The product's id where it could be read.")
    field: str | None = Field(None, description="The column that is wrong, where one is.")
    code: str = Field(description="Stable name of the reason: the `code` of an error in `schemas.errors`.")
    reason: str = Field(description="The reason, for people.")
    degraded: bool = Field(False, description="The product was indexed all the same, without this part of it.")
    root: str | None = Field(None, description="Where the row's relative image paths lead.")
    content: JsonValue = None
