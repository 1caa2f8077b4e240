"""Pictures from anywhere: found inside the catalog's folder, read within bounds, decoded to RGB.

Nothing here trusts a path or a byte. What a picture is, is asked of its first bytes alone, so that
only the decoders of the formats named here ever run; its size is known, and refused, before a pixel
is decoded.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, features

from schemas import (
    NotAPicture,
    PictureDamaged,
    PictureError,
    PictureNotFound,
    PictureOutsideCatalog,
    PictureSourceUnsupported,
    PictureTooLarge,
    PictureTooManyPixels,
    reason,
)

# Pictures are held to PictureLimits before they are decoded; Pillow's own bound, a warning at one
# size and an error at another, would only get in between. And what it remarks about odd metadata is
# of no use to anybody: a filter for the process, because warnings.catch_warnings is not for threads.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class PictureLimits:
    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000


_MIME = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
"""The formats that are decoded, by Pillow's names for them."""

_IN_BROWSERS = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"})

_SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "WEBP"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb".{4}ftyp(?:avif|avis|.{8,56}(?:avif|avis))", re.DOTALL), "AVIF"),
    (re.compile(rb"BM"), "BMP"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "TIFF"),
)

_URL = re.compile(r"[a-z][a-z0-9+.-]+://|(?:data|file|blob):", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:", re.IGNORECASE)

# EXIF: where the first row and the first column of the stored picture belong.
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


def locate_picture(root: Path, source: str, folders: Sequence[Path] = ()) -> Path:
    """The file that a catalog in the folder ``root`` calls ``source``, with symbolic links resolved.

    Args:
        folders: Absolute paths, and links, may lead into these as well.

    Raises:
        PictureSourceUnsupported, PictureOutsideCatalog: as ``relative_path`` does; or a path or link leads out of
            ``root`` and of ``folders``.
        PictureNotFound: nothing is there.
    """
    relative_path(source.lstrip("/") if folders else source)
    try:
        root = root.resolve(strict=True)
        path = (root / source).resolve(strict=True)
        inside = any(path.is_relative_to(folder) for folder in (root, *folders))
    except (OSError, RuntimeError, ValueError) as error:  # no such file, a loop of links, no Unicode
        why = reason(error) if isinstance(error, OSError) else "no such path"
        raise PictureNotFound(f"{cut(source)} is not there: {why}", field="image") from error
    if not inside:
        raise _outside(source)
    return path


def relative_path(source: str) -> str:
    """``source``, a relative path that stays where it starts, in one way of writing it: ``./a//b`` is ``a/b``.

    Raises:
        PictureSourceUnsupported: a URL, or a path that is not written with slashes.
        PictureOutsideCatalog: an absolute path, or one with ``..``.
    """
    if _URL.match(source):
        raise PictureSourceUnsupported(
            f"{cut(source)} is a URL of a kind that is not fetched; pictures are files beside the catalog, named by "
            "a relative path, or http and https URLs",
            field="image",
        )
    if _DRIVE.match(source) or source.startswith(("/", "~")) or ".." in PurePosixPath(source).parts:
        raise _outside(source)
    if "\\" in source or "\0" in source:
        raise PictureSourceUnsupported(f"{cut(source)} is no path; write / between folders", field="image")
    return "/".join(part for part in source.split("/") if part not in ("", "."))


def _outside(source: str) -> PictureOutsideCatalog:
    return PictureOutsideCatalog(
        f"{cut(source)} leads out of the catalog's folder; name a file inside it by a relative path, or its folder "
        "in STORELENS_PICTURE_FOLDERS",
        field="image",
    )


def cut(source: str) -> str:
    """A source as a message shows it: of bounded length, and printable."""
    return ascii(source if len(source) <= 200 else source[:199] + "…") if not source.isprintable() else source[:200]


def read_picture(path: Path, limits: PictureLimits) -> bytes:
    """The bytes of a file, at most ``limits.max_bytes`` of them.

    Raises:
        PictureNotFound: the file is not there or may not be read.
        NotAPicture: no file but a folder, a pipe or a device.
        PictureTooLarge: more bytes.
    """
    try:
        # A pipe that nobody writes to would block for ever.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise NotAPicture(f"{path.name} is not a file", field="image")
            data = file.read(limits.max_bytes + 1) if status.st_size <= limits.max_bytes else None
    except IsADirectoryError as error:
        raise NotAPicture(f"{path.name} is a folder", field="image") from error
    except OSError as error:
        raise PictureNotFound(f"{path.name} cannot be read: {reason(error)}", field="image") from error
    if data is None or len(data) > limits.max_bytes:
        raise too_large(limits.max_bytes)
    return data


def decode_picture(data: bytes, limits: PictureLimits) -> Image.Image:
    """The picture as a person sees it: RGB, upright, what is transparent on white, the first frame.

    Colour profiles are not applied. Grey of 16 bits keeps its range; grey of 32 bits and floats, which
    have none of their own, are stretched from their lowest to their highest value.

    Raises:
        PictureTooLarge: more bytes than ``limits`` allow.
        NotAPicture: bytes of no format that is read here.
        PictureTooManyPixels: told from the header, before anything is decoded.
        PictureDamaged: it breaks off or does not decode.
    """
    if len(data) > limits.max_bytes:
        raise too_large(limits.max_bytes)
    try:
        image = _open(data)
        _check_size(image, limits)
        image.load()
        return _rgb(_upright(image))
    except (PictureError, MemoryError):
        raise
    except Exception as error:  # decoders raise all sorts of things at bytes that were made to hurt them
        raise PictureDamaged(f"the picture does not decode: {_first_line(error)}", field="image") from error


def picture_format(data: bytes) -> str | None:
    """The media type of a picture by its first bytes, as ``image/png``; None for what is not read here."""
    name = _format(data)
    return None if name is None else _MIME[name]


def browser_picture(data: bytes, limits: PictureLimits) -> tuple[bytes, str]:
    """A picture as browsers show it, and its media type: the bytes themselves, or a JPEG of them.

    Raises as ``decode_picture`` does; pictures that browsers know are not decoded here.
    """
    media_type = picture_format(data)
    if media_type in _IN_BROWSERS:
        return data, media_type
    converted = BytesIO()
    decode_picture(data, limits).save(converted, "JPEG", quality=90)
    return converted.getvalue(), "image/jpeg"


def _format(data: bytes) -> str | None:
    return next((name for signature, name in _SIGNATURES if signature.match(data)), None)


def _open(data: bytes) -> Image.Image:
    name = _format(data)
    if name is None or (name == "AVIF" and not features.check("avif")):
        raise NotAPicture(
            "the bytes are no picture that can be read here; JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF are",
            field="image",
        )
    return Image.open(BytesIO(data), formats=(name,))


def _check_size(image: Image.Image, limits: PictureLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise PictureTooManyPixels(
            f"the picture has {width} x {height} pixels; at most {limits.max_pixels:,} are decoded", field="image"
        )


def too_large(max_bytes: int) -> PictureTooLarge:
    return PictureTooLarge(f"the picture has more than {max_bytes:,} bytes", field="image")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # broken metadata is no reason to refuse a picture that decodes
        return image
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        background = Image.new("RGB", image.size, "white")
        background.paste(image, mask=image.getchannel("A"))
        return background
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits a pixel as grey of 8; Pillow's own conversion cuts off all beyond 255."""
    values = np.asarray(image)
    if values.dtype.itemsize == 2:
        return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    lowest, highest = float(values.min()), float(values.max())
    if not np.isfinite([lowest, highest]).all():
        raise PictureDamaged("the picture has values that are not finite", field="image")
    scale = 255 / (highest - lowest) if highest > lowest else 0.0
    return Image.fromarray(np.rint((values - lowest) * scale).astype(np.uint8))
