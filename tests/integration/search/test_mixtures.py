"""Several things asked for together, what hits are not to be like, and parts of a photo."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from schemas import EmptyRequest, ProductNotFound, SearchResponse
from tests.integration.search.conftest import Shop
from tests.support.calibrated import calibrated
from tests.support.images import GREEN, RED, encode

BOTH = Image.new("RGB", (80, 40), RED)
BOTH.paste(GREEN, (40, 0, 80, 40))


def written(image: Image.Image) -> dict[str, Any]:
    return {"base64": base64.b64encode(encode(image, "PNG")).decode()}


@pytest.fixture(scope="module")
def judged(shop: Shop) -> Shop:
    return replace(shop, searcher=calibrated(shop.searcher.index, floor=0.9))


def whole(shop: Shop, limit: int = 5, **request: Any) -> tuple[list[str], SearchResponse]:
    """The ids of all pages; none is there twice, and every page says how many there are."""
    pages = shop.pages(limit, facets=["category"], **request)
    ids = [hit.id for page in pages for hit in page.hits if not hit.tail]
    assert len(set(ids)) == len(ids)
    assert {page.total.value for page in pages} == {len(ids)}
    facets = pages[0].facets
    assert facets is not None
    assert sum(value.count for value in facets["category"].values) == len(ids)
    return ids, pages[0]


def test_one_thing_alone_is_as_if_it_was_asked_for_plainly(shop: Shop, judged: Shop) -> None:
    image = {"base64": base64.b64encode(shop.photo("star-plain-red")).decode()}
    for some in (shop, judged):
        for thing in ({"text": "blue star"}, {"product_id": "star-plain-red"}, {"image": image}):
            plain = some.search(**thing)
            liked = some.search(like=[{**thing, "weight": 7}])
            assert (liked.hits, liked.total, liked.match) == (plain.hits, plain.total, plain.match)


def test_weights_say_which_of_several_counts(shop: Shop, judged: Shop) -> None:
    for some in (shop, judged):

        def first(star: float, circle: float, some: Shop = some) -> str:
            like = [{"text": "plain red star", "weight": star}, {"text": "striped blue circle", "weight": circle}]
            return some.search(like=like).hits[0].id

        assert first(3, 1) == "star-plain-red"
        assert first(1, 3) == "circle-striped-blue"


def test_words_a_photo_and_a_product_are_asked_for_together_and_explained(judged: Shop) -> None:
    photo = {"base64": base64.b64encode(judged.photo("star-plain-red")).decode()}
    like = [{"text": "star"}, {"image": photo}, {"product_id": "star-striped-red", "weight": 0.5}]
    found = judged.search(like=like, explain=True)
    assert found.hits[0].id == "star-plain-red"
    assert "star-striped-red" not in {hit.id for hit in found.hits}
    assert found.hits[0].explain is not None
    legs = found.hits[0].explain.legs
    assert {leg.asked for leg in legs} == {"like.0", "like.1", "like.2"}
    beside = judged.search(text="star", like=like[1:], explain=True)
    assert beside.hits[0].explain is not None
    assert {leg.asked for leg in beside.hits[0].explain.legs} == {None, "like.0", "like.1"}


@pytest.mark.parametrize("text", ["star", "red star"])
def test_words_against_it_leave_out_what_has_them(judged: Shop, text: str) -> None:
    ids, first = whole(judged, text=text, negative={"text": "red"})
    assert {id.rpartition("-")[2] for id in ids} == {"green", "blue", "yellow"}
    assert all(id.startswith("star") for id in ids)
    assert len(ids) == {"star": 6, "red star": 3}[text]
    assert first.match == "good"


@pytest.mark.parametrize("weight", [0.3, 0.7])
def test_a_negative_that_leaves_something_moves_hits_back_and_loses_none(judged: Shop, weight: float) -> None:
    plain, _ = whole(judged, text="star")
    pushed, first = whole(judged, text="star", negative={"text": "red", "weight": weight})
    assert sorted(pushed) == sorted(plain)
    assert {id.rpartition("-")[2] for id in pushed[-2:]} == {"red"}
    lost = {
        hit.id: hit.explain.negative
        for hit in judged.search(text="star", negative={"text": "red", "weight": weight}, explain=True).hits
        if hit.explain
    }
    assert {id for id, some in lost.items() if some == pytest.approx(weight)} == {"star-plain-red", "star-striped-red"}
    assert first.query is not None


def test_a_product_against_it_pushes_away_what_is_like_it(shop: Shop, judged: Shop) -> None:
    like: dict[str, Any] = {"product_id": "star-plain-red"}
    for some in (shop, judged):
        plain = some.ids(**like, tail=True)
        against = some.ids(**like, tail=True, negative={"product_ids": ["star-striped-red", "circle-plain-blue"]})
        assert set(plain) - set(against) == {"star-striped-red", "circle-plain-blue"}
        places = [[ids.index(id) for id in against if "striped" in id] for ids in (plain, against)]
        assert sum(places[1]) > sum(places[0])
    whole(judged, **like, negative={"product_ids": ["star-striped-red"]})


def test_with_a_negative_the_rest_of_a_request_keeps_its_meaning(judged: Shop) -> None:
    asked: dict[str, Any] = {"text": "star", "negative": {"text": "red"}}
    ids, _ = whole(judged, **asked)
    by_price = [hit.product["price"] for hit in judged.search(**asked, sort=[{"field": "price"}]).hits if not hit.tail]
    assert len(by_price) == len(ids)
    assert judged.search(**asked, filter={"color": "blue"}).total.value == 2
    assert judged.search(**asked, filter={"color": "red"}).total.value == 0
    grouped = judged.search(**asked, group_by="color")
    assert (grouped.total.value, len(grouped.hits)) == (3, 3)
    tail = judged.search(**asked, tail=True, limit=100)
    assert len({hit.id for hit in tail.hits}) == len(tail.hits)
    assert [hit.id for hit in tail.hits if not hit.tail] == ids


def test_a_product_that_is_unlike_all_others_is_there_all_the_same(shop: Shop) -> None:
    strange = replace(shop, searcher=calibrated(shop.searcher.index, image="none"))
    assert strange.search(shop.photo("star-plain-red")).match == "none"
    found = strange.search(product_id="star-plain-red")
    assert found.match == "weak" and found.total.value > 0


def test_a_part_of_a_photo_is_searched_by_as_if_it_was_all_of_it(shop: Shop) -> None:
    for crop, color in (
        ({"x": 0, "y": 0, "width": 0.5, "height": 1}, RED),
        ({"x": 0.5, "y": 0.25, "width": 0.5, "height": 0.5}, GREEN),
        ({"x": 0.999, "y": 0.999, "width": 0.001, "height": 0.001}, GREEN),
    ):
        part = shop.search(image={**written(BOTH), "crop": crop})
        alone = shop.search(image=written(Image.new("RGB", (40, 40), color)))
        assert [hit.id for hit in part.hits] == [hit.id for hit in alone.hits]
        assert shop.search(encode(BOTH, "PNG"), image={"crop": crop}).hits == part.hits
        assert shop.search(like=[{"image": {**written(BOTH), "crop": crop}}]).hits == part.hits
    whole_photo = {"base64": base64.b64encode(shop.photo("star-plain-red")).decode()}
    for part_of_it in (None, {"x": 0.0, "y": 0.0, "width": 0.9, "height": 0.9}):
        hits = shop.search(image={**whole_photo, "crop": part_of_it}, limit=48).hits
        (same,) = [hit.same_picture for hit in hits if hit.id == "star-plain-red"]
        assert (same == "identical") == (part_of_it is None)


def test_what_is_asked_with_is_there_and_is_something(shop: Shop) -> None:
    with pytest.raises(ProductNotFound) as error:
        shop.search(text="star", like=[{"text": "x"}, {"product_id": "nope"}])
    assert error.value.field == "like.1.product_id"
    with pytest.raises(ProductNotFound) as error:
        shop.search(text="star", negative={"product_ids": ["nope"]})
    assert error.value.field == "negative.product_ids"
    browses: list[dict[str, Any]] = [{}, {"filter": {}}, {"sort": [{"field": "price"}]}]
    for nothing in browses:
        with pytest.raises(EmptyRequest, match="something to look for"):
            shop.search(negative={"text": "red"}, **nothing)
