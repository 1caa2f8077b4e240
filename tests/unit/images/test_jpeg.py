"""JPEGs that go over their image too often, and those that end a little too early."""

from __future__ import annotations

import random
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from images import ImageLimits, decode_image
from images.jpeg import count_scans
from schemas import ImageDamaged, ImageTooCostly
from tests.support.images import encode, photo, scanned

LIMITS = ImageLimits()
KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 1},
    "restarts by row": {"restart_marker_rows": 1},
    "optimized": {"optimize": True, "quality": 40},
    "fine": {"subsampling": 0, "quality": 95},
}


def test_as_many_scans_as_limits_allow_and_not_one_more() -> None:
    often = partial(scanned, restart_marker_blocks=1)  # restarts are no scans
    here = often(0).count(b"\xff\xda")
    assert decode_image(often(LIMITS.max_scans - here), LIMITS).size == (64, 64)
    with pytest.raises(ImageTooCostly, match="more than 100 scans"):
        decode_image(often(LIMITS.max_scans - here + 1), LIMITS)


def test_scans_are_counted_in_the_image_and_not_in_its_metadata_or_behind_it() -> None:
    """As in files of cameras, which hold previews in front and further images behind."""
    preview = scanned(20)
    exif = b"Exif\0\0" + 10 * preview
    data = encode(Image.new("RGB", (64, 64)), "JPEG", exif=exif[:65_000]) + 10 * preview
    assert data.count(b"\xff\xda") > LIMITS.max_scans
    assert decode_image(data, LIMITS).size == (64, 64)


@given(st.integers(0, 40), st.lists(st.binary(max_size=30), max_size=5))
def test_no_filling_hides_a_scan(times: int, filling: list[bytes]) -> None:
    """Between its parts a JPEG may hold comments, and as many FF as it likes."""
    data = scanned(times)
    filled = b"".join(b"\xff\xfe" + (2 + len(text)).to_bytes(2) + text + b"\xff" for text in filling)
    first = data.index(b"\xff\xdb")
    hidden = data[:first] + filled + data[first:].replace(b"\xff\xda", b"\xff\xff\xda")
    plain = [count_scans(each, 0) for each in (data, hidden)]
    assert plain == [1, 1]
    assert count_scans(hidden, times) > times


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "end", [b"", b"\xff", b"\0\0", b"\xff\0\0", b"\0" * 3000], ids=["no", "half", "0", "half 0", "block"]
)
def test_a_jpeg_that_lacks_nothing_but_its_end_marker_is_used(kind: str, end: bytes, mode: str) -> None:
    whole = _jpeg(kind, mode)
    assert whole.endswith(b"\xff\xd9")
    assert decode_image(whole[:-2] + end, LIMITS).tobytes() == decode_image(whole, LIMITS).tobytes()


@pytest.mark.parametrize("filling", [b"", b"\0" * 512])
@pytest.mark.parametrize("quality", [50, 90])
def test_a_zero_that_ends_the_image_is_no_filling(quality: int, filling: bytes) -> None:
    data = encode(Image.new("RGB", (200, 200), "red"), "JPEG", quality=quality)
    assert data.endswith(b"\0\xff\xd9")
    assert decode_image(data[:-2] + filling, LIMITS).tobytes() == decode_image(data, LIMITS).tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_jpeg_that_lacks_more_is_damaged(kind: str) -> None:
    whole = _jpeg(kind, "RGB")
    start = whole.index(b"\xff\xda")
    for cut in (len(whole) - 20, *random.Random(kind).sample(range(start, len(whole) - 20), 12)):
        for end in (b"", b"\0" * 5000):
            with pytest.raises(ImageDamaged):
                decode_image(whole[:cut] + end, LIMITS)


def test_a_jpeg_that_breaks_off_between_scans_or_at_a_restart_is_damaged() -> None:
    progressive, restarts = _jpeg("progressive", "RGB"), _jpeg("restarts", "RGB")
    cuts = [progressive[:at] for at in _places(progressive, b"\xff\xc4") if at > progressive.index(b"\xff\xda")]
    cuts += [restarts[:at] for n in range(8) for at in _places(restarts, bytes([0xFF, 0xD0 + n]))[:2]]
    cuts += [cut + bytes([0xFF, 0xD0]) for cut in cuts]
    assert len(cuts) > 20
    for cut in cuts:
        with pytest.raises(ImageDamaged):
            decode_image(cut, LIMITS)


def _jpeg(kind: str, mode: str) -> bytes:
    image = Image.open(BytesIO(photo(format="PNG"))).convert(mode)
    return encode(image, "JPEG", **KINDS[kind])


def _places(data: bytes, marker: bytes) -> list[int]:
    return [at for at in range(len(data)) if data.startswith(marker, at)]


@pytest.mark.parametrize(
    ("size", "decoded"), [((4096, 4096), (4096, 4096)), ((8192, 4096), (4096, 2048)), ((16400, 5000), (4100, 1250))]
)
def test_a_large_one_is_decoded_to_what_a_model_can_use(size: tuple[int, int], decoded: tuple[int, int]) -> None:
    data = encode(Image.new("L", size, 40), "JPEG")
    limits = ImageLimits(max_pixels=100_000_000)
    assert decode_image(data, limits).size == decoded
