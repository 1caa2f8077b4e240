"""Counts the scans of a JPEG and tells whether the file is complete.

Pillow tells neither the number of scans nor what libjpeg warned of.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops

_SEGMENT = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
"""A marker with something behind it. 00 is a stuffed FF, FF fills, 01 and D0 to D7, the restarts, stand alone."""

_END = b"\xff\xd9"
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}

_OWN_ZEROS = 2
"""Zeros at the end that may be the image's own: more of them in a row are filling."""
_noise = random.Random(0)
_FILLER = b"".join(bytes(_noise.randrange(255) for _ in range(64)) + bytes([0xFF, 0xD0 + n]) for n in range(8))
"""What no image goes on with: noise, between restarts, so that an image cut off at one goes on as well."""


class _Segment(NamedTuple):
    marker: int
    content: bytes


def count_scans(data: bytes, enough: int) -> int:
    """How many scans there are; counting ends beyond ``enough``."""
    if data.count(b"\xff\xda") <= enough:  # in previews inside metadata too, so there are not more
        return 0
    scans = 0
    for segment in _segments(data):
        scans += segment.marker == 0xDA
        if scans > enough:
            break
    return scans


def lacks_end(data: bytes) -> bool:
    """Whether no end marker comes behind the last scan."""
    return data.rfind(_END) < data.rfind(b"\xff\xda")


def ended(data: bytes, load: Callable[[bytes], Image.Image]) -> Image.Image | None:
    """The image of a JPEG that lacks nothing but its end marker; None where more is missing.

    libjpeg paints what is missing grey and only warns. But where nothing is, what comes behind it makes no difference:
    so it is decoded twice, with the marker and with noise before it. Raises what ``load`` raises.
    """
    if not _has_every_scan(data):
        return None
    body = data.rstrip(b"\0")  # disks are read in blocks
    zeros = len(data) - len(body)
    if body.endswith(b"\xff"):  # half the marker, or a stuffed byte, whose 0 is not filling
        body, zeros = (body + b"\0", zeros - 1) if zeros else (body[:-1], 0)
    for own in range(min(zeros, _OWN_ZEROS) + 1):
        whole, otherwise = (load(body + b"\0" * own + tail + _END) for tail in (b"", _FILLER))
        if whole.size == otherwise.size and not _differ(whole, otherwise):
            return whole
    return None


def _segments(data: bytes) -> Iterator[_Segment]:
    """Markers and their contents up to the end marker, or to where the data breaks off."""
    at = 2
    while found := _SEGMENT.search(data, at):
        marker, start = found[1][0], found.end()
        if marker == 0xD9:
            return
        length = int.from_bytes(data[start : start + 2])
        at = start + max(length, 2)
        yield _Segment(marker, data[start + 2 : at])


def _has_every_scan(data: bytes) -> bool:
    """Whether scans bring every coefficient of every component to its last bit, be they whole or not."""
    components, progressive = 0, False
    lowest: dict[int, np.ndarray[tuple[int], np.dtype[np.int8]]] = {}
    for marker, content in _segments(data):
        if marker in _FRAMES and len(content) > 5:
            components, progressive = content[5], marker in _PROGRESSIVE
        elif marker == 0xDA and content and len(content) >= 2 * content[0] + 4:
            first, last, approximation = content[-3:] if progressive else (0, 63, 0)
            for component in content[1 : 2 * content[0] : 2]:
                bits = lowest.setdefault(component, np.full(64, 15, np.int8))
                bits[first : last + 1] = approximation & 15
    return len(lowest) == components > 0 and not any(bits.any() for bits in lowest.values())


def _differ(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is not None
