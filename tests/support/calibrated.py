"""A searcher over an index that is calibrated, with a calibration made up for tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args

from index import CatalogIndex
from schemas import SEARCH_CALIBRATION, Asked, Document, check_document
from search import Searcher
from tests.support.encoders import HashEncoder

_LEVELS = {"good": (0.0, 0.0), "weak": (0.0, 1.0), "none": (1.0, 1.0)}


def calibrated(index: CatalogIndex, words: str = "good", image: str = "good", floor: float = 0.8) -> Searcher:
    """Everything is answered with these levels, and what reaches this share of the best score fits."""
    searcher = Searcher(index, HashEncoder())
    searcher.use([calibration(calibration_body(index, words, image, floor))])
    return searcher


def calibration(body: Mapping[str, Any], version: int = 1) -> Document:
    """The document of searches."""
    made = check_document("calibrations", body)
    return Document("calibrations", SEARCH_CALIBRATION, version, datetime.now(UTC), made)


def calibration_body(
    index: CatalogIndex, words: str = "good", image: str = "good", floor: float = 0.8
) -> dict[str, Any]:
    """See ``calibrated``."""

    def verdict(level: str) -> dict[str, object]:
        none_below, good_from = _LEVELS[level]
        return {"probability": {"weights": {}, "bias": 0.0}, "none_below": none_below, "good_from": good_from}

    curve = {"shares": [0.0, 1.0], "probabilities": [0.0, 1.0], "floor": floor, "least_share": floor, "requests": 9}
    return {
        "model": "hash",
        "fingerprint": HashEncoder.spec.fingerprint,
        "products": index.count(),
        "generation": index.generation,
        "made": datetime(2026, 1, 2, tzinfo=UTC).isoformat(),
        "requests": {},
        "words": verdict(words),
        "image": verdict(image),
        "fitting": dict.fromkeys(get_args(Asked), curve),
        "test": {},
    }
