"""How well copies of images are told from other images, on a catalog of one's own.

Copies are made of some of the catalog's images, in every way that shops make them; what is no copy is
every pair of the catalog's images, less those with the same bytes. All pairs are compared, without an index.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps
from tqdm import tqdm

from catalog import product_from_row
from embedding import Encoder
from images import (
    ImageLimits,
    decode_image,
    differences,
    fingerprint_cells,
    hash_bytes,
    image_fingerprint,
    is_copy,
    locate_image,
    near_distance,
    read_image,
)
from images.arrays import Floats
from schemas import ConfigurationError, ImageError, RowError

Alteration = Callable[[Image.Image], Image.Image]

MOST_IMAGES = 1000
COPIED = 64
"""Images that copies are made of, in even steps through the catalog."""
SHOWN = 20


@dataclass(frozen=True, slots=True)
class CatalogImage:
    """``vector`` is ``(dim,) float32``, unit length; ``fingerprint`` ``(3, 16, 16) float32``."""

    id: str
    group: str | None
    hash: str
    vector: Floats
    fingerprint: Floats


@dataclass(frozen=True, slots=True)
class Told:
    """``found`` is the share of copies by change; the pairs are of images that are no copies."""

    images: int
    near: float
    copies: int
    found: dict[str, float]
    mirrored: float
    others: int
    variants: int
    wrong_others: list[tuple[str, str]]
    wrong_variants: list[tuple[str, str]]


def report(catalog: Path, encoder: Encoder) -> str:
    """What was measured, as text."""
    return _text(measure(catalog, encoder), catalog, encoder.spec.model)


def measure(catalog: Path, encoder: Encoder) -> Told:
    """Raises ConfigurationError when the catalog cannot be read or has no two images."""
    images, contents = _read(catalog, encoder)
    groups = [image.group for image in images]
    vectors = np.stack([image.vector for image in images])
    near = near_distance(vectors, groups)
    chosen = list(range(0, len(images), -(-len(images) // COPIED)))
    shares: dict[str, list[bool]] = {}
    for at in tqdm(chosen, unit="image", desc="copies", disable=None):
        original = Image.open(BytesIO(contents[at])).convert("RGB")
        changed = {name: change(original) for name, change in (CHANGES | {_MIRRORED: ImageOps.mirror}).items()}
        cosines = encoder.encode_images(list(changed.values())) @ images[at].vector
        left = differences(images[at].fingerprint, np.stack([_fingerprint(copy) for copy in changed.values()]))
        for name, cosine, difference in zip(changed, cosines.tolist(), left.tolist(), strict=True):
            shares.setdefault(name, []).append(is_copy(difference, cosine, near))
    found = {name: sum(told) / len(told) for name, told in shares.items()}
    mirrored = found.pop(_MIRRORED)
    wrong: dict[bool, list[tuple[str, str]]] = {False: [], True: []}
    pairs = {False: 0, True: 0}
    for at, image in enumerate(tqdm(images, unit="image", desc="pairs", disable=None)):
        others = [other for other in images[at + 1 :] if other.hash != image.hash]
        cosines = np.array([other.vector @ image.vector for other in others])
        for other in others:
            pairs[_variants(image, other)] += 1
        may_be = [other for other, cosine in zip(others, cosines, strict=True) if is_copy(0.0, cosine, near)]
        if not may_be:
            continue
        left = differences(image.fingerprint, np.stack([other.fingerprint for other in may_be]))
        for other, difference in zip(may_be, left.tolist(), strict=True):
            if is_copy(difference, float(other.vector @ image.vector), near):
                wrong[_variants(image, other)].append((image.id, other.id))
    return Told(len(images), near, len(chosen), found, mirrored, pairs[False], pairs[True], wrong[False], wrong[True])


def _variants(one: CatalogImage, other: CatalogImage) -> bool:
    return one.group is not None and one.group == other.group


def _read(catalog: Path, encoder: Encoder) -> tuple[list[CatalogImage], list[bytes]]:
    """First images of a JSONL catalog's products, and their bytes; rows and images that are bad are left out."""
    limits = ImageLimits()
    images: list[CatalogImage] = []
    kept: list[bytes] = []
    try:
        lines = catalog.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the catalog {catalog}, which is to be JSONL: {error}") from error
    for line in tqdm(lines, unit="row", desc="images", disable=None):
        try:
            product = product_from_row(json.loads(line)).product
            data = read_image(locate_image(catalog.parent, product.images[0]), limits)
            image = decode_image(data, limits)
        except (RowError, ImageError, json.JSONDecodeError, IndexError):
            continue
        vector = encoder.encode_images([image])[0]
        images.append(CatalogImage(product.id, product.group_id, hash_bytes(data), vector, _fingerprint(image)))
        kept.append(data)
        if len(images) == MOST_IMAGES:
            break
    if len(images) < 2:
        raise ConfigurationError(f"{catalog} has fewer than two images to measure with")
    return images, kept


def _fingerprint(image: Image.Image) -> Floats:
    made = fingerprint_cells(image_fingerprint(image))
    assert made is not None
    return made


def _saved(quality: int) -> Alteration:
    def save(image: Image.Image) -> Image.Image:
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    return save


def _scaled(factor: float) -> Alteration:
    return lambda image: image.resize((max(1, int(image.width * factor)), max(1, int(image.height * factor))))


def _cut(left: float, top: float, right: float, bottom: float) -> Alteration:
    def cut(image: Image.Image) -> Image.Image:
        width, height = image.size
        box = int(width * left), int(height * top), int(width * (1 - right)), int(height * (1 - bottom))
        return image.crop(box)

    return cut


def _marked(image: Image.Image) -> Image.Image:
    marked = image.copy()
    pen = ImageDraw.Draw(marked, "RGBA")
    place, size = (image.width * 0.3, image.height * 0.45), max(10, image.width // 12)
    pen.text(place, "SAMPLE SHOP", fill=(255, 255, 255, 140), font_size=size)
    return marked


_MIRRORED = "mirrored"
CHANGES: dict[str, Alteration] = {
    "saved again, quality 30": _saved(30),
    "saved again, quality 75": _saved(75),
    "a quarter of the size": _scaled(0.25),
    "half the size": _scaled(0.5),
    "twice the size": _scaled(2),
    "2 % cut around": _cut(0.02, 0.02, 0.02, 0.02),
    "4 % cut around": _cut(0.04, 0.04, 0.04, 0.04),
    "8 % cut around": _cut(0.08, 0.08, 0.08, 0.08),
    "8 % cut off two sides": _cut(0.08, 0.08, 0, 0),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.85),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.8),
    "less colour": lambda image: ImageEnhance.Color(image).enhance(0.8),
    "watermark": _marked,
    "border of 3 %": lambda image: ImageOps.expand(image, int(image.width * 0.03), "white"),
}


def _text(told: Told, catalog: Path, model: str) -> str:
    copies = told.copies * len(told.found)
    found = round(sum(share * told.copies for share in told.found.values()))
    wrong = len(told.wrong_others)
    lines = [
        f"same images in {catalog.name} with {model}: {told.images:,} images, near up to {told.near:.3f}",
        f"  copies of {told.copies} images that are found, recall {found / copies:.3f}",
        *(f"    {name:<26}{share:>7.2f}" for name, share in told.found.items()),
        "  called the same among pairs that are no copies made here",
        f"    mirrored                  {round(told.mirrored * told.copies):>7,} of {told.copies:,}",
        f"    variants, never flagged   {len(told.wrong_variants):>7,} of {told.variants:,}",
        f"    other products            {wrong:>7,} of {told.others:,}",
        f"  precision, over these copies and other products: {found / max(1, found + wrong):.3f}",
    ]
    if wrong:
        shown: Sequence[tuple[str, str]] = told.wrong_others[:SHOWN]
        lines += ["  look whether these are copies that the catalog has:", *(f"    {a}  {b}" for a, b in shown)]
    return "\n".join(lines)
