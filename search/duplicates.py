"""Which hits show the very image that was asked with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

import numpy as np

from images import differences, fingerprint_cells, is_copy, near_distance
from index import CatalogIndex, Stored, sample_images
from search.candidates import Candidates
from search.plan import AskedImage, Question

SameImage = Literal["identical", "near-identical"]

_SAMPLE = 256


def near(index: CatalogIndex) -> float:
    """``catalog.near_distance`` of an index."""
    vectors, payloads = sample_images(index, _SAMPLE)
    return near_distance(vectors, [payload["product"].get("group_id") for payload in payloads])


def same_images(
    question: Question, found: Candidates, shown: Mapping[UUID, Stored], near: float
) -> dict[UUID, SameImage]:
    """Products with an image that is one of those asked with, byte by byte or a copy of it."""
    same: dict[UUID, SameImage] = {}
    for planned, result in found.legs:
        asked = next((image for image in question.images if image.vector is planned.leg.query), None)
        if asked is None or planned.leg.name != "image->image":
            continue
        for point, cosine in zip(result.points, result.scores.tolist(), strict=True):
            if point not in shown or not is_copy(0.0, cosine, near) or same.get(point) == "identical":
                continue
            if kind := _kind(asked, shown[point].payload, cosine, near):
                same[point] = kind
    return same


def _kind(asked: AskedImage, payload: Mapping[str, Any], cosine: float, near: float) -> SameImage | None:
    kept = payload.get("pictures", ())
    if any(image["hash"] == asked.hash for image in kept):
        return "identical"
    fingerprints = [known for image in kept if (known := fingerprint_cells(image.get("phash", ""))) is not None]
    if asked.fingerprint is None or not fingerprints:
        return None
    # The cosine is of the product's nearest image, which a copy would be.
    difference = float(differences(asked.fingerprint, np.stack(fingerprints)).min())
    return "near-identical" if is_copy(difference, cosine, near) else None
