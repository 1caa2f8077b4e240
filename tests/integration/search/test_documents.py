"""What searches take from the documents of a collection, and what they say of it."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import Document, SearchRequest
from search import Searcher
from tests.integration.search.conftest import Shop
from tests.support.calibrated import calibration, calibration_body
from tests.support.encoders import HashEncoder

COMMAND = "`python -m evaluation calibrate`"


def searcher_with(shop: Shop, *documents: Document) -> Searcher:
    searcher = Searcher(shop.searcher.index, HashEncoder())
    searcher.use(documents)
    return searcher


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (None, "are not calibrated"),
        ({"fingerprint": "0" * 64, "model": "other"}, "is of another model (other)"),
        ({"requests": 1}, "cannot be read"),
        ({"words": None}, "says nothing of requests like this"),
    ],
)
def test_an_uncalibrated_answer_says_how_to_calibrate(shop: Shop, changes: dict[str, Any] | None, said: str) -> None:
    made = [] if changes is None else [calibration(calibration_body(shop.searcher.index) | changes)]
    searcher = searcher_with(shop, *made)
    found = searcher.search(SearchRequest(text="star")).response
    (notice,) = found.notices
    assert found.match == "uncalibrated" and said in notice and COMMAND in notice
    browsed = searcher.search(SearchRequest(filter={})).response
    assert (browsed.match, browsed.notices) == (None, [])


def test_a_calibrated_answer_says_nothing_of_calibrating(shop: Shop) -> None:
    found = searcher_with(shop, calibration(calibration_body(shop.searcher.index)))
    response = found.search(SearchRequest(text="star")).response
    assert (response.match, response.notices) == ("good", [])
