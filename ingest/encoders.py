"""Which encoder a job embeds with: the model in the precision that was asked for, where that is good enough."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

from embedding import Choice, Pixels, choose_int8, load_encoder
from ingest.images import ImageLoader
from ingest.intake import Entry
from schemas import Precision, PrecisionQuality

log = logging.getLogger(__name__)

SAMPLE = 256
"""Images that int8 is measured on, taken all over the catalog."""


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
        log.warning("not int8 but %s: %s", choice.encoder.spec.precision, choice.reason)
    elif choice.quality and choice.quality != known:
        log.info(
            "int8: over %d images a mean cosine of %.4f to float32, and %.0f%% of the ten nearest the same",
            *(choice.quality.pictures, choice.quality.cosine_mean, 100 * choice.quality.overlap_at_10),
        )
    return choice


def sample_images(entries: Iterable[Entry], loader: ImageLoader) -> list[Pixels]:
    """The first images of up to ``SAMPLE`` products; those that cannot be used are left out."""
    with_images = (entry for entry in entries if entry.product.images)
    loaded = (loader.load(entry.product.images[:1], entry.parsed.inline, known=()) for entry in with_images)
    return list(islice((image.pixels[0] for it in loaded for image in it.images if image.pixels), SAMPLE))
