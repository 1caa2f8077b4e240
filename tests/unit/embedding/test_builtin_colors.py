"""Colours of images and of words, in one space."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from embedding.builtin import COLORS, SHADES
from embedding.builtin.colors import BASIC_NAMES, image_colors, word_colors


def _on(background: str, color: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = Image.new("RGB", (56, 56), background)
    ImageDraw.Draw(image).ellipse((14, 14, 42, 42), fill=color)
    return np.asarray(image)[None]


@pytest.mark.parametrize("background", ["white", "black", "tan"])
@pytest.mark.parametrize("color", ["red", "orange", "yellow", "green", "blue", "purple", "pink", "gray"])
def test_the_foreground_names_the_colour(background: str, color: str) -> None:
    colors, _ = image_colors(_on(background, color))
    assert BASIC_NAMES[int(colors[0].argmax())] == color


@pytest.mark.parametrize("color", ["white", "black", "red"])
def test_a_image_of_one_colour_has_that_colour(color: str) -> None:
    colors, _ = image_colors(_on(color, color))
    assert BASIC_NAMES[int(colors[0].argmax())] == color


def test_rows_are_unit_and_batches_change_nothing() -> None:
    images = np.concatenate([_on("white", "red"), _on("white", "navy"), _on("black", "black")])
    colors, shades = image_colors(images)
    assert colors.shape == (3, COLORS)
    assert shades.shape == (3, SHADES)
    assert colors.dtype == shades.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(colors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(shades, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(image_colors(images[1:2])[0], colors[1:2], atol=1e-6)


def test_shades_tell_apart_what_names_do_not() -> None:
    colors, shades = image_colors(np.concatenate([_on("white", "#2060ff"), _on("white", "#1030a0")]))
    assert colors[0] @ colors[1] > 0.95
    assert shades[0] @ shades[1] < 0.8


@pytest.mark.parametrize(
    ("word", "name"), [("navy", "blue"), ("crimson", "red"), ("grey", "gray"), ("lavender", "purple"), ("red", "red")]
)
def test_words_mean_colours(word: str, name: str) -> None:
    shares = word_colors()[word]
    assert BASIC_NAMES[int(shares.argmax())] == name
    assert shares.sum() == pytest.approx(1, abs=1e-5)
