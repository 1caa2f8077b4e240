"""Thumbnails of whole, broken and deadly images, by the real process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from images import ImageLimits
from images.thumbnails import SIDE, Thumbnails
from tests.support.decoders import decoders


@pytest.fixture(scope="module")
def thumbnails() -> Iterator[Thumbnails]:
    with Thumbnails(ImageLimits(max_pixels=1_000_000)) as thumbnails:
        yield thumbnails


def _jpeg(size: tuple[int, int] = (600, 300)) -> bytes:
    data = BytesIO()
    Image.effect_noise(size, 40).convert("RGB").save(data, "JPEG")
    return data.getvalue()


def _size(thumbnail: bytes | None) -> tuple[int, int]:
    assert thumbnail is not None
    with Image.open(BytesIO(thumbnail)) as image:
        assert image.format == "WEBP"
        return image.size


def test_a_image_gets_small_and_of_a_broken_one_what_there_is(thumbnails: Thumbnails) -> None:
    assert _size(thumbnails(_jpeg())) == (SIDE, SIDE // 2)
    assert _size(thumbnails(_jpeg()[:20_000])) == (SIDE, SIDE // 2)


@pytest.mark.parametrize("image", [b"", b"<html>", _jpeg()[:30], _jpeg((2000, 1000))])
def test_there_is_none_of_what_does_not_decode(thumbnails: Thumbnails, image: bytes) -> None:
    assert thumbnails(image) is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_is_killed_or_stalls_is_replaced(how: signal.Signals) -> None:
    before = decoders()
    with Thumbnails(ImageLimits(), seconds=0.5) as thumbnails:
        assert thumbnails(_jpeg())
        (process,) = decoders() - before
        process.send_signal(how)
        thumbnails(_jpeg())  # of a stopped one nothing is had in time
        assert thumbnails(_jpeg())
