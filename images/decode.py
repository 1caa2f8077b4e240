"""Decodes an image as a person sees it: turned upright, in RGB.

Only decoders of the formats in ``images.limits`` run, and an image that is too large is refused before a pixel is
decoded. Time and memory are bounded by ``images.decode_pool``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, ImageFile, features

from images.background import Ground, lay_on_ground
from images.jpeg import count_scans, ended, lacks_end
from images.limits import ImageLimits, decoder_name, image_format, too_large
from schemas import ImageDamaged, ImageError, ImageTooCostly, ImageTooManyPixels, NotAImage, first_line

# Images are held to ImageLimits before they are decoded; Pillow's own bound, a warning at one
# size and an error at another, would only get in between. And what it remarks about odd metadata is
# of no use to anybody: a filter for the process, because warnings.catch_warnings is not for threads.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# One image is one core's work, as with every other format: others have images too.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

IN_BROWSERS = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")

_STRIP = 2**22
"""Pixels that are computed with at once."""

_MOST_PIXELS = 2**24
"""A JPEG with more is decoded to a half, a quarter or an eighth of its width and height: what a model sees of it then
differs by rounding, and 50 megapixels cost a quarter of the time."""

# EXIF: where the first row and the first column of the stored image belong.
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_image(data: bytes, limits: ImageLimits) -> Image.Image:
    """The image as a person sees it: RGB, upright, what is transparent on a ground that shows it, the first frame.

    Colour profiles are not applied. Grey of 16 bits keeps its range; grey of 32 bits and floats, which
    have none of their own, are stretched from their lowest to their highest value.

    Raises:
        ImageTooLarge: more bytes than ``limits`` allow.
        NotAImage: bytes of no format that is read here.
        ImageTooManyPixels: told from the header, before anything is decoded.
        ImageTooCostly: more scans than ``limits`` allow, also told before; or more memory than this process may take.
        ImageDamaged: it breaks off or does not decode.
    """
    return decode_on_ground(data, limits)[0]


def decode_on_ground(data: bytes, limits: ImageLimits) -> tuple[Image.Image, Ground | None]:
    """``decode_image``, and what the image was laid on; None where nothing of it is transparent."""
    if len(data) > limits.max_bytes:
        raise too_large(limits.max_bytes)
    try:
        return _rgb(_upright(_loaded(data, limits)))
    except ImageError:
        raise
    except MemoryError as error:
        raise memory_refused() from error
    except Exception as error:  # decoders raise all sorts of things at bytes that were made to hurt them
        raise ImageDamaged(f"the image does not decode: {first_line(error)}", field="image") from error


def browser_image(data: bytes, limits: ImageLimits) -> bytes:
    """A JPEG of an image, for browsers, which do not know its format. Raises as ``decode_image`` does."""
    converted = BytesIO()
    decode_image(data, limits).save(converted, "JPEG", quality=90)
    return converted.getvalue()


def browser_format(data: bytes) -> str | None:
    """The media type of an image that browsers show as it is, by its first bytes; None for all else."""
    media_type = image_format(data)
    return media_type if media_type in IN_BROWSERS else None


def memory_refused() -> ImageTooCostly:
    return ImageTooCostly("the image takes more memory to decode than it may", field="image")


def _loaded(data: bytes, limits: ImageLimits) -> Image.Image:
    """The image with its pixels, as it is stored."""
    name = decoder_name(data)
    if name is None or (name == "AVIF" and not features.check("avif")):
        raise NotAImage(
            "the bytes are no image that can be read here; JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF are",
            field="image",
        )

    def load(data: bytes) -> Image.Image:
        image = Image.open(BytesIO(data), formats=(name,))
        width, height = image.size
        if width * height > limits.max_pixels:
            raise ImageTooManyPixels(
                f"the image has {width} x {height} pixels; at most {limits.max_pixels:,} are decoded", field="image"
            )
        if width * height > _MOST_PIXELS:
            half = 2 ** math.ceil(math.log2(width * height / _MOST_PIXELS) / 2)
            image.draft(None, (width // half, height // half))
        image.load()
        return image

    if name != "JPEG":
        return load(data)
    if count_scans(data, limits.max_scans) > limits.max_scans:
        raise ImageTooCostly(
            f"the image is stored in more than {limits.max_scans} scans; save it again as an ordinary JPEG",
            field="image",
        )
    if lacks_end(data) and not ImageFile.LOAD_TRUNCATED_IMAGES:
        whole = ended(data, load)
        if whole is None:
            raise ImageDamaged("the image breaks off", field="image")
        return whole
    return load(data)


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # broken metadata is no reason to refuse an image that decodes
        return image
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image) -> tuple[Image.Image, Ground | None]:
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bits(image)
    if image.has_transparency_data:
        return lay_on_ground(image if image.mode == "RGBA" else image.convert("RGBA"))
    return image if image.mode == "RGB" else image.convert("RGB"), None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits a pixel as grey of 8; Pillow's own conversion cuts off all beyond 255."""
    if image.mode.startswith("I;"):
        return _each_strip(image, lambda values: (values.astype(np.uint32) + 128) // 257)
    bounds = np.array([(strip.min(), strip.max()) for strip in _strips(image)], np.float64)
    lowest, highest = float(bounds[:, 0].min()), float(bounds[:, 1].max())
    if not np.isfinite([lowest, highest]).all():
        raise ImageDamaged("the image has values that are not finite", field="image")
    scale = 255 / (highest - lowest) if highest > lowest else 0.0
    return _each_strip(image, lambda values: np.rint((values - lowest) * scale))


def _each_strip(image: Image.Image, compute: Callable[[NDArray[Any]], NDArray[Any]]) -> Image.Image:
    """Grey of 8 bits, from the values of an image a few rows at a time."""
    return Image.fromarray(np.concatenate([compute(strip).astype(np.uint8) for strip in _strips(image)]))


def _strips(image: Image.Image) -> Iterator[NDArray[Any]]:
    """The values of an image of one channel, some rows at a time."""
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        yield np.asarray(image.crop((0, top, image.width, min(top + rows, image.height))))
