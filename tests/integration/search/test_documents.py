"""What searches take from the documents of a collection, and what they say of it."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas import Document, DocumentKind, SearchRequest, check_document
from search import Searcher
from search.cursor import Cursor
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


def written(kind: DocumentKind, name: str, content: dict[str, Any], version: int = 1) -> Document:
    return Document(kind, name, version, datetime.now(UTC), check_document(kind, content))


TEES = written("synonyms", "house", {"groups": [["tee", "shirt"]]})


@pytest.mark.parametrize("asked", [{"text": "star"}, {"text": "star", "sort": [{"field": "price"}]}], ids=str)
@pytest.mark.parametrize("change", ["synonyms", "calibration"])
def test_pages_say_that_documents_have_changed_between_them(shop: Shop, asked: dict[str, Any], change: str) -> None:
    body = calibration_body(shop.searcher.index)
    after = {"synonyms": (calibration(body), TEES), "calibration": (calibration(body, version=2),)}[change]
    searcher = searcher_with(shop, calibration(body))
    first = searcher.search(SearchRequest.model_validate({**asked, "limit": 2})).response
    following = SearchRequest.model_validate({**asked, "limit": 2, "cursor": first.next_cursor})
    assert searcher.search(following).response.notices == []
    searcher.use(after)
    (notice,) = searcher.search(following).response.notices
    assert "changed after the page before; hits may repeat or be missing" in notice


def test_pages_of_a_browse_and_other_documents_say_nothing(shop: Shop) -> None:
    policy = {"rules": [{"name": "a", "prompts": ["b"], "action": "block"}]}
    body = calibration(calibration_body(shop.searcher.index))
    for asked, after in (({"filter": {}}, (body, TEES)), ({"text": "star"}, (body, written("policies", "a", policy)))):
        searcher = searcher_with(shop, body)
        cursor = searcher.search(SearchRequest.model_validate({**asked, "limit": 2})).response.next_cursor
        searcher.use(after)
        again = searcher.search(SearchRequest.model_validate({**asked, "limit": 2, "cursor": cursor})).response
        assert again.notices == [] and len(again.hits) == 2


def test_a_cursor_of_an_older_version_is_accepted(shop: Shop) -> None:
    searcher = searcher_with(shop, calibration(calibration_body(shop.searcher.index)))
    now = searcher.search(SearchRequest(text="star", limit=2)).response.next_cursor
    assert now is not None
    cursor = Cursor.model_validate_json(urlsafe_b64decode(now + "=="))
    assert cursor.documents is not None
    before = cursor.model_copy(update={"documents": None}).encode()
    assert len(before) < len(now)
    answers = [searcher.search(SearchRequest(text="star", limit=2, cursor=one)).response for one in (now, before)]
    assert answers[0].hits == answers[1].hits and answers[1].notices == []
