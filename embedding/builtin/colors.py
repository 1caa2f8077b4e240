"""The colours that an image shows and those that words name, as vectors in one space. Numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from embedding.builtin import COLORS, DATA, SHADES
from images.arrays import Floats, Pixels, Vectors

BASIC_NAMES: Final = ("black", "white", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
"""The basic colour terms of English (Berlin and Kay 1969)."""


_NEUTRALS = {"black": (0, 8, 16), "gray": (35, 45, 55, 65, 75), "white": (92, 96, 100)}
"""Lightness of grays beside the survey's: people there named few colours without a hue."""
_NAME_SOFTNESS = 6.0
"""Of the softmax over distances to the nearest shade of each name, in CIELAB units."""
_BACKGROUND_DISTANCE = 12.0
"""CIELAB distance from the border's colour at which a pixel counts as foreground by 1 - 1/e."""
_CENTER = 0.35
"""Standard deviation, in half widths, of the weight of pixels for the names: what is for sale is in the middle."""
_LEVELS = 16
"""Of each channel, in which pixels are counted."""
_GRID = 6
"""Cells along each axis of CIELAB for the shades; of 216, those that sRGB reaches are kept."""


@cache
def word_colors() -> Mapping[str, Vectors]:
    """Colour words, and for each ``(11,) float32``, its share of each basic name, adding up to 1."""
    basic = dict(zip(BASIC_NAMES, np.eye(COLORS, dtype=np.float32), strict=True))
    others = {}
    for line in (DATA / "color_words.tsv").read_text(encoding="utf-8").splitlines():
        word, meaning = line.split("\t")
        others[word] = basic[meaning] if meaning in basic else _name_shares(_lab(_from_hex(meaning)))
    return basic | others


def image_colors(pixels: Pixels) -> tuple[Vectors, Vectors]:
    """Colours of the foreground of images.

    The foreground is what differs from the border's median colour: products are photographed on plain
    backgrounds, and where they are not, the middle counts more.

    Args:
        pixels: ``(n, height, width, 3) uint8``.

    Returns:
        Colours ``(n, 11)`` and shades ``(n, 182)``, float32, unit rows: square roots of shares, so that the dot
        product of two images is the Bhattacharyya coefficient of their histograms.
    """
    count, height, width, _ = pixels.shape
    levels = pixels // (256 // _LEVELS)
    codes = levels @ np.array([_LEVELS**2, _LEVELS, 1], np.int64)
    lab = _code_lab()[codes]
    border = np.concatenate([lab[:, 0], lab[:, -1], lab[:, :, 0], lab[:, :, -1]], axis=1)
    distance = np.linalg.norm(lab - np.median(border, axis=1)[:, None, None], axis=-1)
    # An image of one colour is all background: it keeps a little of everything.
    foreground = 1 - np.exp(-np.square(distance / _BACKGROUND_DISTANCE)) + 1e-4
    central = foreground * _central_weights(height, width)

    offsets = np.arange(count)[:, None, None] * _LEVELS**3
    size = count * _LEVELS**3
    names, shades = (
        # einsum and not matmul: matmul would wake numpy's own thread pool, which then competes with torch's
        # for the cores and makes the next forward pass 1.5 times as slow.
        np.einsum("nc,cd->nd", np.bincount((codes + offsets).ravel(), weight.ravel(), size).reshape(count, -1), table)
        for weight, table in ((central, _code_names()), (foreground, _code_shades()))
    )
    return _unit_sqrt(names), _unit_sqrt(shades)


def _unit_sqrt(histograms: NDArray[np.floating[Any]]) -> Vectors:
    vectors: Vectors = np.sqrt(histograms / histograms.sum(1, keepdims=True)).astype(np.float32)
    return vectors


def _central_weights(height: int, width: int) -> Floats:
    """``(height, width)``, a Gaussian around the middle."""
    down, across = (np.square(np.linspace(-1, 1, size) / _CENTER) for size in (height, width))
    weights: Floats = np.exp(-(down[:, None] + across[None]) / 2).astype(np.float32)
    return weights


@cache
def _code_lab() -> Floats:
    """``(4096, 3)``: CIELAB of the middle of every cell of RGB."""
    step = 256 // _LEVELS
    axis = np.arange(_LEVELS) * step + step / 2
    return _lab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3))


@cache
def _code_names() -> Floats:
    """``(4096, 11)``: the share of each basic name in every cell of RGB."""
    return _name_shares(_code_lab())


@cache
def _code_shades() -> Floats:
    """``(4096, 182)``: every cell of RGB spread over its eight neighbours in the grid of shades."""
    low, high = np.array([0, -60, -60]), np.array([100, 60, 60])
    place = np.clip((_code_lab() - low) / (high - low) * (_GRID - 1), 0, _GRID - 1)
    cells = np.arange(_GRID)
    lightness, a, b = (np.clip(1 - np.abs(place[:, axis, None] - cells), 0, None) for axis in range(3))
    table = np.einsum("ni,nj,nk->nijk", lightness, a, b).reshape(len(place), -1)
    reached = np.argsort(-table.sum(0), kind="stable")[:SHADES]
    shades: Floats = table[:, np.sort(reached)].astype(np.float32)
    return shades


@cache
def _prototypes() -> tuple[Floats, NDArray[np.int64]]:
    """CIELAB of known shades ``(m, 3)`` and the number of their basic name ``(m,)``."""
    rows = [line.split("\t") for line in (DATA / "colors.tsv").read_text(encoding="utf-8").splitlines()]
    shades = [_lab(_from_hex(value)) for _, value in rows]
    names = [name for name, _ in rows]
    for name, lightnesses in _NEUTRALS.items():
        shades += [np.array([lightness, 0, 0], np.float32) for lightness in lightnesses]
        names += [name] * len(lightnesses)
    return np.stack(shades), np.array([BASIC_NAMES.index(name) for name in names])


def _name_shares(lab: Floats) -> Floats:
    """``(..., 11)``: how much of a colour ``(..., 3)`` belongs to each basic name, adding up to 1."""
    shades, names = _prototypes()
    nearest = np.stack(
        [np.linalg.norm(lab[..., None, :] - shades[names == name], axis=-1).min(-1) for name in range(COLORS)], axis=-1
    )
    closeness = np.exp((nearest.min(-1, keepdims=True) - nearest) / _NAME_SOFTNESS)
    shares: Floats = (closeness / closeness.sum(-1, keepdims=True)).astype(np.float32)
    return shares


def _from_hex(value: str) -> NDArray[np.float64]:
    return np.array(list(bytes.fromhex(value)), np.float64)


def _lab(rgb: NDArray[np.float64]) -> Floats:
    """CIELAB (D65) of sRGB values 0 to 255, ``(..., 3)`` each."""
    channel = rgb / 255
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    relative = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    curve = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    x, y, z = np.moveaxis(curve, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)
