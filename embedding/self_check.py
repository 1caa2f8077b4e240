"""Tests a model when it is loaded: does it make vectors, and does each depend on its own input alone?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image

from embedding.encoder import Encoder
from images.arrays import Vectors
from schemas import ModelError, Precision

LEAST_COSINE: dict[Precision, float] = {"float32": 0.9999, "bfloat16": 0.999}
"""Between what is made of an input alone and beside others."""

_TEXTS = ["a", "red shoe", " ".join(["red shoe"] * 4), " ".join(["red shoe"] * 40)]
"""The last is beyond the windows of CLIP and SigLIP."""
_IMAGES = [Image.linear_gradient("L").resize(size).convert("RGB") for size in ((96, 64), (64, 160))]


def check_encoder(encoder: Encoder) -> None:
    """
    Raises:
        ModelError: the model fails on texts or on images, returns something else than finite vectors of the dimension
            that it says, or what it makes of one of them depends on those beside it; the message says which.
    """
    for what, inputs, encode in (
        ("text", _TEXTS, encoder.encode_texts),
        ("image", _IMAGES, encoder.encode_images),
    ):
        cosine = _cosine(encoder.spec.model, what, inputs, encode)
        if cosine < LEAST_COSINE[encoder.spec.precision]:
            raise ModelError(
                f"model {encoder.spec.model} embeds the same {what} otherwise alone and beside others (cosine "
                f"{cosine:.4f}), so its vectors cannot be compared; look at how its tokenizer or processor pads"
            )


def _cosine(model: str, what: str, inputs: list[Any], encode: Callable[[list[Any]], Vectors]) -> float:
    """Between the first of the inputs alone and beside the others."""
    try:
        return float(encode(inputs)[0] @ encode(inputs[:1])[0])
    except Exception as error:  # whatever a stranger's model raises: the person gets one sentence
        said = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
        raise ModelError(f"model {model} loads, but does not embed {what}s: {said}") from error
