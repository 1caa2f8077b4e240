"""A product as a point: its id, its payload, and what of it can be filtered.

The payload, which is all that an index knows of a product besides its vectors:

    {"id", "product": the row, "fields": {name: filterable value}, "title_key", "codes", "code_parts", "terms",
     "subject_terms", "root",
     "hashes": {"words", "lexical", "payload", "row"}, "pictures": [{"at", "hash", "phash", "mark", "ground"}, ..]}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from catalog.codes import product_codes
from catalog.hashes import StoredImage, StoredState, hash_json, hash_lexical, hash_words
from catalog.rows import older_id
from catalog.texts import title_text
from images.inline import INLINE
from schemas import FieldKind, Product, clean_code, fold, stored_fields

_NAMESPACE = UUID("6f0b7a3e-52a1-5d0c-9b1e-7d1f6c1f0a11")
"""Fixed for ever: the ids of every index ever written depend on it."""

_CREDENTIALS = re.compile(r"(?<=://)[^/?#]*@")


def point_id(product_id: str) -> UUID:
    """The point of a product: UUIDv5, the same everywhere and always."""
    return uuid5(_NAMESPACE, product_id)


def points_of(product_id: str) -> list[UUID]:
    """Where a product may be: under its id as it is stored, and as it was before ids were brought into one form."""
    return list(dict.fromkeys(point_id(id) for id in (clean_code(product_id), product_id)))


def older_point(row: object) -> UUID | None:
    """Where an index has the product of a row that kept ids as they stood there; None where that is no other place."""
    id = older_id(row) if isinstance(row, Mapping) else None
    return point_id(id) if id else None


def title_key(title: str) -> str:
    """A title as it is compared with a request's words: case, spaces and marks on letters do not matter."""
    return " ".join(fold(title).split())


def payload(product: Product, *, kinds: Mapping[str, FieldKind], root: str, state: StoredState) -> dict[str, Any]:
    """The payload of a product's point, of JSON values alone.

    Args:
        kinds: Of all filterable fields of the catalog.
        root: Where the relative paths of images lead: see ``images.roots``.
        state: What ``stored_state`` made of the same product and root.
    """
    title, codes = title_text(product), product_codes(product)
    row = product.to_row()
    return {
        "id": product.id,
        "product": row,
        "fields": stored_fields(row, kinds),
        "root": root,
        **({} if title is None else {"title_key": title_key(title)}),
        **({"codes": list(codes.keys)} if codes.keys else {}),
        **({"code_parts": list(codes.parts)} if codes.parts else {}),
        **state.to_payload(),
    }


def stored_state(product: Product, *, root: str, images: Sequence[StoredImage] = (), row: str = "") -> StoredState:
    """What an index is to remember of a product with these images.

    What can be filtered follows from the row, and where a field changes its kind the index makes its values anew
    by itself: neither is a part of its own.

    Args:
        row: The hash of the row as it was read.
    """
    words = hash_words(product)
    return StoredState(
        words=words,
        payload=hash_json([product.to_row(), root]),
        lexical=hash_lexical(product, words),
        shown=tuple(image.shows for image in images),
        images=tuple(images),
        row=row,
    )


def image_sources(payload: Mapping[str, Any]) -> list[str]:
    """Where a product's images are, in its order, as the catalog has them."""
    row = payload.get("product", {})
    return [row["image"], *row.get("images", [])] if "image" in row else []


def stored_image_hash(payload: Mapping[str, Any], at: int) -> str | None:
    """The hash under which the store has the image of that place in a product; None where it has none.

    Args:
        payload: Of the product's point.
    """
    source = image_sources(payload)[at]
    if source.startswith(INLINE):
        return source.removeprefix(INLINE)
    return next((image["hash"] for image in payload.get("pictures", []) if image["at"] == at), None)


def stored_hashes(payload: Mapping[str, Any]) -> set[str]:
    """The hash of every image of a product that the store may have, with a vector or not."""
    inline = (source.removeprefix(INLINE) for source in image_sources(payload) if source.startswith(INLINE))
    return {*inline, *(image["hash"] for image in payload.get("pictures", ()) if "hash" in image)}


def shown_product(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A product as callers see it: its row, and of its images nothing but what concerns them.

    Where a folder lies on a server, and a name and password in a URL, do not.
    """
    shown: dict[str, Any] = dict(payload["product"])
    if "image" in shown:
        shown["image"] = _public(shown["image"])
    if "images" in shown:
        shown["images"] = [_public(source) for source in shown["images"]]
    return shown


def _public(source: str) -> str:
    if source.startswith("/"):
        return source.rpartition("/")[2]
    return _CREDENTIALS.sub("", source, count=1)
