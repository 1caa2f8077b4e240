"""How much two images differ in brightness, whatever their exposure and whether edges of one were cut off.

Compares fingerprints (``images.fingerprint``) in every alignment, one with many at once: that takes microseconds an
image and rules out most of a catalog before colours are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from images.arrays import Floats

CELLS: Final = 16
"""Of a fingerprint's brightness, in either direction."""

# What may be left of two copies: root mean square, of 255.
_MOST = 18.0
_MOST_RELATIVE = 0.5
"""To the contrast of the image with less of it: a small thing on white ground is all that differs between two
products, and little of the image."""
_LEAST_CONTRAST = 8.0
"""Below it an image is blank, and what differs is noise."""
_GAIN = (0.75, 1.33)
_LIGHTER = 30.0

_CUT_AROUND = (0.02, 0.04, 0.06, 0.08)
_CUT_CORNER = (0.04, 0.08)


def left(common: Floats, power: Floats, other_power: Floats, mean: Floats, other_mean: Floats) -> Floats:
    """What is left of the difference in brightness of fingerprints less their means: copies up to 1.

    Args:
        common: Sum of the products of their cells.
        power: Sum of the squares of the first one's.
    """
    # Either one with its contrast brought to the other's, whichever fits better: the order must not matter.
    rests = []
    for some, others in ((power, other_power), (other_power, power)):
        gain = np.clip(common / np.maximum(some, 1.0), *_GAIN)
        rests.append(others - 2 * gain * common + gain**2 * some)
    lighter = np.maximum(np.abs(other_mean - mean) - _LIGHTER, 0.0)
    brightness = np.sqrt(np.maximum(np.minimum(*rests), 0.0) / CELLS**2 + lighter**2)
    contrast = np.sqrt(np.minimum(power, other_power) / CELLS**2)
    relative = brightness / np.maximum(contrast, _LEAST_CONTRAST)
    most: Floats = np.maximum(brightness / _MOST, relative / _MOST_RELATIVE)
    return most


class Prints(NamedTuple):
    """What is kept of ``n`` images to compare each with many: 304 bytes an image."""

    cells: NDArray[np.uint8]
    """Brightness, ``(n, 256)``."""
    means: NDArray[np.float16]
    """Of the brightness with edges cut off, ``(n, ways)``."""
    spreads: NDArray[np.float16]
    """Standard deviations of the same."""

    @classmethod
    def of(cls, cells: NDArray[np.uint8]) -> Prints:
        cut = _cut(cells.astype(np.float32))
        return cls(cells, cut.mean(-1).astype(np.float16), cut.std(-1).astype(np.float16))

    @classmethod
    def joined(cls, parts: Sequence[Prints]) -> Prints:
        return cls(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def at(self, rows: NDArray[np.integer[Any]]) -> Prints:
        """Those of ``rows``, of any shape, which becomes the first axes."""
        return Prints(self.cells[rows], self.means[rows], self.spreads[rows])


def least_left(some: Prints, others: Prints) -> Floats:
    """The least that is left over all ways of laying each of ``some``, ``(q, ..)``, and its own ``others``,
    ``(q, k, ..)``, over each other: ``(q, k)``, within a hundredth or two of what ``fingerprint.differences`` starts
    from.
    """
    cells, theirs = some.cells.astype(np.float32), others.cells.astype(np.float32)
    mean, their_mean = cells.mean(-1), theirs.mean(-1)
    light, their_light = cells - mean[:, None], theirs - their_mean[..., None]
    cut = _cut(light)
    cut_mean = cut.mean(-1)
    # A cut of theirs under it as it is: the product with a cut is that with the cut's transpose of the other factor.
    turned = (light @ _operator()[1]).reshape(len(light), -1, CELLS**2)
    ways = np.concatenate([light[:, None], turned, cut - cut_mean[..., None]], axis=1)  # (q, 1 + 2 ways, 256)
    common = ways @ their_light.transpose(0, 2, 1)  # (q, 1 + 2 ways, k)

    def laid(whole: Floats, of_cuts: Floats, *, first: bool) -> Floats:
        """``(q, 1 + 2 ways, k)`` of a number of the whole image and those of its cuts, the last axis."""
        several = np.broadcast_to(whole[..., None], of_cuts.shape)
        parts = [whole[..., None], several, of_cuts] if first else [whole[..., None], of_cuts, several]
        return np.moveaxis(np.concatenate(parts, axis=-1), -1, 1)

    power, their_power = np.square(light).sum(-1), np.square(their_light).sum(-1)
    spread = CELLS**2 * np.square(others.spreads.astype(np.float32))
    found = left(
        common,
        laid(power, np.square(cut - cut_mean[..., None]).sum(-1), first=True)[..., None],
        laid(their_power, spread, first=False),
        laid(mean, cut_mean + mean[:, None], first=True)[..., None],
        laid(their_mean, others.means.astype(np.float32), first=False),
    )
    least: Floats = found.min(axis=1)
    return least


def _cut(cells: Floats) -> Floats:
    """``(n, 256)`` with edges cut off in every way tried: ``(n, ways, 256)``."""
    return (cells @ _operator()[0]).reshape(len(cells), -1, CELLS**2)


@cache
def _operator() -> tuple[Floats, Floats]:
    """What cuts cells, and what the transposes of the cuts do: ``(256, ways * 256)`` each."""
    down, across = cuts()
    both = np.einsum("wij,wkl->wikjl", down, across).reshape(-1, CELLS**2, CELLS**2)  # cut = both @ cells
    return tuple(  # type: ignore[return-value]
        np.ascontiguousarray(each.transpose(1, 0, 2).reshape(CELLS**2, -1)) for each in (both.transpose(0, 2, 1), both)
    )


@cache
def cuts() -> tuple[Floats, Floats]:
    """For each way of cutting what to multiply rows and columns with, ``(ways, 16, 16)`` each."""
    around = [(part, part, part, part) for part in _CUT_AROUND]
    corners = [
        (part * top, part * (1 - top), part * left, part * (1 - left))
        for part in _CUT_CORNER
        for top in (0, 1)
        for left in (0, 1)
    ]
    ways = [*around, *corners]
    return (
        np.stack([stretch(CELLS, top, bottom) for top, bottom, _, _ in ways]),
        np.stack([stretch(CELLS, left, right) for _, _, left, right in ways]),
    )


def stretch(cells: int, before: float, after: float) -> Floats:
    """``(16, cells)``: what is left of a row of cells, spread over 16 by linear interpolation."""
    place = (before + (np.arange(CELLS) + 0.5) / CELLS * (1 - before - after)) * cells - 0.5
    place = np.clip(place, 0, cells - 1)
    weights: Floats = np.clip(1 - np.abs(place[:, None] - np.arange(cells)), 0, None).astype(np.float32)
    return weights
