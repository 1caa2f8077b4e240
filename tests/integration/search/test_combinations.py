"""Whatever fields a request combines: it is answered, and its pages together are what it says fits, each hit once."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import SearchRequest, SearchResponse
from search import Searcher
from tests.integration.search.conftest import SECOND_IMAGE, Shop
from tests.support.calibrated import calibrated
from tests.support.images import encode

IMAGE = {"base64": base64.b64encode(encode(SECOND_IMAGE, "PNG")).decode()}
CROP = {"x": 0.25, "y": 0.0, "width": 0.5, "height": 0.5}
WORDS = [
    "red",
    "star",
    "plain",
    "cushion",
    "blue",
    "linen",
    "strped",
    "couch",
    "not",
    "without",
    "free",
    "no",
    '"',
    "under",
    "12",
]
ODD = [
    "x",
    "😀",
    "红色 靠垫",
    "star" * 900,
    '"plain red" star',
    '12" star',
    "$ - <",
    "a" * 4_000,
    "a " * 2_000,
    "\u0301",
]
IDS = st.sampled_from(["star-plain-red", "circle-striped-blue", "square-plain-yellow"])
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join) | st.sampled_from(ODD)
WEIGHT = st.sampled_from([0.2, 1.0, 3.0])
LIKE = st.lists(
    st.builds(lambda one, weight: {**one, "weight": weight}, st.builds(lambda text: {"text": text}, TEXT), WEIGHT)
    | st.builds(lambda id: {"product_id": id}, IDS)
    | st.sampled_from([{"image": IMAGE}, {"image": {**IMAGE, "crop": CROP}}]),
    min_size=1,
    max_size=3,
)
NEGATIVE = st.builds(
    lambda some, weight: {**some, "weight": weight},
    st.builds(lambda text: {"text": text}, TEXT) | st.builds(lambda id: {"product_ids": [id]}, IDS),
    WEIGHT,
)
SOMETHING = (
    st.builds(lambda text: {"text": text}, TEXT)
    | st.builds(lambda like: {"like": like}, LIKE)
    | st.builds(lambda text, like: {"text": text, "like": like}, TEXT, LIKE)
    | st.builds(lambda id, text: {"product_id": id, "text": text}, IDS, TEXT)
    | st.just({"image": {**IMAGE, "crop": CROP}})
)
MORE = st.fixed_dictionaries(
    {},
    optional={
        "negative": NEGATIVE,
        "interpret": st.booleans(),
        "literal": st.booleans(),
        "highlight": st.booleans(),
        "explain": st.booleans(),
        "filter": st.sampled_from([{"color": "RED"}, {"price": {"lt": 14}}, {"not": {"brand": "northlight"}}]),
        "sort": st.sampled_from([[{"field": "price"}], [{"field": "title", "order": "desc"}]]),
        "group_by": st.sampled_from(["group_id", "color"]),
        "max_per": st.sampled_from([{"brand": 2}, {"rating": 5}]),
        "diversity": st.sampled_from([0.0, 0.5, 1.0]),
    },
)


@pytest.fixture(scope="module")
def judged(shop: Shop) -> Searcher:
    return calibrated(shop.searcher.index, floor=0.9)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(SOMETHING, MORE, st.booleans(), st.sampled_from([3, 7, 50]))
def test_pages_are_what_fits_each_hit_once(
    shop: Shop, judged: Searcher, something: dict[str, Any], more: dict[str, Any], by_number: bool, limit: int
) -> None:
    for searcher in (shop.searcher, judged):

        def ask(searcher: Searcher = searcher, **place: Any) -> SearchResponse:
            asked = {"facets": ["category", "price"], "limit": limit, **something, **more, **place}
            return searcher.search(SearchRequest.model_validate(asked)).response

        pages = [ask()]
        while pages[-1].next_cursor:
            place = {"page": len(pages) + 1} if by_number else {"cursor": pages[-1].next_cursor}
            pages.append(ask(**place))
        fitting = [hit.id for page in pages for hit in page.hits if not hit.tail]
        assert len(set(fitting)) == len(fitting)
        assert {(page.total.value, page.total.relation) for page in pages} == {(len(fitting), "eq")}
        assert len({page.match for page in pages}) == 1
        facets = pages[0].facets
        assert facets is not None
        if not more.keys() & {"max_per", "group_by"} and not (pages[0].query and pages[0].query.filter):
            counted = facets["category"]
            assert sum(value.count for value in counted.values) + counted.missing == len(fitting)
        assert ask(limit=0).total == pages[0].total
