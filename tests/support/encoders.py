"""Encoders for tests that are not about encoding: deterministic, and without torch."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from embedding.encoder import Preparer
from images.arrays import Pixels, Vectors
from schemas import EmbeddingSpec

DIMENSION = 32


class HashEncoder:
    """Texts as bags of hashed words, images as the mean colours of a 2 x 2 grid.

    Texts that share words are close, images that share colours are close; a text and an image
    have nothing to do with each other.
    """

    spec = EmbeddingSpec(
        model="hash",
        fingerprint=hashlib.sha256(b"hash-1").hexdigest(),
        dimension=DIMENSION,
        max_tokens=64,
        preprocessing="2 x 2 mean colours",
    )

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        vectors = np.full((len(texts), DIMENSION), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.casefold()):
                vectors[row, hashlib.blake2b(word.encode(), digest_size=2).digest()[0] % DIMENSION] += 1
        return _unit(vectors)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        return self.encode_prepared([self.prepare_image(image) for image in images])

    @property
    def preparer(self) -> Preparer:
        return mean_colors

    def prepare_image(self, image: Image.Image) -> Pixels:
        return self.preparer(image)

    def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
        vectors = np.full((len(pixels), DIMENSION), 1e-3, np.float32)
        for row, grid in enumerate(pixels):
            vectors[row, :12] += (grid.reshape(-1).astype(np.float32) - 127) / 128
        return _unit(vectors)


def mean_colors(image: Image.Image) -> Pixels:
    """``(2, 2, 3) uint8``."""
    return np.asarray(image.convert("RGB").resize((2, 2), Image.Resampling.BOX), np.uint8)


def _unit(vectors: Vectors) -> Vectors:
    units: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


class Poisoned(HashEncoder):
    """Does ``harm`` when it sees the image of one colour: in the process that decodes it."""

    def __init__(self, harm: Callable[[], object]) -> None:
        self._harm = harm

    @property
    def preparer(self) -> Preparer:
        return partial(_prepare_or_harm, self._harm)


def _prepare_or_harm(harm: Callable[[], object], image: Image.Image) -> Pixels:
    if image.getpixel((0, 0)) == (1, 2, 3):
        harm()
    return mean_colors(image)


def exhaust() -> None:
    raise MemoryError


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def hang() -> None:
    threading.Event().wait()


class Unloadable(HashEncoder):
    """Names its vectors, and fails where one is asked for."""

    def __getattribute__(self, name: str) -> Any:
        # `preparer` is asked for before it is known whether there is an image to prepare.
        if name.startswith(("encode", "prepare_")):
            raise AssertionError("nothing should be embedded here")
        return super().__getattribute__(name)


class ColorEncoder(HashEncoder):
    """As above, but a text that names colours is near images of these colours, as with a real model."""

    COLORS: ClassVar = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200), "yellow": (230, 210, 40)}

    spec = HashEncoder.spec.model_copy(update={"model": "colors", "fingerprint": hashlib.sha256(b"colors").hexdigest()})

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        vectors = super().encode_texts(texts)
        for row, text in enumerate(texts):
            named = [self.COLORS[word] for word in re.findall(r"\w+", text.casefold()) if word in self.COLORS]
            if named:
                vectors[row] = 0.05 * vectors[row]
                vectors[row, :12] += (np.tile(np.mean(named, axis=0), 4) - 127) / 128
        return _unit(vectors)


class CountingColors(ColorEncoder):
    """Says which texts it was given, and how many images."""

    def __init__(self) -> None:
        self.images = 0
        self.texts: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return super().encode_texts(texts)

    def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
        self.images += len(pixels)
        return super().encode_prepared(pixels)
