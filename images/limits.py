"""Limits on images: their path must stay inside the catalog's folder, their size within bounds, and their first bytes
must be those of a known format.

Nothing is decoded here; ``images.decode`` does that.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from schemas import (
    ImageNotFound,
    ImageOutsideCatalog,
    ImageSourceUnsupported,
    ImageTooLarge,
    NotAImage,
    reason,
)


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """``max_scans`` is how often a progressive JPEG may go over the image again. Cameras and programs make ten or so;
    each costs as much time as the image is large, and may take 80 bytes."""

    max_bytes: int = 20 * 2**20
    max_pixels: int = 50_000_000
    max_scans: int = 100


_MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
"""The formats that are decoded, by Pillow's names for them."""

_SIGNATURES = (
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "WEBP"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb".{4}ftyp(?:avif|avis|.{8,56}(?:avif|avis))", re.DOTALL), "AVIF"),
    (re.compile(rb"BM"), "BMP"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "TIFF"),
)

_WITHOUT_SCHEME = re.compile(r"//(?:[^/@\s]*@)?(?=[^/]*[.:])[^\W_][\w.-]*(?::[0-9]+)?(?=[/?#])")
"""Two slashes and what is a host, by a dot or a port in it; ``//mnt/photos/a.jpg`` is a path."""

_URL = re.compile(r"[a-z][a-z0-9+.-]+://|(?:data|file|blob):", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:", re.IGNORECASE)


def locate_image(root: Path, source: str, folders: Sequence[Path] = ()) -> Path:
    """The file that a catalog in the folder ``root`` calls ``source``, with symbolic links resolved.

    Args:
        folders: Absolute paths, and links, may lead into these as well.

    Raises:
        ImageSourceUnsupported, ImageOutsideCatalog: as ``relative_path`` does; or a path or link leads out of
            ``root`` and of ``folders``.
        ImageNotFound: nothing is there.
    """
    relative_path(source.lstrip("/") if folders else source)
    try:
        root = root.resolve(strict=True)
        path = (root / source).resolve(strict=True)
        inside = any(path.is_relative_to(folder) for folder in (root, *folders))
    except (OSError, RuntimeError, ValueError) as error:  # no such file, a loop of links, no Unicode
        why = reason(error) if isinstance(error, OSError) else "no such path"
        raise ImageNotFound(f"{cut(source)} is not there: {why}", field="image") from error
    if not inside:
        raise _outside(source)
    return path


def with_scheme(source: str) -> str:
    """``//cdn.example.com/mug.jpg``, as pages of shops have it, as the https URL that it is; all else as it stands."""
    return f"https:{source}" if _WITHOUT_SCHEME.match(source) else source


def relative_path(source: str) -> str:
    """``source``, a relative path that stays where it starts, in one way of writing it: ``./a//b`` is ``a/b``.

    Raises:
        ImageSourceUnsupported: a URL, or a path that is not written with slashes.
        ImageOutsideCatalog: an absolute path, or one with ``..``.
    """
    if _URL.match(source):
        raise ImageSourceUnsupported(
            f"{cut(source)} is a URL of a kind that is not fetched; images are files beside the catalog, named by "
            "a relative path, or http and https URLs",
            field="image",
        )
    if _DRIVE.match(source) or source.startswith(("/", "~")) or ".." in PurePosixPath(source).parts:
        raise _outside(source)
    if "\\" in source or "\0" in source:
        raise ImageSourceUnsupported(f"{cut(source)} is no path; write / between folders", field="image")
    return "/".join(part for part in source.split("/") if part not in ("", "."))


def _outside(source: str) -> ImageOutsideCatalog:
    return ImageOutsideCatalog(
        f"{cut(source)} leads out of the catalog's folder; name a file inside it by a relative path, or its folder "
        "in STORELENS_PICTURE_FOLDERS",
        field="image",
    )


def cut(source: str) -> str:
    """A source as a message shows it: of bounded length, and printable."""
    return ascii(source if len(source) <= 200 else source[:199] + "…") if not source.isprintable() else source[:200]


def read_image(path: Path, limits: ImageLimits) -> bytes:
    """The bytes of a file, at most ``limits.max_bytes`` of them.

    Raises:
        ImageNotFound: the file is not there or may not be read.
        NotAImage: no file but a folder, a pipe or a device.
        ImageTooLarge: more bytes.
    """
    try:
        # A pipe that nobody writes to would block for ever.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise NotAImage(f"{path.name} is not a file", field="image")
            data = file.read(limits.max_bytes + 1) if status.st_size <= limits.max_bytes else None
    except IsADirectoryError as error:
        raise NotAImage(f"{path.name} is a folder", field="image") from error
    except OSError as error:
        raise ImageNotFound(f"{path.name} cannot be read: {reason(error)}", field="image") from error
    if data is None or len(data) > limits.max_bytes:
        raise too_large(limits.max_bytes)
    return data


def image_format(data: bytes) -> str | None:
    """The media type of an image by its first bytes, as ``image/png``; None for what is not read here."""
    name = decoder_name(data)
    return None if name is None else _MEDIA_TYPES[name]


def decoder_name(data: bytes) -> str | None:
    """The same by Pillow's name for it, as ``PNG``."""
    return next((name for signature, name in _SIGNATURES if signature.match(data)), None)


def too_large(max_bytes: int) -> ImageTooLarge:
    return ImageTooLarge(f"the image has more than {max_bytes:,} bytes", field="image")
