"""Recognises copies of an image that were scaled, compressed, lit, marked or cut at the edges.

A fingerprint of an image is its brightness in 16 x 16 cells and its two colour channels in 8 x 8. Two are compared in
several alignments, also with the edges of either cut off, after brightness and contrast are matched; the least
difference counts. The embeddings must be near as well, the nearer the more the fingerprints differ: a fingerprint does
not see details, an embedding does not see where things are. A mirrored image is similar, not the same.

Nine of ten copies are told in every way that was tried (docs/measurements.md). ``python -m evaluation same`` measures
it on a catalog of one's own.
"""

from __future__ import annotations

import binascii
import math
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from images.arrays import Floats
from images.brightness import CELLS, cuts, left, stretch

_CELLS: Final = CELLS
_COLOR_CELLS: Final = 8
_BYTES = _CELLS**2 + 2 * _COLOR_CELLS**2

_MOST_COLOR = 16.0
"""What may be left of the difference of two copies' colours: root mean square, of 255."""
_LOOKED_AT = 128
"""Pixels of a side that a fingerprint is made of, in even steps: all 512 x 512 of an image take four times as long.
Fingerprints differ by a third of what copies may, mostly since Pillow's ``reducing_gap``, which they were made with
before, moves cells where sizes do not divide; copies of 174 shop photos are told as well, scaled ones better."""
_COLORED = _CELLS**2 // 8
"""Cells where the colours differ most, and only they count: a waistband is little of an image."""

_NEAR: Final = 0.25
"""Of the median distance (1 - cosine) between images of a catalog: how far its copies' embeddings may be."""
_LEAST_NEAR = 0.02
"""The images of some catalogs are all alike, and a copy still differs."""
_ENOUGH_IMAGES = 10

_HOPELESS = 4.0
"""Two whole fingerprints that differ by more are not the same image cut: 3.5 was the most."""


def hash_bytes(data: bytes) -> str:
    """BLAKE2b of 16 bytes, hex."""
    return blake2b(data, digest_size=16).hexdigest()


def image_fingerprint(image: Image.Image) -> str:
    """The fingerprint of an RGB image of any size, 384 bytes in base64."""
    some = image.resize((min(image.width, _LOOKED_AT), min(image.height, _LOOKED_AT)), Image.Resampling.NEAREST)
    small = some.resize((_CELLS, _CELLS), Image.Resampling.BOX).convert("YCbCr")
    cells = np.asarray(small)
    halves = cells[..., 1:].reshape(_COLOR_CELLS, 2, _COLOR_CELLS, 2, 2).mean((1, 3)).round().astype(np.uint8)
    return b64encode(cells[..., 0].tobytes() + halves.tobytes()).decode("ascii")


def fingerprint_cells(hash: str) -> Floats | None:
    """``(3, 16, 16) float32``, brightness and colours in what ``image_fingerprint`` made; None for anything else."""
    data = _decoded(hash)
    if data is None:
        return None
    values = np.frombuffer(data, np.uint8).astype(np.float32)
    colors = values[_CELLS**2 :].reshape(_COLOR_CELLS, _COLOR_CELLS, 2).transpose(2, 0, 1)
    finer = _finer()
    planes = np.empty((3, _CELLS, _CELLS), np.float32)
    planes[0] = values[: _CELLS**2].reshape(_CELLS, _CELLS)
    planes[1:] = finer @ colors @ finer.T
    return planes


def brightness_cells(hash: str) -> NDArray[np.uint8] | None:
    """``(256,) uint8``, the brightness alone, as ``brightness.Prints`` takes it; None as in ``fingerprint_cells``."""
    data = _decoded(hash)
    return None if data is None else np.frombuffer(data, np.uint8, _CELLS**2)


def _decoded(hash: str) -> bytes | None:
    try:
        data = b64decode(hash, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == _BYTES else None


def differences(one: Floats, others: Floats) -> Floats:
    """How much each of ``others``, ``(n, 3, 16, 16)``, differs from a fingerprint: ``(n,) float32``, copies up to 1."""
    it, whole = _Laid.of(one[None]), _Laid.of(others)
    least: Floats = np.maximum(_brightness(it, whole), _colors(it.colors, whole.colors))
    close = np.flatnonzero(least <= _HOPELESS)
    if close.size:
        nearest = least[close]
        # As it is over every cut of the others, and every cut of it over the others as they are.
        _lay(_Laid.of(one[None, None]), _Laid.of(_cut(others[close])), nearest)
        _lay(_Laid.of(_cut(one[None])), _Laid.of(others[close][None]), nearest)
        least[close] = nearest
    return least


def near_distance(vectors: Floats, groups: Sequence[str | None]) -> float:
    """How far apart (1 - cosine) embeddings of images are that look alike; infinite when too few can tell.

    No number serves every model and every catalog: the scale is how far apart images commonly are.

    Args:
        vectors: ``(n, dim) float32``, unit rows: some images of different products.
        groups: Whose variants they are; images of one group are not compared.
    """
    if len(vectors) < _ENOUGH_IMAGES:
        return math.inf
    names = np.array([str(at) if group is None else f"={group}" for at, group in enumerate(groups)])
    pairs = np.triu(names[:, None] != names[None], 1)
    if not pairs.any():
        return math.inf
    return max(_LEAST_NEAR, _NEAR * float(np.median(1.0 - (vectors @ vectors.T)[pairs])))


def is_copy(difference: float, cosine: float, near: float) -> bool:
    """Whether two images are the same, if not byte by byte; ``near`` is their catalog's ``near_distance``."""
    return difference <= 1.0 and difference + (1.0 - cosine) / near <= 2.0


class _Laid(NamedTuple):
    """Fingerprints ``(..., 3, 16, 16)`` ready to be laid over others."""

    mean: Floats
    """Of the brightness: ``(...)``."""
    light: Floats
    """Brightness without its mean: ``(..., 256)``."""
    power: Floats
    """Of that, the sum of squares: ``(...)``."""
    colors: Floats
    """``(..., 2, 256)``."""

    @classmethod
    def of(cls, fingerprints: Floats) -> _Laid:
        planes = fingerprints.reshape(*fingerprints.shape[:-3], 3, _CELLS**2)
        mean = planes[..., 0, :].mean(-1)
        light = planes[..., 0, :] - mean[..., None]
        return cls(mean, light, _product(light, light), planes[..., 1:, :])


def _lay(some: _Laid, others: _Laid, nearest: Floats) -> None:
    """Lower ``nearest``, ``(n,)``, to what is left where two lie over each other, ``(ways, n)``, if that is less.

    Colours cost most and can only add: they are looked at where the brightness leaves less than was found before.
    """
    left = _brightness(some, others)
    way, at = np.nonzero(left < nearest)
    ours, theirs = (np.broadcast_to(laid.colors, (*left.shape, 2, _CELLS**2))[way, at] for laid in (some, others))
    np.minimum.at(nearest, at, np.maximum(left[way, at], _colors(ours, theirs)))


def _brightness(some: _Laid, others: _Laid) -> Floats:
    """What is left of the difference in brightness: ``(...)``."""
    return left(_product(some.light, others.light), some.power, others.power, some.mean, others.mean)


def _colors(some: Floats, others: Floats) -> Floats:
    """What is left of the difference of colours ``(..., 2, 256)``: ``(...)``."""
    squares = np.square(some - others)
    hues = squares[..., 0, :] + squares[..., 1, :]
    hues.partition(_CELLS**2 - _COLORED, axis=-1)
    left: Floats = np.sqrt(hues[..., -_COLORED:].mean(-1)) / np.float32(_MOST_COLOR)
    return left


def _product(some: Floats, others: Floats) -> Floats:
    product: Floats = np.einsum("...i,...i->...", some, others)
    return product


def _cut(fingerprints: Floats) -> Floats:
    """Fingerprints ``(n, 3, 16, 16)`` with edges cut off in every way tried: ``(ways, n, 3, 16, 16)``."""
    down, across = cuts()
    rows: Floats = down[:, None, None] @ fingerprints
    return rows @ across.transpose(0, 2, 1)[:, None, None]


@cache
def _finer() -> Floats:
    """``(16, 8)``: what spreads the cells of the colours over those of the brightness."""
    return stretch(_COLOR_CELLS, 0.0, 0.0)
