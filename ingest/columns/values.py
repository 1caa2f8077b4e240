"""How the columns of a product may be written by others: one rule for each, whatever format and name it comes under.

A reader of a value gives it as the contract has it, and raises ValueError, with what was expected, for what it cannot
read. Prices are another matter, as their whole column is asked: see ``ingest.columns.prices``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ingest.columns.prices import price_text
from ingest.columns.stock import parse_stock
from schemas import MAX_EXACT, one_number, split_commas

Read = Callable[[Any], Any]

_BETWEEN = re.compile(
    r"[,;]\s*(?=https?://)|(?:(?<=\.jpg|\.png|\.gif|\.bmp|\.tif)|(?<=\.jpeg|\.webp|\.avif|\.tiff))[,;]\s*|\s*[|\r\n]\s*",
    re.I,
)


def split_images(text: str) -> list[str]:
    """Images of one text, between ``|``, or commas where a URL follows or a file's name ends; a data: URI is one."""
    return [text] if text.startswith("data:") else [part for part in _BETWEEN.split(text.strip()) if part]


def _sole(value: Any) -> Any:
    """Of a list of one, that one."""
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


def _number_text(value: int | float) -> str:
    return json.dumps(one_number(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _id(value: Any) -> str:
    value = _sole(value)
    if _is_number(value) and (isinstance(value, int) or (value.is_integer() and abs(value) <= MAX_EXACT)):
        return str(int(value))
    if isinstance(value, str):
        return value
    raise ValueError("expected text or a whole number")


def _text(value: Any) -> str:
    value = _sole(value)
    if isinstance(value, str):
        return value
    raise ValueError("expected text")


def _label(value: Any) -> str:
    """A number is its text: brand 4711, model 3."""
    value = _sole(value)
    return _number_text(value) if _is_number(value) else _text(value)


def _labels(value: Any) -> Any:
    """A list; of text a JSON array, or what is between ``|``."""
    if isinstance(value, str):
        value = _array(value) or [part.strip() for part in value.split("|") if part.strip()]
        return _sole(value)
    if isinstance(value, list | tuple):
        return [_number_text(item) if _is_number(item) else item for item in value]
    return _label(value)


def _tags(value: Any) -> Any:
    """As ``_labels``; between commas as well where there is no ``|``."""
    value = _labels(value)
    if isinstance(value, str) and "," in value:
        return _sole(split_commas(value))
    return value


def _images(value: Any) -> Any:
    return _sole(_array(value) or split_images(value)) if isinstance(value, str) else value


def _array(text: str) -> list[Any] | None:
    """A JSON array; None for what is none."""
    if not text.lstrip().startswith("["):
        return None
    try:
        array = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return array if isinstance(array, list) else None


def _stock(value: Any) -> bool:
    stock = parse_stock(_sole(value))
    if stock is None:
        raise ValueError("expected true or false, how many there are, or a word for either such as in_stock, preorder")
    return stock


READ: dict[str, Read] = {
    "id": _id,
    "title": _label,
    "description": _label,
    "images": _images,
    "category": _label,
    "brand": _label,
    "currency": _label,
    "color": _labels,
    "in_stock": _stock,
    "tags": _tags,
    "group_id": _id,
    "language": _label,
}
"""For each of our columns how it is read; the others are as they are."""


AS_THEY_ARE: dict[str, frozenset[type]] = {
    **dict.fromkeys(
        ("id", "title", "description", "category", "brand", "currency", "group_id", "language"), frozenset({str})
    ),
    "price": frozenset({int, float}),
    "in_stock": frozenset({bool}),
}
"""Types of values that need no reading, for most of them are such."""


def fits(ours: str, value: Any) -> bool:
    """Whether a value under another name may well be one of our column ``ours``."""
    if ours in ("image", "images"):
        return all(map(_may_be_image, value if isinstance(value, list | tuple) else [value]))
    if ours == "price":
        return price_text(value) is not None if isinstance(value, str) else _is_number(_sole(value))
    if ours in ("color", "tags"):
        value = _array(value) or value if isinstance(value, str) else value
        return all(map(_may_be_label, value if isinstance(value, list | tuple) else [value]))
    if ours == "in_stock":
        return parse_stock(_sole(value)) is not None
    if ours in ("title", "description"):  # a number may be one, but no number says so
        return isinstance(_sole(value), str)
    if ours in ("id", "group_id"):
        try:
            READ[ours](value)
        except ValueError:
            return False
        return True
    return _may_be_label(_sole(value))


def _may_be_label(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, str) and not value.lstrip().startswith(("[", "{")))


def _may_be_image(value: Any) -> bool:
    if isinstance(value, str):
        text = value.strip()
        return any(c in text for c in "/\\.:") or not any(c.isspace() for c in text)
    return isinstance(value, bytes) or (isinstance(value, dict) and value.keys() <= {"bytes", "path"})
