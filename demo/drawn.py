"""A small catalog of images drawn with Pillow: for tests, and for a demo where no other catalog can be had."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw

SIZE = 256
"""Pixels of a drawn image's side."""


class _Shape(NamedTuple):
    name: str
    category: str
    corners: tuple[tuple[float, float], ...]
    """On the unit circle's scale, x to the right and y down; none for a circle."""


def _polygon(points: int, inner: float = 1.0, turned: float = 0.0) -> tuple[tuple[float, float], ...]:
    """Corners of a regular polygon; a star where every second corner is drawn in to ``inner``."""
    angles = [math.tau * (i / points + turned) - math.pi / 2 for i in range(points)]
    radii = [inner if i % 2 else 1.0 for i in range(points)]
    return tuple((r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles, strict=True))


_SHAPES = (
    _Shape("circle", "Round cushions", ()),
    _Shape("hexagon", "Round cushions", _polygon(6)),
    _Shape("square", "Square cushions", _polygon(4, turned=1 / 8)),
    _Shape("diamond", "Square cushions", _polygon(4)),
    _Shape("triangle", "Fancy cushions", _polygon(3)),
    _Shape("star", "Fancy cushions", _polygon(10, inner=0.45)),
)
_PATTERNS = ("plain", "striped")
_COLORS = {"red": (205, 30, 45), "green": (30, 140, 70), "blue": (35, 70, 190), "yellow": (245, 200, 40)}
_GROUND = (236, 236, 236)
_BRANDS = ("Kissenwerk", "Soft & Co", "Northlight")
_MATERIALS = ("cotton", "linen", "wool")
_ROOMS = {"plain": "a quiet living room", "striped": "a lively garden bench"}


def drawn_products() -> list[tuple[dict[str, Any], Image.Image]]:
    """48 rows with their images, always the same: 6 shapes, each plain and striped, each in 4 colours.

    A shape with a pattern is one product, ``group_id``, and its colours are the variants. ``image`` is
    where the row expects its image, beside the catalog file.
    """
    return [(_row(number, *kind), _draw(*kind)) for number, kind in enumerate(_kinds())]


def write_drawn_catalog(folder: Path) -> Path:
    """Write the drawn catalog into ``folder``, made where it is missing; the path of its ``catalog.jsonl``."""
    rows = []
    for row, image in drawn_products():
        path = folder / row["image"]
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
        rows.append(json.dumps(row) + "\n")
    catalog = folder / "catalog.jsonl"
    catalog.write_text("".join(rows), encoding="utf-8")
    return catalog


def _kinds() -> Iterator[tuple[_Shape, str, str]]:
    for shape in _SHAPES:
        for pattern in _PATTERNS:
            for color in _COLORS:
                yield shape, pattern, color


def _row(number: int, shape: _Shape, pattern: str, color: str) -> dict[str, Any]:
    group = f"{shape.name}-{pattern}"
    material = _MATERIALS[number % len(_MATERIALS)]
    return {
        "id": f"{group}-{color}",
        "title": f"{pattern} {color} {shape.name} cushion".capitalize(),
        "description": f"A cushion in the shape of a {shape.name}, {color} and {pattern}, "
        f"made of {material} for {_ROOMS[pattern]}.",
        "image": f"pictures/{group}-{color}.png",
        "category": shape.category,
        "brand": _BRANDS[number // len(_COLORS) % len(_BRANDS)],
        "price": 12.5 + number,
        "currency": "EUR",
        "color": [color, "white"] if pattern == "striped" else color,
        "in_stock": number % 5 != 0,
        "tags": ["garden", "washable"] if pattern == "striped" else ["indoor"],
        "group_id": group,
        "language": "en",
        "material": material,
        "corners": len(shape.corners),
        "weight_kg": round(0.4 + number % 7 / 10, 1),
    }


def _draw(shape: _Shape, pattern: str, color: str) -> Image.Image:
    """``(SIZE, SIZE)`` RGB: the shape on a pale grey ground."""
    cloth = Image.new("RGB", (SIZE, SIZE), _COLORS[color])
    if pattern == "striped":
        pen = ImageDraw.Draw(cloth)
        for y in range(0, SIZE, 32):
            pen.rectangle((0, y, SIZE, y + 11), fill="white")
    mask = Image.new("L", (SIZE, SIZE), 0)
    middle, radius = SIZE / 2, SIZE * 0.42
    if shape.corners:
        corners = [(middle + radius * x, middle + radius * y) for x, y in shape.corners]
        ImageDraw.Draw(mask).polygon(corners, fill=255)
    else:
        ImageDraw.Draw(mask).ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=255)
    image = Image.new("RGB", (SIZE, SIZE), _GROUND)
    image.paste(cloth, mask=mask)
    return image
