"""What is told of many images at once is what comparing each by itself says."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from demo.drawn import drawn_products
from images import Prints, brightness_cells, differences, fingerprint_cells, image_fingerprint, least_left


@pytest.fixture(scope="module")
def hashes() -> list[str]:
    """Of images, darker ones, and of those with their edges cut off: copies among others."""
    images = [image for _, image in drawn_products()]
    changed = [image.point(lambda value: value * 0.9) for image in images]
    cut = [image.crop((18, 0, 256, 238)) for image in images]
    return [image_fingerprint(image) for image in (*images, *changed, *cut, Image.new("RGB", (9, 9)))]


def test_no_copy_is_lost(hashes: list[str]) -> None:
    known = [cells for hash in hashes if (cells := brightness_cells(hash)) is not None]
    prints, rows = Prints.of(np.stack(known)), np.arange(len(known))
    least = least_left(prints, prints.at(np.broadcast_to(rows, (len(rows), len(rows)))))
    fingerprints = np.stack([made for hash in hashes if (made := fingerprint_cells(hash)) is not None])
    found = np.stack([differences(one, fingerprints) for one in fingerprints])
    # A difference is of brightness or of colours, whichever is more.
    assert (least <= found + 0.03).all()
    assert (least[found <= 1.0] <= 1.03).all()
    assert (found <= 1.0).sum() > 2 * len(rows)
    assert (least > 1.03).mean() > 0.5


def test_what_is_no_hash_has_no_brightness() -> None:
    assert brightness_cells("f" * 16) is None
