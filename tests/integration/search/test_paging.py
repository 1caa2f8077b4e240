"""Pages neither repeat nor lose a hit, and a cursor is good for its own request only."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import IndexSettings, open_store
from schemas import InvalidCursor, SearchRequest
from search import Searcher
from tests.integration.search.conftest import Shop
from tests.support.encoders import HashEncoder
from tests.support.serving import ingest

SORT_KEYS = st.builds(
    lambda field, order: {"field": field, "order": order},
    st.sampled_from(["price", "rating", "in_stock", "corners", "weight_kg"]),
    st.sampled_from(["asc", "desc"]),
)
SORTS = st.lists(SORT_KEYS, max_size=3, unique_by=lambda key: key["field"])
ASKED: list[dict[str, Any]] = [
    {"text": "striped cushion"},
    {"text": "striped cushion", "sort": [{"field": "price"}]},
    {"text": "garden", "group_by": "group_id"},
    {"product_id": "star-plain-red", "sort": [{"field": "in_stock"}], "group_by": "group_id"},
]


def assert_pages_are_the_whole(shop: Shop, limit: int, **request: Any) -> None:
    whole = shop.search(**request, limit=100)
    pages = shop.pages(limit, **request)
    assert [hit.id for page in pages for hit in page.hits] == [hit.id for hit in whole.hits]
    assert {page.total.value for page in pages} == {len(whole.hits)} == {len({hit.id for hit in whole.hits})}
    assert [len(page.hits) for page in pages[:-1]] == [limit] * (len(pages) - 1)


@pytest.mark.parametrize("limit", range(1, 8))
@pytest.mark.parametrize("request_", ASKED, ids=str)
def test_pages_of_a_search_are_the_whole(shop: Shop, request_: dict[str, Any], limit: int) -> None:
    assert_pages_are_the_whole(shop, limit, **request_)


@pytest.mark.parametrize("limit", range(1, 8))
def test_pages_of_a_photo_search_are_the_whole(shop: Shop, limit: int) -> None:
    assert_pages_are_the_whole(shop, limit, photo=shop.photo("star-plain-red"))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SORTS, st.integers(2, 7), st.sampled_from([None, "group_id", "brand", "rating"]), st.booleans())
def test_pages_of_a_browse_are_the_whole(
    shop: Shop, sort: list[dict[str, str]], limit: int, group_by: str | None, garden: bool
) -> None:
    filter: dict[str, Any] = {"tags": "garden"} if garden else {"corners": {"gte": 0}}
    assert_pages_are_the_whole(shop, limit, filter=filter, sort=sort, group_by=group_by)


@pytest.mark.parametrize("other", [{"text": "plain"}, {"text": "star", "filter": {"color": "red"}}, {"sort": []}])
def test_a_cursor_of_another_request_is_refused(shop: Shop, other: dict[str, Any]) -> None:
    cursor = shop.search(text="star", limit=3).next_cursor
    with pytest.raises(InvalidCursor, match="another request"):
        shop.search(**{"filter": {"color": ["red", "blue"]}, **other}, cursor=cursor)


def test_a_cursor_of_another_photo_is_refused(shop: Shop) -> None:
    cursor = shop.search(shop.photo("star-plain-red"), limit=3).next_cursor
    with pytest.raises(InvalidCursor, match="another request"):
        shop.search(shop.photo("star-plain-blue"), cursor=cursor)


def rewritten(cursor: str | None, **changes: Any) -> str:
    assert cursor is not None
    content = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return urlsafe_b64encode(json.dumps(content | changes).encode()).decode().rstrip("=")


POINT = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    "place",
    [
        None,
        [],
        [POINT],
        ["abc", POINT],
        [[1], POINT],
        [True, POINT],
        [float("nan"), POINT],
        [float("inf"), POINT],
        [11.5, "no id"],
        [11.5, None],
        [11.5, 7],
        [11.5, 12.5, POINT],
    ],
    ids=str,
)
def test_a_place_that_was_tampered_with_is_refused(shop: Shop, place: Any) -> None:
    sort = [{"field": "price"}]
    cursor = shop.search(sort=sort, limit=3).next_cursor
    with pytest.raises(InvalidCursor):
        shop.search(sort=sort, cursor=rewritten(cursor, place=place))


@pytest.mark.parametrize("place", [["abc", POINT], [1.5, POINT]], ids=str)
def test_a_place_is_of_the_sort_fields_kind(shop: Shop, place: Any) -> None:
    sort = [{"field": "in_stock"}]
    cursor = shop.search(sort=sort, limit=3).next_cursor
    with pytest.raises(InvalidCursor):
        shop.search(sort=sort, cursor=rewritten(cursor, place=place))


@pytest.mark.parametrize("changes", [{"offset": -1}, {"offset": "1"}, {"extra": 1}, {"generation": None}], ids=str)
def test_an_offset_that_was_tampered_with_is_refused(shop: Shop, changes: dict[str, Any]) -> None:
    cursor = shop.search(text="star", limit=3).next_cursor
    with pytest.raises(InvalidCursor):
        shop.search(text="star", cursor=rewritten(cursor, **changes))


def test_an_offset_beyond_the_end_finds_nothing_more(shop: Shop) -> None:
    cursor = shop.search(text="star", limit=3).next_cursor
    beyond = shop.search(text="star", cursor=rewritten(cursor, offset=10**30))
    assert (beyond.hits, beyond.next_cursor) == ([], None)


@pytest.mark.parametrize("asked", [{"text": "lamp"}, {"sort": [{"field": "price"}]}], ids=str)
def test_a_cursor_of_an_older_generation_is_answered_with_a_notice(tmp_path: Path, asked: dict[str, Any]) -> None:
    catalog, data = tmp_path / "lamps.jsonl", tmp_path / "data"
    rows = [{"id": f"lamp-{n}", "title": f"Lamp {n}", "price": n} for n in range(6)]
    cursor = None
    for generation in (rows[:5], rows):
        catalog.write_text("".join(json.dumps(row) + "\n" for row in generation), encoding="utf-8")
        ingest(catalog, data)
        with closing(open_store(IndexSettings(data_dir=data)).open()) as index:
            request = SearchRequest.model_validate({**asked, "limit": 2, "cursor": cursor})
            response = Searcher(index, HashEncoder()).search(request).response
        assert len(response.hits) == 2
        assert any("has changed" in notice for notice in response.notices) is (cursor is not None)
        cursor = response.next_cursor
