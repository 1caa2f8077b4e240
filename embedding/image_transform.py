"""Resizes and crops an image to the pixels that a model takes. Pillow and numpy only, as decode processes run it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from images.arrays import Pixels

MAX_STRETCH = 8
"""Longer side to shorter side of an image that is resized as a whole."""

_MOST_PIXELS = 2**24


@dataclass(frozen=True, slots=True)
class ImageTransform:
    """Resize, crop the centre, rescale, normalise: the steps of a CLIP image processor.

    ``prepare`` does the first two; ``scale``, ``mean`` and ``std`` are left to whoever makes tensors:
    ``(pixels * scale - mean) / std``, each of the three channels by itself.
    """

    resize: int | tuple[int, int]
    """The shorter side after resizing, or (height, width) whatever the shape of the image."""
    crop: tuple[int, int]
    """(height, width) cut from the centre, and so the size of what ``prepare`` returns."""
    resample: Image.Resampling
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ImageTransform | None:
        """Of the image processor configuration of a transformers model; None where it is of another form.

        The defaults are those of ``CLIPImageProcessor``.
        """
        if not all(config.get(step, True) for step in ("do_resize", "do_center_crop", "do_rescale", "do_normalize")):
            return None
        resize, crop = _size(config.get("size", 224)), _size(config.get("crop_size", 224))
        crop = (crop, crop) if isinstance(crop, int) else crop
        mean = tuple(config.get("image_mean", (0.48145466, 0.4578275, 0.40821073)))
        std = tuple(config.get("image_std", (0.26862954, 0.26130258, 0.27577711)))
        if resize is None or crop is None or len(mean) != 3 or len(std) != 3 or config.get("do_pad"):
            return None
        shorter = (resize, resize) if isinstance(resize, int) else resize
        if shorter[0] < crop[0] or shorter[1] < crop[1]:
            return None  # smaller than the crop: the reference pads, which nobody's model does
        resample = Image.Resampling(config.get("resample", Image.Resampling.BICUBIC))
        return cls(resize, crop, resample, config.get("rescale_factor", 1 / 255), mean, std)

    def prepare(self, image: Image.Image) -> Pixels:
        """``(*crop, 3) uint8`` of an image of any size and mode."""
        image = image if image.mode == "RGB" else image.convert("RGB")
        resized = self._resized(image.width, image.height)
        height, width = self.crop
        left, top = (resized[0] - width) // 2, (resized[1] - height) // 2
        if max(resized) <= MAX_STRETCH * min(resized):
            whole = image.resize(resized, self.resample)
            return np.asarray(whole.crop((left, top, left + width, top + height)))
        # An image of 1 x 100,000 would be scaled up to gigabytes: resize what the crop keeps and nothing else. The
        # same within rounding, so it is not done to ordinary images, whose pixels equal the reference's.
        across, down = image.width / resized[0], image.height / resized[1]
        right, bottom = min((left + width) * across, image.width), min((top + height) * down, image.height)
        return np.asarray(image.resize((width, height), self.resample, box=(left * across, top * down, right, bottom)))

    def normalized(self, pixels: Sequence[Pixels]) -> NDArray[np.float32]:
        """``(n, 3, *crop) float32`` of what ``prepare`` made, for a model that has no faster way of its own."""
        mean, std = (np.array(channels, np.float32) for channels in (self.mean, self.std))
        values: NDArray[np.float32] = (np.stack(pixels).astype(np.float32) * np.float32(self.scale) - mean) / std
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2))

    def __str__(self) -> str:
        resize = f"shorter side {self.resize}" if isinstance(self.resize, int) else "resize {}x{}".format(*self.resize)
        mean, std = (" ".join(f"{value:.6g}" for value in values) for values in (self.mean, self.std))
        return (
            f"{resize} {self.resample.name.lower()}, centre crop {self.crop[0]}x{self.crop[1]}, "
            f"scale {self.scale:.6g}, mean {mean}, std {std}"
        )

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) after resizing; the longer side is rounded down, as the reference does."""
        if not isinstance(self.resize, int):
            return self.resize[1], self.resize[0]
        shorter, longer = min(width, height), max(width, height)
        long = int(self.resize * longer / shorter)
        return (self.resize, long) if width <= height else (long, self.resize)


def whole_image(image: Image.Image) -> Pixels:
    """``(height, width, 3) uint8``: all of it, for a model that has a preprocessing of its own.

    Of more than 16 million pixels, the means of squares of them: no model looks that close, and what prepares an image
    for one may take dozens of bytes a pixel.
    """
    image = image if image.mode == "RGB" else image.convert("RGB")
    side = math.ceil(math.sqrt(image.width * image.height / _MOST_PIXELS))
    return np.asarray(image.reduce(side) if side > 1 else image)


def _size(size: Any) -> int | tuple[int, int] | None:
    match size:
        case int():
            return size
        case {"shortest_edge": int(edge), **rest} if not any(rest.values()):
            return edge
        case {"height": int(height), "width": int(width), **rest} if not any(rest.values()):
            return height, width
    return None
