"""What transparent images are laid on: whatever is on them, it can be seen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from images import ImageLimits, decode_for_model, decode_image, differences, fingerprint_cells, image_fingerprint
from tests.support.images import encode, on_transparent, photo

LIMITS = ImageLimits()
SHAPES = ("circle", "square", "bar", "ring")
Color = tuple[int, ...]


@pytest.mark.parametrize(
    "color",
    [
        *((255, 255, 255), (250, 248, 240), (232, 232, 232), (210, 210, 210), (255, 255, 255, 120), (255, 250, 205)),
        *((255, 192, 203), (0, 0, 0), (128, 128, 128), (200, 30, 30), (0, 0, 0, 120)),
    ],
    ids=str,
)
def test_shapes_of_any_colour_differ(color: Color) -> None:
    fingerprints = []
    for shape in SHAPES:
        found = fingerprint_cells(image_fingerprint(decode_image(encode(on_transparent(shape, color), "PNG"), LIMITS)))
        assert found is not None
        fingerprints.append(found)
    for one, other in combinations(fingerprints, 2):
        assert differences(one, other[None])[0] > 1  # copies are up to 1


GROUNDS = {(255, 255, 255): "black", (0, 0, 0): "white", (128, 128, 128): "white", (250, 250, 120): "white"}
FORMATS: dict[str, Callable[[Image.Image], bytes]] = {
    "PNG": lambda image: encode(image, "PNG"),
    "grey": lambda image: encode(image.convert("LA"), "PNG"),
    "palette": lambda image: encode(image.quantize(16), "PNG"),
    "WebP": lambda image: encode(image, "WEBP"),
    "TIFF": lambda image: encode(image, "TIFF"),
    "GIF": lambda image: encode(image, "GIF"),
}


@pytest.mark.parametrize(("color", "ground"), GROUNDS.items())
@pytest.mark.parametrize("format", FORMATS)
def test_the_ground_is_the_same_in_every_format(format: str, color: Color, ground: str) -> None:
    data = FORMATS[format](on_transparent("ring", color))
    assert decode_for_model(data, LIMITS, None).ground == ("black" if format == "grey" and color[0] == 250 else ground)


def test_what_is_white_and_black_is_laid_on_grey() -> None:
    shape = on_transparent("square")
    shape.paste((0, 0, 0, 255), (0, 0, 200, 100), shape.crop((0, 0, 200, 100)))
    shape.paste((0, 0, 0, 0), (0, 60, 200, 70))  # less black than white, so that white is not enough
    decoded = decode_for_model(encode(shape, "PNG"), LIMITS, np.asarray)
    assert decoded.ground == "grey"
    assert decoded.pixels[0][0, 0].tolist() == [128] * 3


def test_little_of_something_in_a_large_image_counts_as_much() -> None:
    large = Image.new("RGBA", (3000, 3000))
    large.paste((255, 255, 255, 255), (1000, 1000, 1006, 1006))
    assert decode_for_model(encode(large, "PNG"), LIMITS, None).ground == "black"


def test_images_that_nothing_shines_through_are_as_they_were() -> None:
    opaque = on_transparent("square").convert("RGB")
    for image in (opaque, opaque.convert("RGBA")):
        decoded = decode_for_model(encode(image, "PNG"), LIMITS, np.asarray)
        assert decoded.ground is None
        assert decoded.pixels[0].tobytes() == opaque.tobytes()
    assert decode_for_model(photo(), LIMITS, None).ground is None


def test_of_nothing_at_all_white_is_left() -> None:
    assert decode_for_model(encode(Image.new("RGBA", (9, 9)), "PNG"), LIMITS, None).ground == "white"
