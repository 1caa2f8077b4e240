"""Chooses the background of a transparent image: white, as in most shops, unless most of the image would vanish.

On white, all white shapes would be the same image, to a model and to the search for duplicates.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Ground = Literal["white", "black", "grey"]

_LEVELS: Final[dict[Ground, int]] = {"white": 255, "black": 0, "grey": 128}
_ENOUGH: Final[dict[Ground, float]] = {"white": 0.5, "black": 0.75, "grey": 0.0}
"""How much of what is there must be seen on a ground for it to be taken; grey shows both black and white."""
_SEEN = 112
"""Of 255, the root mean square of three channels: what differs from its ground by so much is seen, and what by less in
part. Half of it is about what ``images.fingerprint`` needs to tell two shapes apart."""
_SAMPLED = 256
"""Pixels along each side."""


def lay_on_ground(image: Image.Image) -> tuple[Image.Image, Ground | None]:
    """An image with an alpha channel (``RGBA``) as RGB, and what it was laid on; None where nothing shines through."""
    alpha = image.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return image.convert("RGB"), None
    ground = _choose(image, alpha)
    laid = Image.new("RGB", image.size, (_LEVELS[ground],) * 3)
    laid.paste(image, mask=alpha)
    return laid, ground


def _choose(image: Image.Image, alpha: Image.Image) -> Ground:
    box = alpha.getbbox()
    if box is None:
        return "white"
    # Pixels as they are: an average of black and white would be seen on either.
    size = min(_SAMPLED, box[2] - box[0]), min(_SAMPLED, box[3] - box[1])
    pixels = np.asarray(image.resize(size, Image.Resampling.NEAREST, box)).reshape(-1, 4)
    return next(ground for ground, level in _LEVELS.items() if _seen(pixels, level) >= _ENOUGH[ground])


def _seen(pixels: NDArray[np.uint8], level: int) -> float:
    """How much of what is there, ``(n, 4)``, is seen on a ground of that grey, 0 to 1; 1 where there is nothing."""
    opacity = pixels[:, 3] / np.float32(255)
    distance = np.sqrt(np.square(pixels[:, :3] - np.float32(level)).mean(1)) * opacity
    total = float(opacity.sum())
    return float((opacity * np.minimum(distance / _SEEN, 1)).sum()) / total if total else 1.0
