"""Preparation of images: sizes, elongated images, and which configurations are understood."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from embedding.encoder import Preparer
from embedding.image_transform import ImageTransform, whole_image


def _clip(**config: object) -> ImageTransform:
    transform = ImageTransform.from_config({"size": {"shortest_edge": 32}, "crop_size": 32, **config})
    assert transform is not None
    return transform


@pytest.mark.parametrize("size", [(32, 32), (1, 1), (33, 64), (640, 31), (1, 100_000), (100_000, 1), (5, 41)])
def test_every_image_becomes_the_window(size: tuple[int, int]) -> None:
    pixels = _clip().prepare(Image.new("RGB", size, (10, 20, 30)))
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == (10, 20, 30)).all()


def test_the_centre_is_kept() -> None:
    image = Image.new("RGB", (96, 32), "red")
    image.paste("blue", (32, 0, 64, 32))
    assert (_clip().prepare(image)[:, 2:-2] == (0, 0, 255)).all()


def test_an_elongated_image_is_cropped_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.linear_gradient("L").resize((50, 390)).convert("RGB")
    whole = _clip().prepare(image).astype(int)
    monkeypatch.setattr("embedding.image_transform.MAX_STRETCH", 1)
    part = _clip().prepare(image).astype(int)
    assert np.abs(whole - part).max() <= 1


def test_other_modes_become_rgb() -> None:
    assert _clip().prepare(Image.new("L", (40, 40), 7)).shape == (32, 32, 3)


@pytest.mark.parametrize(
    "config",
    [
        {"do_center_crop": False},
        {"do_normalize": False},
        {"do_pad": True},
        {"size": {"longest_edge": 32}},
        {"size": {"shortest_edge": 32, "longest_edge": 64}},
        {"size": {"shortest_edge": 16}},
        {"image_mean": [0.5]},
    ],
)
def test_other_forms_are_left_to_the_model(config: dict[str, object]) -> None:
    assert ImageTransform.from_config({"size": {"shortest_edge": 32}, "crop_size": 32, **config}) is None


def test_a_square_resize_ignores_the_shape() -> None:
    transform = _clip(size={"height": 32, "width": 32})
    image = Image.new("RGB", (64, 32), "red")
    image.paste("blue", (0, 0, 32, 32))
    pixels = transform.prepare(image)
    assert tuple(pixels[16, 2]) == (0, 0, 255)
    assert tuple(pixels[16, 29]) == (255, 0, 0)


@pytest.mark.parametrize("preparer", [_clip().prepare, whole_image], ids=["transform", "whole"])
def test_preparing_goes_to_other_processes_small_and_without_torch(preparer: Preparer) -> None:
    pickled = pickle.dumps(preparer)
    assert len(pickled) < 1_000
    code = (
        "import pickle, sys; from PIL import Image; prepare = pickle.load(sys.stdin.buffer); "
        "print(prepare(Image.new('L', (32, 32), 7)).shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickled, capture_output=True, check=True)
    assert done.stdout.decode().split() == ["(32,", "32,", "3)", "False"]


@pytest.mark.parametrize(
    ("size", "shape"), [((4096, 4096), (4096, 4096)), ((4097, 4096), (2048, 2049)), ((1, 99), (99, 1))]
)
def test_the_whole_of_a_image_is_of_bounded_size(size: tuple[int, int], shape: tuple[int, int]) -> None:
    assert whole_image(Image.new("RGB", size)).shape == (*shape, 3)
