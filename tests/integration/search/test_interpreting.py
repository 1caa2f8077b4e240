"""Words that name values and ranges of fields, taken for a filter, on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas import Document, SearchRequest, SearchResponse, check_document
from search import Searcher
from tests.integration.index.conftest import engine, store
from tests.integration.search.test_as_people_write import Shop, shop

__all__ = ["engine", "shop", "store"]  # the fixtures

KINDS: list[tuple[str, str, str, float, dict[str, Any]]] = [
    ("Black", "Jacket", "Nike", 30.0, {"in_stock": True, "rating": 4, "weight_kg": 1.5}),
    ("Black", "Jacket", "Acme & Sons", 70.0, {"in_stock": False, "rating": 2, "weight_kg": 0.5}),
    ("Light Blue", "Jacket", "Nike", 40.0, {"in_stock": True, "rating": 5}),
    ("Blue", "Shoes", "Nike", 25.0, {"in_stock": True, "rating": 3, "organic": True, "sizes": ["M", "32"]}),
    ("White", "Shoes", "Orange", 45.0, {"in_stock": False, "organic": False, "sizes": ["S", "40"]}),
    ("Orange", "Shoes", "Acme & Sons", 1200.0, {"in_stock": True}),
    ("Yellow", "Juice orange", "Acme & Sons", 3.5, {"in_stock": True, "currency": "EUR"}),
]
ROWS = [
    {"id": f"{color}-{kind}-{n}", "title": f"{kind} {n}", "color": color, "brand": brand, "price": price, **more}
    for n, (color, kind, brand, price, more) in enumerate(KINDS)
]


@pytest.fixture
def stocked(shop: Shop) -> Iterator[Searcher]:
    shop.ingest(ROWS)
    with shop.searcher() as searcher:
        yield searcher


def ask(searcher: Searcher, **request: Any) -> SearchResponse:
    return searcher.search(SearchRequest.model_validate({"limit": 100, **request})).response


def interpreted(searcher: Searcher, text: str, **more: Any) -> tuple[Any, set[str]]:
    response = ask(searcher, text=text, interpret=True, facets=["brand", "id"], **more)
    ids = {hit.id for hit in response.hits}
    assert (response.total.value, response.total.relation) == (len(ids), "eq")
    assert response.facets is not None and {value.value for value in response.facets["id"].values} == ids
    assert response.query is not None
    return response.query.filter, ids


TAKEN: dict[str, dict[str, Any]] = {
    "black jacket under 50": {"color": "Black", "price": {"lt": 50.0}},
    "jacket BLACK, less than 50": {"color": "Black", "price": {"lt": 50.0}},
    "nike shoes between 20 and 40": {"brand": "Nike", "price": {"gte": 20.0, "lte": 40.0}},
    "nike shoes 20-40 EUR": {"brand": "Nike", "price": {"gte": 20.0, "lte": 40.0}},
    "nike shoes from €20 to €40": {"brand": "Nike", "price": {"gte": 20.0, "lte": 40.0}},
    "shoes over 1,000": {"price": {"gt": 1000.0}},
    "shoes over 1000.50 euros": {"price": {"gt": 1000.5}},
    "shoes up to 25 for men": {"price": {"lte": 25.0}},
    "shoes >= 45 €": {"price": {"gte": 45.0}},
    "shoes price under 30": {"price": {"lt": 30.0}},
    "shoes in stock": {"in_stock": True},
    "shoes out of stock": {"in_stock": False},
    "shoes under 50 in stock": {"price": {"lt": 50.0}, "in_stock": True},
    "light blue jacket": {"color": "Light Blue"},
    "nike's jackets": {"brand": "Nike"},
    "blacks jacket": {"color": "Black"},
    "black jacket under 10": {"color": "Black"},
    "acme & sons jacket": {"brand": "Acme & Sons"},
    "black or white": {"color": ["Black", "White"]},
    "jacket rating over 3": {"rating": {"gt": 3.0}},
    "jacket weight under 1": {"weight_kg": {"lt": 1.0}},
    "jacket under 1 kg": {"weight_kg": {"lt": 1.0}},
    "organic shoes": {"organic": True},
    "shoes size M": {"sizes": "M"},
    "shoes size 32": {"sizes": "32"},
    "size M": {"sizes": "M"},
    "shoes in M": {"sizes": "M"},
    "color blue": {"color": "Blue"},
    "white and blue": {"color": ["White", "Blue"]},
    "shoes not in stock": {"in_stock": False},
    "rated at least 4 jacket": {"rating": {"gte": 4.0}},
    "orange shoes": {"any": [{"brand": "Orange"}, {"color": "Orange"}]},
    "under 30": {"price": {"lt": 30.0}},
    "nike": {"brand": "Nike"},
    "jacket under 50 not black": {"price": {"lt": 50.0}},
}
LEFT = [
    "purple jacket",
    "jacket under 5",
    "orange juice",
    "jacket under $50",
    "shoes m",
    "jacket whiten",
    "shoes -black",
    "shoes 32",
    "iphone 15",
    "jacket 3-4 years",
    "jacket under fifty",
    'jacket "black" shoes',
    "between 5 and",
    "under",
    "<>",
]


def test_values_and_ranges_are_a_filter(stocked: Searcher) -> None:
    said = {text: interpreted(stocked, text) for text in TAKEN}
    assert {text: filter for text, (filter, _) in said.items()} == TAKEN
    for text, (filter, ids) in said.items():
        everything = {hit.id for hit in ask(stocked, filter=filter).hits}
        assert ids == everything - ({"Black-Jacket-0", "Black-Jacket-1"} if "not black" in text else set())
        assert ids


def test_misspelt_values_are_corrected_first_unless_the_request_is_literal(stocked: Searcher) -> None:
    response = ask(stocked, text="blakc jaket undr 50", interpret=True)
    assert response.query is not None
    assert response.query.filter == {"color": "Black", "price": {"lt": 50.0}}
    assert (response.query.text, response.query.corrected) == ("blakc jaket undr 50", "black jacket under 50")
    assert [hit.id for hit in response.hits] == ["Black-Jacket-0"]
    literal = ask(stocked, text="blakc jaket under 50", interpret=True, literal=True).query
    assert literal is not None and (literal.filter, literal.corrected) == ({"price": {"lt": 50.0}}, None)
    # What is not taken for a filter is corrected as ever.
    plain = ask(stocked, text="jaket", interpret=True).query
    assert plain is not None and (plain.filter, plain.corrected) == (None, "jacket")


def test_what_the_catalog_lacks_or_would_leave_nothing_stays_words(stocked: Searcher) -> None:
    said = {text: interpreted(stocked, text) for text in LEFT}
    assert {text: filter for text, (filter, _) in said.items()} == dict.fromkeys(LEFT)
    told = "nothing that fits is 'under 5', which is no filter then"
    assert told in ask(stocked, text="jacket under 5", interpret=True).notices
    assert not any(
        "no filter" in notice for notice in ask(stocked, text="black jacket under 50", interpret=True).notices
    )
    assert all(len(ids) == len(ROWS) for text, (_, ids) in said.items() if '"' not in text)


def test_it_holds_beside_the_requests_own_filter_and_only_where_it_is_asked_for(stocked: Searcher) -> None:
    said, ids = interpreted(stocked, "black jacket under 50", filter={"brand": "Nike"})
    assert (said, ids) == ({"color": "Black", "price": {"lt": 50.0}}, {"Black-Jacket-0"})
    said, ids = interpreted(stocked, "black jacket", filter={"color": "Blue"})
    assert (said, ids) == (None, {"Blue-Shoes-3"})
    plain = ask(stocked, text="black jacket under 50")
    assert plain.query is not None and plain.query.filter is None
    assert plain.total.value == len(ROWS)


def test_a_value_that_most_of_what_is_called_so_lacks_is_a_word(shop: Shop) -> None:
    rows = [{"id": f"h{n}", "title": f"Hoodie {n}", "price": 40 + 10 * n} for n in range(4)]
    shop.ingest([{**rows[0], "style": "Hoodie"}, *rows[1:]])
    with shop.searcher() as searcher:
        assert interpreted(searcher, "hoodie under 60") == ({"price": {"lt": 60.0}}, {"h0", "h1"})


def test_words_that_stand_for_others_together_are_not_taken_apart(shop: Shop) -> None:
    shop.ingest([{"id": "a", "title": "Hoodie", "price": 40}, {"id": "b", "title": "Jacket", "style": "Hooded"}])
    body = check_document("synonyms", {"one_way": [{"from": "hooded top", "to": ["hoodie"]}]})
    with shop.searcher() as searcher:
        searcher.use([Document("synonyms", "ours", 1, datetime.now(UTC), body)])
        assert interpreted(searcher, "hooded top under 50")[0] == {"price": {"lt": 50.0}}
