"""Decides whether int8 is good enough, by the user's own weights and some of the user's own images.

How much a network loses in int8 depends on its weights. Trained networks have a few channels that are far larger than
the rest, and leave the others few of the 256 steps; random weights have none.
A trained network that quantizes well is just above the bar; one below it loses more than one neighbour of ten
(docs/measurements.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedding import builtin
from embedding.acceleration.quantized import RECIPE, QuantizedEncoder, quantized_network
from embedding.description import describe
from embedding.encoder import Encoder
from embedding.load import load_encoder
from embedding.sources import find_directory
from images.arrays import Pixels, Vectors
from schemas import ModelError, PrecisionQuality

FEWEST_IMAGES = 50
"""Distinct ones: among fewer, the ten nearest of an image are nearly the same by chance."""
LEAST_COSINE = 0.99
LEAST_OVERLAP = 0.9
NEAREST = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """An encoder in int8, or in the fastest precision that needs no measuring."""

    encoder: Encoder
    quality: PrecisionQuality | None
    """What was measured, if it was; below the bar too."""
    reason: str | None
    """Why it is not int8, for people; None when it is."""


def choose_int8(model: str, pixels: Sequence[Pixels], cache: Path, known: PrecisionQuality | None = None) -> Choice:
    """The encoder of a model in int8 where that is good enough, in bfloat16 or float32 otherwise.

    Args:
        pixels: Some images of the catalog, as the model's ``preparer`` makes them; a few hundred, taken all over it.
        cache: A folder for what is made of the weights, a quarter of their size; made where it is missing.
        known: What an earlier call measured: not measured again for the same weights on such a processor.

    Raises:
        ModelNotFound, ModelError: as ``load_encoder``.
    """
    directory = None if model == builtin.NAME else find_directory(model)
    description = describe(directory, model) if directory else None
    if not directory or not description or description.family != "clip":
        return Choice(load_encoder(model), None, f"int8 is made of CLIP models only, and {model} is none")
    quality = known if known and known.fingerprint == description.spec.fingerprint else None
    if quality and quality.measured_with != _measured_with():
        quality = None
    distinct = list({image.tobytes(): image for image in pixels}.values())
    if quality is None and len(distinct) < FEWEST_IMAGES:
        reason = f"int8 is measured on {FEWEST_IMAGES} different images at least, and there are {len(distinct)}"
        return Choice(load_encoder(model), None, reason)
    usual = load_encoder(model)
    try:
        candidate = QuantizedEncoder(usual, quantized_network(directory, description, cache))
    except ModelError as error:
        return Choice(usual, quality, error.message)
    if quality is None:
        quality = measure_precision(load_encoder(model, precision="float32"), candidate, distinct)
    why = why_not(quality)
    return Choice(usual if why else candidate, quality, why)


def measure_precision(reference: Encoder, candidate: Encoder, pixels: Sequence[Pixels]) -> PrecisionQuality:
    """How far the candidate's vectors of images are from the reference's.

    Nearest images are sought as in service: the query's vector is the reference's, those that it is compared with
    are the candidate's.

    Args:
        pixels: Two distinct images at least.
    """
    exact, other = reference.encode_prepared(pixels), candidate.encode_prepared(pixels)
    cosines = (exact * other).sum(axis=1)
    best, found = _nearest(exact, exact), _nearest(exact, other)
    shared = [np.intersect1d(*rows).size / best.shape[1] for rows in zip(best, found, strict=True)]
    return PrecisionQuality(
        cosine_mean=round(float(cosines.mean()), 6),
        cosine_min=round(float(cosines.min()), 6),
        overlap_at_10=round(float(np.mean(shared)), 4),
        pictures=len(pixels),
        fingerprint=candidate.spec.fingerprint,
        measured_with=_measured_with(),
    )


def why_not(quality: PrecisionQuality) -> str | None:
    """Why int8 of this quality is not used; None where it is."""
    if quality.cosine_mean >= LEAST_COSINE and quality.overlap_at_10 >= LEAST_OVERLAP:
        return None
    return (
        f"in int8 the vectors of {quality.pictures} images keep a mean cosine of {quality.cosine_mean:.4f} and "
        f"{quality.overlap_at_10:.0%} of their ten nearest; {LEAST_COSINE} and {LEAST_OVERLAP:.0%} are asked for"
    )


def _nearest(queries: Vectors, vectors: Vectors) -> NDArray[np.intp]:
    """``(n, 10)``: the rows nearest to each row but itself, fewer where there are fewer."""
    cosines = queries @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    return np.argsort(-cosines, axis=1)[:, : min(NEAREST, len(vectors) - 1)]


def _measured_with() -> str:
    import torch

    runtime, processor = version("onnxruntime"), torch.backends.cpu.get_cpu_capability()
    return f"onnxruntime {runtime}, {processor}, network {RECIPE}"
