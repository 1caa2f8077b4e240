"""Thumbnails of whole, broken and deadly pictures, by the real process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

import ingest.thumbnails
from catalog import PictureLimits
from ingest.thumbnails import SIDE, Thumbnails


@pytest.fixture(scope="module")
def thumbnails() -> Iterator[Thumbnails]:
    with Thumbnails(PictureLimits(max_pixels=1_000_000)) as thumbnails:
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


def test_a_picture_gets_small_and_of_a_broken_one_what_there_is(thumbnails: Thumbnails) -> None:
    assert _size(thumbnails(_jpeg())) == (SIDE, SIDE // 2)
    assert _size(thumbnails(_jpeg()[:20_000])) == (SIDE, SIDE // 2)


@pytest.mark.parametrize("picture", [b"", b"<html>", _jpeg()[:30], _jpeg((2000, 1000))])
def test_there_is_none_of_what_does_not_decode(thumbnails: Thumbnails, picture: bytes) -> None:
    assert thumbnails(picture) is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_picture_that_kills_or_stalls_the_process_costs_that_picture_only(
    thumbnails: Thumbnails, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert thumbnails(_jpeg())
    assert thumbnails._process is not None
    assert thumbnails._process.pid is not None
    os.kill(thumbnails._process.pid, how)
    with monkeypatch.context() as patch:
        patch.setattr(ingest.thumbnails, "_PATIENCE", 0.1)
        assert thumbnails(_jpeg()) is None
    assert thumbnails(_jpeg())
