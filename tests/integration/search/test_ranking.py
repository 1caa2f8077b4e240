from __future__ import annotations

import base64

import pytest

from schemas import EmptyRequest, ModelMismatch, NotAImage, ProductNotFound
from search import Searcher
from tests.integration.search.conftest import SECOND_IMAGE, Shop
from tests.support.encoders import HashEncoder
from tests.support.images import encode

STAR = "star-striped-blue"


def test_words_find_the_product_whose_title_has_them(shop: Shop) -> None:
    assert shop.ids(text="blue striped star")[0] == STAR


def test_a_photo_finds_the_product_it_shows(shop: Shop) -> None:
    # The encoder of tests sees no more in an image than its colours: none of them are in a text.
    hits = shop.search(shop.photo(STAR), explain=True).hits
    explain = next(hit.explain for hit in hits if hit.id == STAR)
    assert explain is not None
    (leg,) = [leg for leg in explain.legs if leg.leg == "image->image"]
    assert (leg.rank, leg.normalized) == (1, 1)
    assert leg.score == pytest.approx(1, abs=1e-4)


def test_a_photo_in_json_is_the_photo_uploaded(shop: Shop) -> None:
    photo = shop.photo(STAR)
    written = base64.b64encode(photo).decode()
    assert shop.ids(image={"base64": written}) == shop.ids(photo=photo)
    in_a_uri = written.rstrip("=").replace("+", "-").replace("/", "_")
    assert shop.ids(image={"base64": f"data:image/png;base64,{in_a_uri}"}) == shop.ids(photo=photo)


def test_words_and_a_photo_together_find_what_has_both(shop: Shop) -> None:
    both = shop.search(shop.photo(STAR), text="blue striped star cushion", explain=True)
    assert both.hits[0].id == STAR
    assert both.hits[0].explain is not None
    assert {"image->image", "lexical", "text->title"} <= {leg.leg for leg in both.hits[0].explain.legs}


def test_words_beside_a_photo_change_what_is_found(shop: Shop) -> None:
    assert shop.ids(shop.photo("circle-plain-red"), text="star")[0] == "star-plain-red"


def test_what_is_like_a_product_leaves_itself_out(shop: Shop) -> None:
    similar = shop.ids(product_id=STAR)
    assert sorted([*similar, STAR]) == sorted(row["id"] for row in shop.rows)
    assert STAR not in shop.ids(product_id=STAR, filter={"brand": shop.row(STAR)["brand"]})


def test_a_product_that_is_not_there_is_said(shop: Shop) -> None:
    with pytest.raises(ProductNotFound, match="no product 'nope'"):
        shop.search(product_id="nope")


def test_an_exact_id_comes_first(shop: Shop) -> None:
    first = shop.search(text=STAR, explain=True).hits[0]
    assert (first.id, first.score) == (STAR, 1)
    assert first.explain is not None
    assert first.explain.exact == "id"


@pytest.mark.parametrize("spoken", [str.upper, str.title, lambda title: "  " + title.replace(" ", " \n  ")])
def test_an_exact_title_comes_first_however_it_is_written(shop: Shop, spoken: object) -> None:
    assert callable(spoken)
    row = shop.row("hexagon-plain-yellow")
    first = shop.search(text=spoken(row["title"]), explain=True).hits[0]
    assert first.id == row["id"]
    assert first.explain is not None
    assert first.explain.exact == "title"


def test_what_is_named_exactly_is_filtered_like_the_rest(shop: Shop) -> None:
    assert STAR not in shop.ids(text=STAR, filter={"color": "red"})


class TestExplanation:
    def test_of_words_names_every_leg_and_the_words_found(self, shop: Shop) -> None:
        hit = shop.search(text="striped star zeppelin", explain=True, filter={"color": "blue"}).hits[0]
        assert hit.id == STAR
        assert hit.explain is not None
        assert {leg.leg for leg in hit.explain.legs} == {"text->image", "text->title", "text->text", "lexical"}
        assert sorted(hit.explain.matched_terms) == ["star", "striped"]
        assert hit.explain.exact is None

    def test_adds_up_to_the_score(self, shop: Shop) -> None:
        for hit in shop.search(shop.photo(STAR), text="striped cushion", explain=True).hits:
            assert hit.explain is not None
            legs = hit.explain.legs
            assert sum(leg.weight for leg in legs) <= 1 + 1e-5
            assert all(0 <= leg.normalized <= 1 and leg.rank >= 1 for leg in legs)
            # The weights are shares of what the legs weigh together, which all of them do here.
            assert hit.score == pytest.approx(
                sum(leg.weight * leg.normalized for leg in legs) / sum(leg.weight for leg in legs), abs=1e-4
            )

    def test_names_the_image_that_matched(self, shop: Shop) -> None:
        hit, *others = shop.search(encode(SECOND_IMAGE, "PNG")).hits
        assert hit.id == shop.rows[-1]["id"]
        assert hit.images == [f"/v1/products/{hit.id}/images/{n}" for n in (0, 1)]
        assert hit.picture == 1
        assert {other.picture for other in others} == {0}

    def test_is_left_out_unless_asked_for(self, shop: Shop) -> None:
        assert all(hit.explain is None for hit in shop.search(text="star").hits)


def test_a_request_that_asks_nothing_is_refused(shop: Shop) -> None:
    with pytest.raises(EmptyRequest):
        shop.search()


@pytest.mark.parametrize("written", ["!!!!", "abc", "data:image/png;base64,???"])
def test_a_photo_that_is_not_base64_is_refused(shop: Shop, written: str) -> None:
    with pytest.raises(NotAImage):
        shop.search(image={"base64": written})


def test_an_encoder_of_another_model_is_refused(shop: Shop) -> None:
    class Other(HashEncoder):
        spec = HashEncoder.spec.model_copy(update={"model": "other", "fingerprint": "1" * 64})

    with pytest.raises(ModelMismatch, match="'hash' and the encoder is 'other'"):
        Searcher(shop.searcher.index, Other())
