"""Phrases in quotes and negated words, through the job and the search, on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from index.reader import IndexReader
from schemas import SearchRequest, SearchResponse
from search import Searcher
from tests.integration.index.conftest import engine, store
from tests.integration.search.test_as_people_write import Shop, shop
from tests.support.calibrated import calibrated
from tests.support.encoders import HashEncoder

__all__ = ["engine", "shop", "store"]  # the fixtures

ROWS: list[dict[str, Any]] = [
    {"id": "soft", "title": "Soft shell jacket", "brand": "No Fear", "color": "black"},
    {
        "id": "shell",
        "title": "Shell jacket, soft",
        "brand": "Fearless",
        "color": "red",
        "description": "In black as well.",
    },
    {"id": "rain", "title": "Rain jacket", "description": "Its soft  shell keeps dry. No hood.", "color": "blue"},
    {"id": "hood", "title": "Winter jacket", "description": "With a warm hood.", "color": "red"},
    {"id": "dress", "title": "Free size dress", "brand": "Free People", "color": "red"},
    {"id": "dress2", "title": "Summer dress", "brand": "Other People"},
    {"id": "gfp", "title": "Gluten Free Pasta", "category": "Noodles"},
    {"id": "pasta", "title": "Pasta", "description": "Durum wheat; contains gluten.", "category": "Noodles"},
    {"id": "rice", "title": "Rice pasta", "category": "Noodles"},
    {"id": "curry", "title": "Curry", "tags": ["spicy"]},
    {"id": "stew", "title": "Curry stew", "tags": ["mild"]},
    {"id": "bag", "title": "Duty free bag"},
    {"id": "no5", "title": "Perfume No. 5"},
    {"id": "no6", "title": "Perfume No. 6"},
    {"id": "sign", "title": "Do Not Disturb sign"},
    {"id": "tv", "title": 'Monitor 24" wide'},
    {"id": "tv2", "title": "Monitor 27 inch"},
    {"id": "alaska", "title": "Looking for Alaska"},
]


def ask(searcher: Searcher, **request: Any) -> SearchResponse:
    return searcher.search(SearchRequest.model_validate({"limit": 100, **request})).response


def found(searcher: Searcher, text: str, **more: Any) -> tuple[set[str], dict[str, Any]]:
    response = ask(searcher, text=text, facets=["color", "id"], **more)
    ids = {hit.id for hit in response.hits}
    assert (response.total.value, response.total.relation) == (len(ids), "eq")
    assert response.facets is not None and {value.value for value in response.facets["id"].values} == ids
    assert response.query is not None
    return ids, response.query.model_dump(exclude_none=True)


@pytest.fixture
def stocked(shop: Shop) -> Iterator[Searcher]:
    shop.ingest(ROWS)
    with shop.searcher() as searcher:
        yield searcher


ALL = {row["id"] for row in ROWS}


def test_a_phrase_is_demanded_wherever_it_stands(stocked: Searcher) -> None:
    ids, query = found(stocked, '"soft shell" jacket')
    assert ids == {"soft", "rain"}
    assert query == {"text": '"soft shell" jacket', "phrases": ["soft shell"]}
    assert found(stocked, "“Soft-Shell”")[0] == {"soft", "rain"}
    assert found(stocked, '"soft shell" "keeps dry"')[0] == {"rain"}
    assert found(stocked, '"shell soft"')[0] == set()
    assert found(stocked, '"soft shell" jacket', filter={"color": "blue"})[0] == {"rain"}
    assert found(stocked, '"soft shell" jacket', literal=True)[0] == {"soft", "rain"}
    for open_quote in ('"soft shell', 'soft "" shell', 'soft shell"'):
        ids, query = found(stocked, open_quote)
        assert ids == ALL and "phrases" not in query
    assert ask(stocked, text='24" monitor').hits[0].id == "tv"
    assert "phrases" not in found(stocked, '24" monitor')[1]


def test_phrases_are_told_as_they_were_written(stocked: Searcher) -> None:
    assert found(stocked, "“Soft-Shell” jacket")[1]["phrases"] == ["Soft-Shell"]
    assert found(stocked, '"東京タワー" jacket')[1]["phrases"] == ["東京タワー"]


def test_where_no_product_has_a_phrase_the_nearest_are_suggested(stocked: Searcher) -> None:
    judged = calibrated(stocked.index)
    for text, red in (('"shell soft" jacket', True), ('"shell soft" jacket not red', False)):
        response = ask(judged, text=text)
        assert (response.match, response.total.value) == ("none", 0)
        assert all(hit.tail for hit in response.hits)
        ids = [hit.id for hit in response.hits]
        assert "soft" in ids and ("hood" in ids) is red
    response = ask(judged, text='"soft shell" jacket', filter={"color": "red"})
    assert (response.match, response.total.value) == ("none", 0)
    assert {hit.id for hit in response.hits} == {"shell", "hood", "dress"}
    assert {hit.id for hit in ask(judged, text='"soft shell" jacket', tail=True).hits} == {"soft", "rain"}


@pytest.mark.parametrize("text", ['"', '""', "“ ”", "?!"])
def test_nothing_but_marks_is_looked_for_and_is_no_browse(stocked: Searcher, text: str) -> None:
    response = ask(calibrated(stocked.index, words="none"), text=text)
    assert (response.match, response.total.value) == ("none", 0)
    assert response.query is not None and response.query.text == text


NEGATED: dict[str, tuple[set[str], list[str]]] = {
    "curry not spicy": ({"curry"}, ["spicy"]),
    "not so spicy curry": ({"curry"}, ["spicy"]),
    "curry without spicy": ({"curry"}, ["spicy"]),
    "spicy free curry": ({"curry"}, ["spicy"]),
    "non-spicy curry": ({"curry"}, ["spicy"]),
    "jacket without hood": ({"hood"}, ["hood"]),
    "shell without warm hood red": ({"hood"}, ["warm hood"]),
    "jacket no hood": ({"hood"}, ["hood"]),
    "jacket with no hood": ({"hood"}, ["hood"]),
    "jacket not in red": ({"shell", "hood", "dress"}, ["red"]),
    "jacket not black": ({"soft"}, ["black"]),
    "jacket without hood and gluten": ({"hood", "pasta"}, ["hood", "gluten"]),
    "dress not red or blue": ({"shell", "hood", "dress", "rain"}, ["red", "blue"]),
    "gluten-free pasta": ({"pasta"}, ["gluten"]),
    "gluten free pasta": ({"pasta"}, ["gluten"]),
    "pasta without gluten": ({"pasta"}, ["gluten"]),
    "pasta without unobtainium": (set(), ["unobtainium"]),
}
FIRST = {
    "Gluten Free Pasta": "gfp",
    "gluten-free pasta": "gfp",
    "no fear jacket": "soft",
    "free size dress": "dress",
    "dress free size": "dress",
    "free people dress": "dress",
    "dress free people": "dress",
    "duty free bag": "bag",
    "duty-free bag": "bag",
    "perfume no. 5": "no5",
    "perfume no 5": "no5",
}
NAMES = ["do not disturb sign", "no fear jacket", "free size dress", "dress free people", "duty-free bag", "no. 5"]


def test_what_is_negated_is_left_out(stocked: Searcher) -> None:
    for text, (lacks, excluded) in NEGATED.items():
        ids, query = found(stocked, text)
        assert ALL - ids == lacks, text
        assert query["excluded"] == excluded
        ids, query = found(stocked, text, literal=True)
        assert ids == ALL and "excluded" not in query
    assert found(stocked, "not spicy")[0] == ALL - {"curry"}
    ids, query = found(stocked, 'jacket without "soft shell" or hood')
    assert (ALL - ids, query["excluded"]) == ({"soft", "rain"}, ["soft shell"])
    assert found(stocked, 'jacket without "soft shell"', literal=True)[0] == {"soft", "rain"}


def test_what_is_called_so_is_found_first_and_a_name_negates_nothing(stocked: Searcher) -> None:
    assert {text: ask(stocked, text=text).hits[0].id for text in FIRST} == FIRST
    for text in NAMES:
        ids, query = found(stocked, text)
        assert ids == ALL and "excluded" not in query, text


def test_an_older_index_that_does_not_say_which_words_it_has_demands_phrases_as_well(stocked: Searcher) -> None:
    assert isinstance(stocked.index, IndexReader)
    older = stocked.index.described(stocked.index.record.model_copy(update={"format": 3}))
    searcher = Searcher(older, HashEncoder())
    assert found(searcher, '"soft shell" jacket')[0] == {"soft", "rain"}
    assert "excluded" not in found(searcher, "curry not spicy")[1]
    assert ask(searcher, text="black jacket", interpret=True).total.value == 1


def test_words_that_only_ask_are_not_looked_for(stocked: Searcher) -> None:
    def scores(text: str, **more: Any) -> dict[str, float]:
        return {hit.id: hit.score for hit in ask(stocked, text=text, **more).hits}

    plain = scores("curry stew")
    for asking in ("show me a", "Please, find me some", "i'm searching for", "Something to make", "something with"):
        assert scores(f"{asking} curry stew") == plain
        assert scores(f"{asking} curry stew", literal=True) != plain
    # What the catalog says is a name, and what stands in quotes is meant.
    assert scores("looking for alaska") != scores("alaska")
    assert found(stocked, '"show me" curry')[0] == set()
    assert scores("show me") and scores("me something")
