"""Parts of an image that are embedded beside the whole, so that what fills a corner of it can be found."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from schemas import Crop

WHOLE, WITH_CROPS = 1, 6
"""Crops of an image: itself alone, or itself, its centre and its quadrants."""

_BOXES = ((0.25, 0.25), (0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5))
"""Left and top of the centre and of the quadrants, each half as wide and half as high as the whole."""


def cropped(image: Image.Image, crop: Crop) -> Image.Image:
    """A part of an image, of at least one pixel."""
    left, upper = int(crop.x * image.width), int(crop.y * image.height)
    right = min(image.width, round((crop.x + crop.width) * image.width))
    lower = min(image.height, round((crop.y + crop.height) * image.height))
    return image.crop((left, upper, max(right, left + 1), max(lower, upper + 1)))


def crops(image: Image.Image, per_image: int) -> Iterator[Image.Image]:
    """The whole image, and with ``WITH_CROPS`` of them its centre and quadrants, in this order."""
    yield image
    if per_image == WITH_CROPS:
        width, height = image.size
        for left, top in _BOXES:
            box = (int(left * width), int(top * height), int((left + 0.5) * width), int((top + 0.5) * height))
            yield image.crop((box[0], box[1], max(box[2], box[0] + 1), max(box[3], box[1] + 1)))
