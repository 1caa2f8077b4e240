"""Hits say when they show the very image that was asked with."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from index import IndexSettings, open_store
from schemas import SearchRequest
from search import Searcher
from tests.support.duplicates import WithImages, many, png, saved_again, scene, write
from tests.support.encoders import HashEncoder

A, B = scene(1), scene(2)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    store = open_store(IndexSettings(data_dir=tmp_path_factory.mktemp("data")))
    copies = [
        WithImages("a", [png(A)]),
        WithImages("twin", [png(B), png(A)]),
        WithImages("copy", [saved_again(A)]),
        WithImages("words alone", []),
    ]
    write(store, [*many(30), *copies])
    with closing(store.open()) as index:
        yield Searcher(index, HashEncoder())


def same(searcher: Searcher, **request: Any) -> dict[str, str]:
    response = searcher.search(SearchRequest.model_validate({"limit": 100, **request})).response
    assert len(response.hits) > 30
    return {hit.id: hit.same_picture for hit in response.hits if hit.same_picture}


def test_like_a_product(searcher: Searcher) -> None:
    assert same(searcher, product_id="a") == {"twin": "identical", "copy": "near-identical"}
    assert same(searcher, product_id="copy") == {"a": "near-identical", "twin": "near-identical"}
    # What is looked for is its first image.
    assert same(searcher, product_id="twin") == {}


def test_by_a_photo(searcher: Searcher) -> None:
    for _ in range(2):  # the second time from the cache of what was encoded
        photo = {"base64": base64.b64encode(png(A)).decode()}
        assert same(searcher, image=photo) == {"a": "identical", "twin": "identical", "copy": "near-identical"}
    photo = {"base64": base64.b64encode(saved_again(B)).decode()}
    assert same(searcher, image=photo, text="picture") == {"twin": "near-identical"}


def test_words_ask_with_no_image(searcher: Searcher) -> None:
    assert same(searcher, text="picture") == {}
    assert same(searcher, product_id="words alone") == {}


def test_several_images_at_once(searcher: Searcher) -> None:
    photo = {"base64": base64.b64encode(saved_again(B)).decode()}
    assert same(searcher, image=photo, product_id="copy") == {"a": "near-identical", "twin": "near-identical"}
