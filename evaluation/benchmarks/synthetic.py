"""A model and catalogs of any size for benchmarks: with or without words, with or without images, no two alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from evaluation.benchmarks.random_clip import make_clip

RANDOM_CLIP = "random-clip"
"""Stands for CLIP ViT-B/32 with random weights where a model is named."""

VOCABULARY = 5_000
_GRAIN = 24
"""Squares of colour to an image's side: as hard to decode as a photograph."""


def model_directory(model: str, folder: Path) -> str:
    """The model itself, or where it was made in ``folder`` when it is ``random-clip``."""
    return str(make_clip(folder / RANDOM_CLIP, "vit-b-32")) if model == RANDOM_CLIP else model


def write_catalog(folder: Path, rows: int, *, edge: int = 0, words: bool = True, seed: int = 0) -> Path:
    """``folder/catalog.jsonl`` and its images, JPEG.

    Args:
        edge: Pixels of an image's side; 0 for rows without images.
        words: False for rows of an image and nothing else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    catalog = folder / "catalog.jsonl"
    with catalog.open("w", encoding="utf-8") as file:
        for row in synthetic_rows(folder, range(rows), edge=edge, words=words, seed=seed):
            file.write(json.dumps(row) + "\n")
    return catalog


def synthetic_rows(folder: Path, numbers: range, *, edge: int, words: bool, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Rows of these numbers, always the same; their images are written into ``folder``."""
    for number in numbers:
        random = np.random.default_rng((seed, number))
        row: dict[str, Any] = {"id": f"p{number}"}
        if words:
            row |= {
                "title": _words(random, 6),
                "description": _words(random, 25),
                "category": f"category {number % 50}",
                "brand": f"brand {number % 37}",
                "price": float(random.integers(1, 10_000)) / 100,
                "in_stock": bool(number % 7),
                "group_id": f"g{number // 3}",
            }
        if edge:
            row["image"] = f"pictures/{number // 1000}/{number}.jpg"
            write_image(folder / row["image"], edge, random)
        yield row


def write_image(path: Path, edge: int, random: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = Image.fromarray(random.integers(0, 256, (_GRAIN, _GRAIN, 3), np.uint8))
    coarse.resize((edge, edge), Image.Resampling.BICUBIC).save(path, quality=85)


def _words(random: np.random.Generator, count: int) -> str:
    """Words as a catalog has them: few of them often, many of them seldom."""
    return " ".join(f"word{min(number, VOCABULARY)}" for number in random.zipf(1.3, count))
