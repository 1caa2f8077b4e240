"""A row of a catalog becomes a product; a value that its column cannot have is left out, with an error that says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from catalog.attributes import attribute_columns, read_attributes
from catalog.values import (
    is_absent,
    is_unicode,
    read_id,
    read_in_stock,
    read_price,
    read_text,
    read_texts,
    with_clean_names,
)
from images.inline import check_bytes, from_data_uri, source_of
from images.limits import with_scheme
from schemas import (
    MAX_ID,
    ImageError,
    ImageSourceUnsupported,
    Product,
    RowError,
    ValueUnusable,
    clean_code,
    clean_prose,
    describe_value,
)

_MAX_ERRORS = 64
_Value = TypeVar("_Value")


class ParsedRow(NamedTuple):
    """A product, and what is wrong with those of its images and values that had to be left out.

    ``inline`` has the bytes of those images that the row itself holds, by their sources: ``picture:HASH``.
    """

    product: Product
    image_errors: tuple[ImageError, ...]
    inline: Mapping[str, bytes] = {}
    value_errors: tuple[ValueUnusable, ...] = ()


def product_from_row(row: Mapping[str, Any], unusable: Mapping[str, ValueUnusable] | None = None) -> ParsedRow:
    """The product that a row describes.

    Text is brought into one form (``schemas.text``) and out of HTML (``catalog.markup``), here and nowhere else; ids
    keep what looks like HTML. Blank text and nulls are absent. A value that its column cannot have costs the row this
    value and no more.

    Args:
        unusable: Columns whose values are known to be of no use, and why; they are left out.

    Raises:
        RowError: there is no id, or neither title, description nor image; ``field`` is the column that is wrong.
    """
    row = with_clean_names(row)
    errors: list[ValueUnusable] = []
    if unusable:
        row = {name: value for name, value in row.items() if name not in unusable}
        errors += unusable.values()
    attributes = attribute_columns(row, errors)
    try:
        product_id = read_id(row.get("id"), "id")
    except ValueUnusable as error:
        raise RowError(error.message, field="id") from error
    if product_id is None:
        if unusable and "id" in unusable:
            raise RowError(unusable["id"].message, field="id")
        raise RowError("the row has no id; it needs some text that no other product has", field="id")
    if len(product_id) > MAX_ID:
        raise RowError(f"id is longer than {MAX_ID:,} characters", field="id")
    images, image_errors, inline = _images(row)
    product = Product(
        id=product_id,
        title=_usable(errors, read_text, row, "title"),
        description=_usable(errors, read_text, row, "description", clean_prose),
        images=images,
        category=_usable(errors, read_text, row, "category"),
        brand=_usable(errors, read_text, row, "brand"),
        price=_usable(errors, read_price, row.get("price")),
        currency=_usable(errors, read_text, row, "currency"),
        color=read_texts(row, "color", errors),
        in_stock=_usable(errors, read_in_stock, row.get("in_stock")),
        tags=read_texts(row, "tags", errors),
        group_id=_usable(errors, read_id, row.get("group_id"), "group_id"),
        language=_usable(errors, read_text, row, "language"),
        attributes=read_attributes(row, attributes, errors),
    )
    if not (product.title or product.description or product.images):
        wrong = next((e for e in (*errors, *image_errors) if e.field in _NEEDED), None)
        if wrong:
            raise RowError(f"{wrong.message}; and there is no other title, description or image", field=wrong.field)
        raise RowError("the row needs at least one of title, description and image", field="title")
    return ParsedRow(product, tuple(image_errors), inline, tuple(errors))


_NEEDED = ("title", "description", "image", "images")


def _usable(errors: list[ValueUnusable], read: Callable[..., _Value | None], *arguments: Any) -> _Value | None:
    """What ``read`` returns; where the value is of no use, None and one more error."""
    try:
        return read(*arguments)
    except ValueUnusable as error:
        errors.append(error)
        return None


def readable_id(row: object) -> str | None:
    """The id of a row that may be wrong in every other way; None where it has none that can be read."""
    try:
        return read_id(with_clean_names(row).get("id"), "id") if isinstance(row, Mapping) else None
    except RowError:
        return None


def older_id(row: Mapping[str, Any]) -> str | None:
    """The id of a row as it stands there, which was that of its product before ids were brought into one form; None
    where it is the id."""
    written = with_clean_names(row).get("id")
    return written if isinstance(written, str) and is_unicode(written) and clean_code(written) != written else None


def _images(row: Mapping[str, Any]) -> tuple[tuple[str, ...], list[ImageError], dict[str, bytes]]:
    """Sources in their order without repeats, an error for each value that can be none, and what the row itself has."""
    sources: dict[str, None] = {}
    errors: list[ImageError] = []
    inline: dict[str, bytes] = {}
    for column in ("image", "images"):
        given = row.get(column)
        if given is None:
            continue
        for value in given if isinstance(given, list | tuple) else [given]:
            try:
                source = _source(value, column, inline)
            except ImageError as error:
                if len(errors) < _MAX_ERRORS:  # a row may be a list of a million numbers
                    errors.append(error)
            else:
                if source is not None:
                    sources[source] = None
    return tuple(sources), errors, inline


def _source(value: object, column: str, inline: dict[str, bytes]) -> str | None:
    """A path, a URL or ``picture:HASH``; None for an absent one. What the row itself has is put into ``inline``.

    URLs come out of HTML, where ``&`` is ``&amp;``; a file may be called just that.
    """
    if is_absent(value):
        return None
    if isinstance(value, dict) and value.keys() <= {"bytes", "path"}:  # as Hugging Face datasets have them
        value = value.get("path") if value.get("bytes") is None else value["bytes"]
        if is_absent(value):
            return None
    if isinstance(value, str) and is_unicode(value):
        value = clean_code(value)
        if value.startswith(("http://", "https://")):
            value = value.replace("&amp;", "&")
        if not value.startswith(("data:", "Data:", "DATA:")):
            return with_scheme(value)
        data = from_data_uri(value, column)
    elif isinstance(value, bytes | bytearray | memoryview):
        data = check_bytes(bytes(value), column)
    else:
        expected = "a path beside the catalog file, a URL, a data: URI, or bytes"
        raise ImageSourceUnsupported(f"{column} is {describe_value(value)}, expected {expected}", field=column)
    source = source_of(data)
    inline[source] = data
    return source
