"""The vectors of products: the encoder, which is loaded when something must be embedded, and what goes through it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from cachetools import LRUCache

from catalog import subject_text, text_parts
from embedding import Choice, Encoder, Pixels, Vectors, choose_int8, load_encoder
from index import DenseName
from ingest.images import PreparedImage
from ingest.timing import Stopwatch
from schemas import Precision, PrecisionQuality, Product

log = logging.getLogger(__name__)

SAMPLE = 256
"""Images that int8 is measured on, taken all over the catalog."""

TEXTS_KEPT = 4096
"""Texts whose vectors are kept: variants of a product share their title and description."""


class LazyEncoder:
    """An encoder that is loaded when it is first called, as that takes seconds and torch; its time is of the stage
    ``start``, whenever it happens.

    ``choice`` is what was loaded and why; None while nothing was.
    """

    def __init__(self, load: Callable[[], Choice], watch: Stopwatch) -> None:
        self._load = load
        self._watch = watch
        self.choice: Choice | None = None

    def __call__(self) -> Encoder:
        if self.choice is None:
            with self._watch.stage("start"):
                self.choice = self._load()
        return self.choice.encoder


def choose_encoder(
    model: str,
    precision: Precision | None,
    sample: Callable[[], Sequence[Pixels]],
    cache: Path,
    known: PrecisionQuality | None,
) -> Choice:
    """The encoder of a model, and what was measured where int8 was asked for.

    Args:
        sample: Some images of the catalog; asked for with int8 alone.
        cache: A folder for what is made of the weights.
        known: What the index says was measured before.
    """
    if precision != "int8":
        return Choice(load_encoder(model, precision=precision), None, None)
    choice = choose_int8(model, sample(), cache, known)
    if choice.reason:
        spec = choice.encoder.spec
        log.warning("not int8 but %s: %s", spec.precision, choice.reason)
    elif choice.quality and choice.quality != known:
        log.info(
            "int8: over %d images a mean cosine of %.4f to float32, and %.0f%% of the ten nearest the same",
            *(choice.quality.pictures, choice.quality.cosine_mean, 100 * choice.quality.overlap_at_10),
        )
    return choice


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
        """``(crops_per_image, dim) float32``, unit rows, by what they show; all have pixels, no two are the same."""
        pixels: list[Pixels] = [crop for image in images for crop in image.pixels or ()]
        if not pixels:
            return {}
        encoder = self._encoder()
        with self._watch.stage("images"):
            vectors = encoder.encode_prepared(pixels)
        self.images += len(images)
        each = np.split(vectors, len(images))
        return {image.state.shows: rows for image, rows in zip(images, each, strict=True)}

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


class TextVectors:
    """Vectors of texts, with those of late kept. ``embedded`` counts the texts that went through the encoder."""

    def __init__(self, encode: Callable[[Sequence[str]], Vectors], most: int = TEXTS_KEPT) -> None:
        self._encode = encode
        self._kept: LRUCache[str, Vectors] = LRUCache(most)
        self.embedded = 0

    def __call__(self, texts: Sequence[str]) -> list[Vectors]:
        """``(dim,) float32``, unit length, for each text, in the order given."""
        vectors = {text: self._kept[text] for text in texts if text in self._kept}
        if new := [text for text in dict.fromkeys(texts) if text not in vectors]:
            # Copies: a view of one row would keep the vectors of its whole batch.
            made = {text: vector.copy() for text, vector in zip(new, self._encode(new), strict=True)}
            self._kept.update(made)
            vectors |= made
            self.embedded += len(new)
        return [vectors[text] for text in texts]
