from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import InvalidCursor, SearchRequest, StoreLensError
from search.cursor import Cursor, decode_cursor, fingerprint


def test_a_cursor_comes_back_as_it_was() -> None:
    cursor = Cursor(generation="000003", request="abc", offset=40, place=[1.5, None, True, "id"])
    assert decode_cursor(cursor.encode(), "abc") == cursor


def test_another_requests_cursor_is_refused() -> None:
    with pytest.raises(InvalidCursor, match="another request"):
        decode_cursor(Cursor(generation="1", request="abc").encode(), "other")


@given(st.text(max_size=80))
def test_anything_else_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(StoreLensError):
        decode_cursor(text, "abc")


def test_pages_may_differ_in_size_and_explanation_and_nothing_else() -> None:
    first = SearchRequest(text="shoe", filter={"a": 1}, limit=10)
    assert fingerprint(first, None) == fingerprint(
        SearchRequest(text="shoe", filter={"a": 1}, limit=5, explain=True), None
    )
    assert fingerprint(first, None) != fingerprint(SearchRequest(text="shoes", filter={"a": 1}), None)
    assert fingerprint(first, None) != fingerprint(SearchRequest(text="shoe", filter={"a": 2}), None)
    assert fingerprint(first, b"photo") != fingerprint(first, b"other photo")
