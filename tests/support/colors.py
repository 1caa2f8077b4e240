"""Images of one colour, more or less, whose labels are plain to ``ColorEncoder``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.support.encoders import ColorEncoder
from tests.support.images import encode

COLORS = list(ColorEncoder.COLORS)


def color_image(color: str, seed: int, noise: float = 25) -> Image.Image:
    """Blotches around a colour, other ones for every seed."""
    cells = np.array(ColorEncoder.COLORS[color]) + np.random.default_rng(seed).normal(0, noise, (6, 6, 3))
    return Image.fromarray(cells.clip(0, 255).astype(np.uint8)).resize((48, 48), Image.Resampling.BILINEAR)


def color_png(color: str, seed: int = 0) -> bytes:
    return encode(color_image(color, seed), "PNG")


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def write_tiles(folder: Path, products: int = 40) -> list[dict[str, Any]]:
    """Rows of a catalog, one colour after the other: ``red-0``, ``green-1``, .., each with its image."""
    rows: list[dict[str, Any]] = []
    for at in range(products):
        color = COLORS[at % len(COLORS)]
        (folder / f"{at}.png").write_bytes(color_png(color, at))
        rows.append({"id": f"{color}-{at}", "title": f"{color} tile", "image": f"{at}.png", "brand": color})
    return rows
