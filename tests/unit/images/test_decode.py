from __future__ import annotations

import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features

from images import ImageLimits, browser_format, browser_image, decode_image, image_format
from schemas import (
    ImageDamaged,
    ImageError,
    ImageTooLarge,
    ImageTooManyPixels,
    NotAImage,
)
from tests.support import images

LIMITS = ImageLimits()
MIME = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
FORMATS = [
    pytest.param(format, marks=pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF"))
    if format == "AVIF"
    else format
    for format in MIME
]


def pixel(data: bytes, x: int, y: int) -> tuple[int, ...]:
    found = decode_image(data, LIMITS).getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(int(value) for value in found)


def assert_quarters(image: Image.Image, tolerance: int = 12) -> None:
    assert image.mode == "RGB"
    w, h = image.size
    found = [
        image.getpixel((x, y))
        for x, y in ((w // 4, h // 4), (3 * w // 4, h // 4), (w // 4, 3 * h // 4), (w - 5, h - 5))
    ]
    wanted = [images.RED, images.GREEN, images.BLUE, images.WHITE]
    assert np.abs(np.array(found) - np.array(wanted)).max() <= tolerance


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_decodes_to_rgb(format: str) -> None:
    data = images.encode(images.quarters(), format)
    image = decode_image(data, LIMITS)
    assert image.size == (64, 48)
    assert_quarters(image, tolerance=40)
    assert image_format(data) == MIME[format]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(format: str, orientation: int) -> None:
    image = decode_image(images.turned(orientation, format), LIMITS)
    assert image.size == (64, 48)
    assert_quarters(image, tolerance=40)


@pytest.mark.parametrize("orientation", [0, 9, 60_000])
def test_an_unknown_orientation_is_none(orientation: int) -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION] = orientation
    assert_quarters(decode_image(images.encode(images.quarters(), "PNG", exif=exif), LIMITS))


def test_cmyk_as_adobe_stores_it() -> None:
    red, green, blue = pixel(images.cmyk(), 10, 10)
    assert red < 30 and green > 200 and blue > 200


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_grey_keeps_its_range(format: str) -> None:
    row = np.asarray(decode_image(images.grey16(format), LIMITS))[0]
    assert (row == np.arange(256, dtype=np.uint8)[:, None]).all()


def test_floats_are_stretched() -> None:
    row = np.asarray(decode_image(images.grey32(), LIMITS))[0, :, 0]
    assert row[0] == 0 and row[-1] == 255 and (np.diff(row.astype(int)) >= 0).all()


def test_one_value_everywhere_is_black_and_not_a_crash() -> None:
    flat = images.encode(Image.fromarray(np.full((4, 4), 3.5, dtype=np.float32)), "TIFF")
    assert pixel(flat, 0, 0) == images.BLACK


def test_values_that_are_not_finite_are_refused() -> None:
    values = np.zeros((4, 4), dtype=np.float32)
    values[1, 1] = np.nan
    with pytest.raises(ImageDamaged, match="not finite"):
        decode_image(images.encode(Image.fromarray(values), "TIFF"), LIMITS)


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_palette(format: str) -> None:
    data = images.palette(format=format)
    assert (pixel(data, 4, 4), pixel(data, 20, 4)) == (images.RED, images.BLUE)


@pytest.mark.parametrize(
    ("transparent", "format"), [(1, "PNG"), (1, "GIF"), (b"\xff\x00", "PNG")], ids=["index", "gif", "bytes"]
)
def test_a_transparent_palette_colour_is_white(transparent: int | bytes, format: str) -> None:
    data = images.palette(transparent, format)
    assert (pixel(data, 4, 4), pixel(data, 20, 4)) == (images.RED, images.WHITE)


@pytest.mark.parametrize(
    ("mode", "format"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("LA", "TIFF")]
)
def test_what_is_transparent_is_white(mode: str, format: str) -> None:
    data = images.half_transparent(mode, format)
    assert (pixel(data, 4, 4), pixel(data, 20, 4)) == (images.BLACK, images.WHITE)


def test_a_half_transparent_colour_is_mixed_with_white() -> None:
    data = images.encode(Image.new("RGBA", (8, 8), (0, 0, 0, 128)), "PNG")
    assert np.allclose(pixel(data, 4, 4), 127, atol=1)


@pytest.mark.parametrize(("mode", "color"), [("RGB", (9, 9, 9)), ("L", 9), ("1", 0)])
def test_a_transparent_colour_of_a_image_without_alpha_is_white(mode: str, color: int | tuple[int, ...]) -> None:
    data = images.encode(Image.new(mode, (8, 8), color), "PNG", transparency=color)
    assert pixel(data, 4, 4) == images.WHITE


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame(format: str) -> None:
    assert np.allclose(pixel(images.animated(format), 8, 8), images.RED, atol=8)


@pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
def test_of_an_animated_avif_the_first_frame() -> None:
    data = images.animated("AVIF")
    assert image_format(data) == "image/avif"
    assert np.allclose(pixel(data, 8, 8), images.RED, atol=20)


def test_a_camera_s_multi_image_file_is_a_jpeg() -> None:
    data = images.encode(images.quarters(), "MPO", save_all=True, append_images=[images.quarters()])
    assert image_format(data) == "image/jpeg"
    assert_quarters(decode_image(data, LIMITS), tolerance=40)


def test_a_bomb_is_refused_from_its_header() -> None:
    data = images.bomb()
    assert len(data) < 150_000
    tracemalloc.start()
    try:
        with pytest.raises(ImageTooManyPixels, match="30000 x 30000"):
            decode_image(data, LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_limits_are_what_is_given_even_beyond_pillow_s_own() -> None:
    data = images.bomb(12_000, 8_000)
    assert decode_image(data, ImageLimits(max_pixels=100_000_000)).size == (12_000, 8_000)
    with pytest.raises(ImageTooManyPixels):
        decode_image(data, ImageLimits(max_pixels=95_999_999))
    with pytest.raises(ImageTooLarge):
        decode_image(data, ImageLimits(max_bytes=len(data) - 1))


@pytest.mark.parametrize("format", FORMATS)
def test_a_image_that_breaks_off_is_damaged(format: str) -> None:
    data = images.photo(format=format, compression="tiff_lzw" if format == "TIFF" else None)
    for kept in (0.5, 0.95):
        with pytest.raises(ImageDamaged):
            decode_image(data[: int(len(data) * kept)], LIMITS)


def test_a_image_of_nothing_but_its_signature_is_damaged() -> None:
    for start in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ", b"BM", b"II*\0"):
        with pytest.raises(ImageDamaged):
            decode_image(start, LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"just some words",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\0\0\0\x18ftypheic\0\0\0\0heicmif1",
        b"P6 1 1 255 abc",
    ],
)
def test_what_is_no_image_read_here(data: bytes) -> None:
    assert image_format(data) is None
    with pytest.raises(NotAImage, match="JPEG, PNG, WebP"):
        decode_image(data, LIMITS)


@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*"]),
    st.binary(max_size=300),
)
def test_whatever_the_bytes_the_error_is_a_image_s(start: bytes, rest: bytes) -> None:
    try:
        decode_image(start + rest, ImageLimits(max_pixels=1_000_000))
    except ImageError as error:
        assert error.field == "image" and error.message


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]), st.integers(0, 10**6), st.integers(1, 255))
def test_a_flipped_byte_is_a_image_or_a_image_s_error(format: str, at: int, change: int) -> None:
    data = bytearray(images.encode(images.quarters(), format))
    data[at % len(data)] ^= change
    try:
        assert decode_image(bytes(data), ImageLimits(max_pixels=1_000_000)).mode == "RGB"
    except ImageError as error:
        assert error.field == "image"


def test_no_warning_leaks() -> None:
    """In a process that turns warnings into errors before it imports anything, as no fixture here can."""
    program = (
        "import sys; from images import *; from tests.support import images\n"
        "decode_image(images.broken_exif(), ImageLimits())\n"
        "decode_image(images.bomb(12_000, 8_000), ImageLimits(max_pixels=10**8))\n"
        "decode_image(images.palette(b'\\xff\\x00'), ImageLimits())\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_metadata_costs_nothing() -> None:
    assert_quarters(decode_image(images.broken_exif(), LIMITS), tolerance=40)


def test_many_threads_decode_at_once() -> None:
    data = images.photo()
    alone = np.asarray(decode_image(data, LIMITS))
    with ThreadPoolExecutor(8) as threads:
        for image in threads.map(lambda _: decode_image(data, LIMITS), range(32)):
            assert (np.asarray(image) == alone).all()


@pytest.mark.parametrize("format", FORMATS)
def test_browsers_get_what_they_can_show(format: str) -> None:
    data = images.encode(images.quarters(), format)
    if format in ("BMP", "TIFF"):
        assert browser_format(data) is None
        shown = browser_image(data, LIMITS)
        assert image_format(shown) == "image/jpeg"
        assert_quarters(Image.open(BytesIO(shown)), tolerance=40)
    else:
        assert browser_format(data) == MIME[format]


def test_browsers_get_nothing_of_what_is_no_image() -> None:
    with pytest.raises(NotAImage):
        browser_image(b"<script>", LIMITS)
