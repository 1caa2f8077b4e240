"""The seam between words, images and vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from PIL import Image

from images.arrays import Pixels, Vectors
from schemas import EmbeddingSpec

Preparer = Callable[[Image.Image], Pixels]
"""An image -> ``(height, width, 3) uint8``, resized and cropped to the window; thread-safe, any number at once.

Goes to other processes: it pickles small, and importing it there loads no torch.
"""


class Encoder(Protocol):
    """Words and images into one vector space.

    Implementations are deterministic, hold no state between calls and may be called from any
    thread, one call at a time.
    """

    @property
    def spec(self) -> EmbeddingSpec: ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """``(n, dim) float32``, unit rows, in the order given; ``(0, dim)`` for no texts."""
        ...

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """``(n, dim) float32``, unit rows, in the order given; images are RGB of any size."""
        ...

    # The same in two steps, so that a bulk job can prepare images where they are decoded, in other threads or
    # processes, while another batch is in the model. ``encode_images`` is the second after the first.

    @property
    def preparer(self) -> Preparer: ...

    def prepare_image(self, image: Image.Image) -> Pixels:
        """What ``preparer`` makes of an image."""
        ...

    def encode_prepared(self, pixels: Sequence[Pixels]) -> Vectors:
        """``(n, dim) float32``, unit rows, of what ``prepare_image`` made, in the order given."""
        ...
