"""What labels are given to, and policies decide of: images, texts and products, as vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np

from catalog import points_of
from embedding import Encoder
from images import Decoded
from images.arrays import Vectors, check_vectors
from images.inline import decode_query_image
from index import DECISION, CatalogIndex, Stored
from labels.background import Kind
from labels.review import is_hidden
from schemas import (
    Action,
    All,
    ClassifyRequest,
    Decided,
    InvalidCursor,
    ModerateRequest,
    Not,
    ProductNotFound,
    parse_filter,
)

Decode = Callable[..., Decoded]
"""Given the bytes of an image, what prepares it for the model, and perhaps the ``crop`` that is meant."""

_BATCH = 100
"""Products read at a time: one may have hundreds of image vectors."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """What is judged, a row each of ``vectors``, ``(n, dim) float32``, unit rows: of ``starts`` and beyond, up to the
    next one, are the images of one product. ``ids`` are of products, and None for anything else."""

    ids: list[str | None]
    kinds: list[Kind]
    vectors: Vectors
    starts: list[int]
    next_cursor: str | None = None
    appeals: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What people decided of some of the products, by their ids."""

    @property
    def firsts(self) -> Vectors:
        """``(things, dim)``: of products their first images, which the shop has chosen to stand for them."""
        return self.vectors[self.starts]

    def of(self, kind: Kind) -> list[int]:
        return [at for at, one in enumerate(self.kinds) if one == kind]


class SubjectReader:
    """Reads what requests are about."""

    def __init__(self, index: CatalogIndex, encoder: Encoder) -> None:
        self._index = index
        self._encoder = encoder

    def read(
        self,
        request: ClassifyRequest | ModerateRequest,
        image: bytes | None,
        decode: Decode,
        hidden: Sequence[Action],
    ) -> Subjects:
        """What a request asks about.

        Args:
            image: The bytes of an uploaded one, in place of ``request.image``.
            hidden: Products of which one of these is decided are not there.

        Raises:
            RequestError: nothing asked, or two things; an unknown field, a wrong type.
            ImageError: the image cannot be used.
            ProductNotFound: one of the products is not in the index.
        """
        request.require_one(image=image is not None)
        if image is None and request.image is not None:
            image = decode_query_image(request.image)
        if image is not None:
            if request.image is not None and request.image.crop is not None:
                decode = partial(decode, crop=request.image.crop)
            return Subjects([None], ["image"], self.image(image, decode)[None], [0])
        if request.text is not None:
            vectors = self._encoder.encode_texts([request.text])
            check_vectors(vectors, (1, self._encoder.spec.dimension), "the text")
            return Subjects([None], ["text"], vectors, [0])
        if request.product_ids is not None:
            stored = self.products(request.product_ids, hidden)
            if len(stored) < len(request.product_ids):
                known = {product.payload["id"] for product in stored}
                missing = next(id for id in request.product_ids if id not in known)
                raise ProductNotFound(f"there is no product {missing!r}", field="product_ids")
            return _rows(stored, None)
        return self._matching(request, hidden)

    def _matching(self, request: ClassifyRequest | ModerateRequest, hidden: Sequence[Action]) -> Subjects:
        filter = parse_filter(request.filter or {}, self._index.record.fields)
        if hidden:
            filter = All((filter, Not(Decided(tuple(hidden)))))
        after = None
        if request.cursor is not None:
            try:
                after = UUID(request.cursor)
            except ValueError as error:
                raise InvalidCursor("the cursor is not one of this server's", field="cursor") from error
        points = self._index.scan(filter, request.limit + 1, after)
        shown = points[: request.limit]
        found: dict[UUID, Stored] = {}
        for at in range(0, len(shown), _BATCH):
            found |= self._index.fetch(shown[at : at + _BATCH], ("image", "title", "text"))
        stored = [found[point] for point in shown if point in found]
        return _rows(stored, str(shown[-1]) if len(points) > len(shown) else None)

    def products(self, ids: Sequence[str], hidden: Sequence[Action] = ()) -> list[Stored]:
        """Those that are there, in the order given."""
        found: dict[UUID, Stored] = {}
        points = [points_of(id) for id in ids]
        every = [point for some in points for point in some]
        for at in range(0, len(every), _BATCH):
            found |= self._index.fetch(every[at : at + _BATCH], ("image", "title", "text"))
        if hidden:
            found = {point: stored for point, stored in found.items() if not is_hidden(stored.payload, hidden)}
        return [next(found[point] for point in some if point in found) for some in points if found.keys() & set(some)]

    def image(self, data: bytes, decode: Decode) -> Vectors:
        """``(dim,) float32``, unit length."""
        vectors = self._encoder.encode_prepared(decode(data, self._encoder.preparer).pixels[:1])
        check_vectors(vectors, (1, self._encoder.spec.dimension), "the image")
        vector: Vectors = vectors[0]
        return vector


def _rows(stored: Sequence[Stored], next_cursor: str | None) -> Subjects:
    """Products by all their images, and those without any by their titles, or else their texts."""
    ids: list[str | None] = []
    kinds: list[Kind] = []
    starts: list[int] = []
    rows: list[Vectors] = []
    appeals = {
        product.payload["id"]: decision["appeal"]
        for product in stored
        if "appeal" in (decision := product.payload.get(DECISION, {}))
    }
    for product in stored:
        images = product.vectors.get("image")
        texts = [product.vectors[name] for name in ("title", "text") if name in product.vectors]
        by_image = images is not None and len(images) > 0
        if not by_image and not texts:
            continue
        ids.append(product.payload["id"])
        kinds.append("image" if by_image else "text")
        starts.append(len(rows))
        rows += list(images) if by_image and images is not None else texts[:1]
    vectors = np.stack(rows) if rows else np.empty((0, 1), np.float32)
    return Subjects(ids, kinds, vectors, starts, next_cursor, appeals)
