"""An encoder that any number of threads may call at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from PIL import Image

from embedding.encoder import Encoder, Preparer
from images.arrays import Pixels, Vectors
from schemas import EmbeddingSpec


class OneAtATime:
    """An ``Encoder`` whose calls wait for each other: of searches, of labels, and of two generations."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._lock = threading.Lock()

    @property
    def spec(self) -> EmbeddingSpec:
        return self._encoder.spec

    @property
    def preparer(self) -> Preparer:
        return self._encoder.preparer

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            return self._encoder.encode_texts(texts)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        with self._lock:
            return self._encoder.encode_images(images)

    def prepare_image(self, image: Image.Image) -> Pixels:
        return self._encoder.prepare_image(image)

    def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
        with self._lock:
            return self._encoder.encode_prepared(pixels)
