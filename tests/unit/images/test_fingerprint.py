"""What is done to an image leaves it the same; another colour, another side or another thing does not."""

from __future__ import annotations

import math
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from demo.drawn import drawn_products
from images import differences, fingerprint_cells, image_fingerprint, is_copy, near_distance
from tests.support.images import encode
from tests.support.points import unit

PRODUCTS = {row["id"]: image for row, image in drawn_products()}
SHOWN = ["star-striped-red", "circle-plain-blue", "triangle-striped-green"]


def difference(one: Image.Image, other: Image.Image) -> float:
    ours, theirs = fingerprint_cells(image_fingerprint(one)), fingerprint_cells(image_fingerprint(other))
    assert ours is not None and theirs is not None
    there, back = (differences(a, b[None])[0] for a, b in ((ours, theirs), (theirs, ours)))
    assert there == pytest.approx(back, rel=1e-3)
    return float(there)


def saved(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(BytesIO(encode(image, "JPEG", quality=quality)))


def scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((int(image.width * factor), int(image.height * factor)))


def cut(image: Image.Image, part: float) -> Image.Image:
    width, height = image.size
    return image.crop((int(width * part), int(height * part), int(width * (1 - part)), int(height * (1 - part))))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "itself": lambda image: image,
    "quality 30": lambda image: saved(image, 30),
    "half": lambda image: scaled(image, 0.5),
    "a quarter": lambda image: saved(scaled(image, 0.25), 80),
    "double": lambda image: scaled(image, 2),
    "squeezed": lambda image: image.resize((200, 256)),
    "cut 2 %": lambda image: cut(image, 0.02),
    "cut 5 %": lambda image: cut(image, 0.05),
    "cut 6 %": lambda image: cut(image, 0.06),
    "cut at a corner": lambda image: image.crop((15, 15, 256, 256)),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.85),
    "flatter": lambda image: ImageEnhance.Contrast(image).enhance(0.8),
    "paler": lambda image: ImageEnhance.Color(image).enhance(0.85),
}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("product", SHOWN)
def test_copies_are_the_same(product: str, copy: str) -> None:
    image = PRODUCTS[product]
    assert difference(image, COPIES[copy](image)) <= 1


@pytest.mark.parametrize("product", SHOWN)
def test_other_products_and_other_colours_are_not(product: str) -> None:
    # In 16 cells a hexagon is round.
    others = [other for name, other in PRODUCTS.items() if name != product and "hexagon" not in name]
    assert all(difference(PRODUCTS[product], other) > 1 for other in others)


def test_a_recoloured_part_is_seen() -> None:
    shirt = PRODUCTS["circle-plain-blue"].copy()
    ImageDraw.Draw(shirt).rectangle((70, 110, 186, 146), fill=(205, 30, 45))
    assert difference(PRODUCTS["circle-plain-blue"], shirt) > 1


def test_mirrored_is_not_the_same() -> None:
    image = PRODUCTS["triangle-striped-green"].copy()
    image.paste((20, 20, 20), (0, 0, 100, 256))
    assert difference(image, ImageOps.mirror(image)) > 1


def test_small_things_on_white_ground_are_told_apart() -> None:
    def ring(at: int, color: tuple[int, int, int]) -> Image.Image:
        image = Image.new("RGB", (512, 512), "white")
        ImageDraw.Draw(image).ellipse((at, at, at + 60, at + 60), fill=color)
        return image

    gold = ring(200, (200, 160, 40))
    assert difference(gold, saved(gold, 60)) <= 1
    assert difference(gold, ring(280, (200, 160, 40))) > 1
    assert difference(gold, ring(200, (40, 60, 200))) > 1
    assert difference(gold, Image.new("RGB", (512, 512), "white")) > 1


@given(width=st.integers(1, 300), height=st.integers(1, 300), color=st.tuples(*[st.integers(0, 255)] * 3))
def test_any_size_has_a_hash_and_a_image_of_one_colour_is_itself(
    width: int, height: int, color: tuple[int, int, int]
) -> None:
    image = Image.new("RGB", (width, height), color)
    assert difference(image, Image.new("RGB", (64, 64), color)) <= 1


@given(st.text(max_size=600) | st.binary(max_size=400).map(lambda data: data.hex()))
def test_what_is_no_hash_is_none(text: str) -> None:
    assert fingerprint_cells(text) is None


def test_differences_of_many_are_those_of_each() -> None:
    hashes = [image_fingerprint(image) for image in PRODUCTS.values()]
    fingerprints = [s for hash in hashes if (s := fingerprint_cells(hash)) is not None]
    many = differences(fingerprints[0], np.stack(fingerprints))
    assert many.shape == (48,)
    alone = [differences(fingerprints[0], other[None])[0] for other in fingerprints]
    np.testing.assert_allclose(many, alone, rtol=1e-4)
    assert differences(fingerprints[0], np.empty((0, 3, 16, 16), np.float32)).shape == (0,)


def test_near_is_measured_in_the_catalog_itself() -> None:
    far = unit(40, 64, seed=1)
    assert near_distance(far, [None] * 40) == pytest.approx(0.25, abs=0.03)
    alike = far * 0.1 + unit(1, 64, seed=2)
    alike /= np.linalg.norm(alike, axis=1, keepdims=True)
    assert near_distance(alike, [None] * 40) == pytest.approx(0.02)
    # Few images, or those of one product alone, tell nothing: the fingerprints decide by themselves.
    assert near_distance(far[:5], [None] * 5) == math.inf
    assert near_distance(far, ["a"] * 40) == math.inf
    assert near_distance(far[:0], []) == math.inf


def test_the_less_fingerprints_agree_the_nearer_the_embeddings_must_be() -> None:
    assert is_copy(0.1, 0.85, near=0.1)
    assert not is_copy(0.9, 0.85, near=0.1)
    assert is_copy(0.9, 0.95, near=0.1)
    assert not is_copy(1.1, 1.0, near=0.1)
    assert is_copy(0.9, -1.0, near=math.inf)
