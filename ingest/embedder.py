"""The vectors of products: which texts make which vector, and each image once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from catalog import subject_text, text_parts
from embedding import Pixels, Vectors
from index import DenseName
from ingest.images import PreparedImage
from ingest.lazy_encoder import LazyEncoder
from ingest.texts import TextVectors
from ingest.timing import Stopwatch
from schemas import Product


class Embedder:
    """``images`` and ``texts`` count what went through the encoder; each is a stage of its own in ``watch``."""

    def __init__(self, encoder: LazyEncoder, watch: Stopwatch) -> None:
        self._encoder = encoder
        self._watch = watch
        self._text_vectors = TextVectors(self._encode_texts)
        self.images = 0

    @property
    def texts(self) -> int:
        return self._text_vectors.embedded

    def embed_images(self, images: Sequence[PreparedImage]) -> dict[str, Vectors]:
        """``(views, dim) float32``, unit rows, by what they show; every image has pixels, and no two are the same."""
        pixels: list[Pixels] = [view for image in images for view in image.pixels or ()]
        if not pixels:
            return {}
        encoder = self._encoder()
        with self._watch.stage("images"):
            vectors = encoder.encode_prepared(pixels)
        self.images += len(images)
        each = np.split(vectors, len(images))
        return {image.kept.shows: rows for image, rows in zip(images, each, strict=True)}

    def embed_words(self, products: Sequence[Product]) -> list[dict[DenseName, Vectors]]:
        """The text vectors of each product, ``(dim,) float32``, unit length; one without words is not there.

        ``title`` is that of the product's subject, ``text`` the mean of those of all its parts.
        """
        texts = [(subject_text(product), text_parts(product)) for product in products]
        wanted = dict.fromkeys(text for subject, parts in texts for text in (subject, *parts) if text)
        vectors = dict(zip(wanted, self._text_vectors(list(wanted)), strict=True))
        embedded: list[dict[DenseName, Vectors]] = []
        for subject, parts in texts:
            by_name: dict[DenseName, Vectors] = {"title": vectors[subject]} if subject else {}
            if parts:
                by_name["text"] = _mean([vectors[part] for part in parts])
            embedded.append(by_name)
        return embedded

    def _encode_texts(self, texts: Sequence[str]) -> Vectors:
        encoder = self._encoder()
        with self._watch.stage("texts"):
            return encoder.encode_texts(texts)


def _mean(vectors: Sequence[Vectors]) -> Vectors:
    """``(dim,) float32``, unit length, in the direction between unit vectors."""
    total: Vectors = np.sum(vectors, axis=0, dtype=np.float32)
    return total / np.float32(np.linalg.norm(total))
