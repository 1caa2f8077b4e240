"""What an ingest is made of, measured alone: the forward pass in each precision, and decoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from embedding import Encoder, Pixels, Preparer, choose_int8, load_encoder
from images import ImageLimits, decode_image, read_image
from schemas import Precision, PrecisionQuality

_BATCH = 64
"""As the job embeds them."""
_WARM, _FORWARD = 128, 256
"""Images that are not counted, and those of the measurement after them: cores that were idle are a tenth faster for
some seconds, which a job has behind it."""


@dataclass(frozen=True, slots=True)
class Encoders:
    by_precision: dict[Precision, Encoder]
    quality: PrecisionQuality | None
    """Of int8, if it was measured."""
    refused: str | None
    """Why there is no int8."""


def load_encoders(model: str, pixels: Sequence[Pixels], cache: Path) -> Encoders:
    choice = choose_int8(model, pixels, cache)
    encoders: dict[Precision, Encoder] = {
        "float32": load_encoder(model, precision="float32"),
        "bfloat16": load_encoder(model, precision="bfloat16"),
    }
    if choice.reason is None:
        encoders["int8"] = choice.encoder
    for encoder in encoders.values():
        encoder.encode_prepared(pixels[:_BATCH])  # the first batch pays for what is set up lazily
    return Encoders(encoders, choice.quality, choice.reason)


def forward_rate(encoder: Encoder, pixels: Sequence[Pixels]) -> float:
    """Prepared images a second through the model, all cores at work, as they come in the middle of a job."""

    def embed(some: Sequence[Pixels]) -> None:
        for start in range(0, len(some), _BATCH):
            encoder.encode_prepared(some[start : start + _BATCH])

    embed(pixels[:_WARM])
    some = pixels[:_FORWARD]
    return len(some) / _seconds(lambda: embed(some))


def decode_rate(prepare: Preparer, paths: Sequence[Path]) -> float:
    """Images a second that one thread reads, decodes and prepares."""
    return len(paths) / _seconds(lambda: prepared(prepare, paths))


def prepared(prepare: Preparer, paths: Sequence[Path]) -> list[Pixels]:
    limits = ImageLimits()
    return [prepare(decode_image(read_image(path, limits), limits)) for path in paths]


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started
