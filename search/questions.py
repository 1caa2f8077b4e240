"""What a request asks with, as vectors: each modality is encoded once, and kept for who asks the same again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
from cachetools import LRUCache

from catalog import points_of
from embedding import Encoder, Preparer
from images import Decoded, ImageLimits, decode_for_model, fingerprint_cells, hash_bytes
from images.inline import decode_query_image
from index import CatalogIndex, DenseName, Stored
from labels import Decode, is_hidden
from schemas import Action, Crop, Like, ProductNotFound, SearchRequest, StoreLensError
from search.mixture import Mixture, Part
from search.plan import AskedImage, Question, Vector
from search.reading import Read
from search.understanding import Understood

Encoded = TypeVar("Encoded")


class Understand(Protocol):
    def __call__(self, text: str, /, *, literal: bool) -> Understood:
        """What words ask for, or, where they are ``literal``, the words themselves."""


QUERY_CACHE = 4096
"""Encoded questions kept: a page after the first, and what many people ask, are not encoded again."""


class Questions:
    """Of one index, encoded by its model. Thread-safe."""

    def __init__(self, index: CatalogIndex, encoder: Encoder, limits: ImageLimits) -> None:
        self._index = index
        self._encoder = encoder
        self._limits = limits
        self._encoding = threading.Lock()
        self._cache: LRUCache[str | bytes, Any] = LRUCache(QUERY_CACHE)
        """Vectors by words, images by their hashes."""

    def mixture(
        self,
        request: SearchRequest,
        read: Read,
        understand: Understand,
        query_image: bytes | None,
        decode: Decode | None = None,
        hidden: Collection[Action] = (),
    ) -> Mixture | None:
        """Everything that is asked with, as vectors; None for a browse.

        Args:
            decode: Left out, images are decoded here.
            hidden: Products of which one of these is decided count as not there.
        """
        own = self.question(request, read, understand, query_image, decode, hidden)
        parts = [] if own is None else [Part(own)]
        for number, like in enumerate(request.like or ()):
            question = self._liked(like, f"like.{number}", partial(understand, literal=request.literal), decode, hidden)
            parts.append(Part(question, like.weight, f"like.{number}"))
        if not parts:
            return None
        if len(parts) == 1:  # its weight is beside nothing
            parts = [Part(parts[0].question)]
        negative = request.negative
        if negative is None:
            return Mixture(parts)
        against = [self._product_question(id, hidden, "negative.product_ids") for id in negative.product_ids or ()]
        if negative.text is not None:
            against.append(
                self._with_words(Question(), understand(negative.text, literal=request.literal), negative.text)
            )
        return Mixture(parts, against, negative.weight)

    def _liked(
        self,
        like: Like,
        name: str,
        understand: Callable[[str], Understood],
        decode: Decode | None,
        hidden: Collection[Action],
    ) -> Question:
        if like.text is not None:
            return self._with_words(Question(), understand(like.text), like.text)
        if like.product_id is not None:
            return self._product_question(like.product_id, hidden, f"{name}.product_id")
        assert like.image is not None
        try:
            return Question(images=[self._image(decode_query_image(like.image), decode, like.image.crop)])
        except StoreLensError as error:
            if error.field is not None and error.field.startswith("image"):
                error.field = f"{name}.{error.field}"
            raise

    def question(
        self,
        request: SearchRequest,
        read: Read,
        understand: Understand,
        query_image: bytes | None,
        decode: Decode | None = None,
        hidden: Collection[Action] = (),
    ) -> Question | None:
        """What is asked with but for ``like``; None where that is nothing."""
        question = Question()
        if request.product_id is not None:
            question = self._product_question(request.product_id, hidden)
        if query_image is not None:
            crop = request.image.crop if request.image else None
            question = replace(question, images=[*question.images, self._image(query_image, decode, crop)])
        if read.text:
            question = self._with_words(question, understand(read.text, literal=request.literal), read.text)
        return None if question.empty else question

    def _with_words(self, question: Question, understood: Understood, written: str) -> Question:
        """Words beside a product refine what is asked for; its own title and text give way to them."""
        vector = self._text(understood.encoded or (understood.text,))
        return replace(
            question,
            written=written,
            words=understood.text,
            alternatives=understood.alternatives,
            lacking=understood.lacking,
            text=vector,
            title=vector,
            details=vector,
        )

    def _text(self, ways: Sequence[str]) -> Vector:
        """The vector of what is meant, said in some ways: the direction of their mean."""
        vectors: list[Vector] = [self._cached(text, partial(self._encode, text)) for text in ways]
        if len(vectors) == 1:
            return vectors[0]
        mean = np.mean(vectors, axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    def encode_ahead(self, texts: Iterable[str]) -> None:
        """Encode texts together that will be asked for: a fraction of the time that they take one by one."""
        with self._encoding:
            new = [text for text in dict.fromkeys(texts) if text not in self._cache]
            if new:
                self._cache.update(zip(new, self._encoder.encode_texts(new), strict=True))

    def _encode(self, text: str) -> Vector:
        vector: Vector = self._encoder.encode_texts([text])[0]
        return vector

    def _image(self, query_image: bytes, decode: Decode | None, crop: Crop | None = None) -> AskedImage:
        decode = decode or self._decode
        hash = hash_bytes(query_image)
        if crop is not None:
            hash = f"{hash} {crop.model_dump_json()}"  # of a part, which no product's image is byte by byte
            decode = partial(decode, crop=crop)
        with self._encoding:
            known: AskedImage | None = self._cache.get(hash.encode())
        if known is not None:
            return known
        # Not where others wait to encode: how long it takes is for whoever made the image to say.
        decoded = decode(query_image, self._encoder.preparer)

        def encode() -> AskedImage:
            return AskedImage(self._encoder.encode_prepared(decoded.pixels)[0], hash, fingerprint_cells(decoded.phash))

        return self._cached(hash.encode(), encode)

    def _decode(self, query_image: bytes, prepare: Preparer, crop: Crop | None = None) -> Decoded:
        return decode_for_model(query_image, self._limits, prepare, crop=crop)

    def _cached(self, key: str | bytes, encode: Callable[[], Encoded]) -> Encoded:
        # One at a time: the encoder asks for it, and two requests for the same words encode once.
        with self._encoding:
            encoded: Encoded | None = self._cache.get(key)
            if encoded is None:
                encoded = encode()
                self._cache[key] = encoded
        return encoded

    def product(
        self,
        product_id: str,
        vectors: Sequence[DenseName] = (),
        hidden: Collection[Action] = (),
        field: str = "product_id",
    ) -> Stored:
        """The product of an id, in whatever form of Unicode it is given. Raises ProductNotFound.

        Args:
            hidden: What counts as not there where it is decided of it.
            field: What the error names.
        """
        stored = self._index.fetch(points_of(product_id), vectors)
        for point in points_of(product_id):
            if point in stored and not is_hidden(stored[point].payload, hidden):
                return stored[point]
        raise ProductNotFound(f"there is no product {product_id!r}", field=field)

    def _product_question(self, product_id: str, hidden: Collection[Action], field: str = "product_id") -> Question:
        stored = self.product(product_id, ("image", "title", "text"), hidden, field)
        images = stored.vectors.get("image")
        return Question(
            product=product_id,
            title=stored.vectors.get("title"),
            details=stored.vectors.get("text"),
            # Its first image is the one a shop chose to stand for it.
            images=[] if images is None else [_held(images[0], stored.payload)],
        )


def _held(vector: Vector, payload: dict[str, Any]) -> AskedImage:
    """The first usable image of a product."""
    kept: dict[str, Any] = next(iter(payload.get("pictures", ())), {})
    return AskedImage(vector, kept.get("hash"), fingerprint_cells(kept.get("phash", "")))
