"""A catalog that is calibrated at the end of its first ingest, by the real commands, and its searches after that."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from embedding import load_encoder
from index import IndexSettings, open_store
from schemas import Calibration, SearchRequest, SearchResponse
from search import Searcher, weights_for

ROOT = Path(__file__).resolve().parents[3]
KINDS = {
    "Sofas": ("corner sofa", "two-seat sofa", "sofa bed"),
    "Rugs": ("wool rug", "round rug", "kitchen rug"),
    "Mirrors": ("wall mirror", "bathroom mirror", "tall mirror"),
    "Curtains": ("velvet curtains", "short curtains", "linen curtains"),
    "Wardrobes": ("sliding wardrobe", "narrow wardrobe", "oak wardrobe"),
    "Pillows": ("neck pillow", "down pillow", "garden pillow"),
    "Vases": ("glass vase", "clay vase", "tall vase"),
    "Ladders": ("step ladder", "library ladder", "folding ladder"),
}
COLORS = ("red", "blue", "green", "white", "black")


def rows() -> list[dict[str, Any]]:
    return [
        {
            "id": f"{category}-{kind}-{color}",
            "title": f"{color.capitalize()} {name}",
            "description": f"Made with care for a room of its own, and easy to keep clean. Model {kind} of {category}.",
            "category": category,
            "color": color,
            "price": 10.0 + 3 * kind + COLORS.index(color),
        }
        for category, names in KINDS.items()
        for kind, name in enumerate(names)
        for color in COLORS
    ]


def run(python: Path, *command: str, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [str(python), "-m", *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@dataclass(frozen=True)
class Shop:
    data: Path
    report: dict[str, Any]
    searcher: Searcher

    def search(self, text: str, **more: Any) -> SearchResponse:
        return self.searcher.search(SearchRequest.model_validate({"text": text, "limit": 100, **more})).response


@pytest.fixture(scope="module")
def shop(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("calibrated")
    catalog = folder / "catalog.jsonl"
    catalog.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
    data = folder / "data"
    report = run(
        python, "ingest", str(catalog), "--model", "builtin", "--data-dir", str(data), STORELENS_NO_CALIBRATION="false"
    )
    store = open_store(IndexSettings(data_dir=data))
    with closing(store.open()) as index:
        searcher = Searcher(index, load_encoder("builtin"))
        searcher.use(store.documents.read_all())
        yield Shop(data, report, searcher)


def ids(response: SearchResponse) -> set[str]:
    return {hit.id for hit in response.hits}


def matching(**fields: str) -> list[dict[str, Any]]:
    return [row for row in rows() if all(row[name] == value for name, value in fields.items())]


def test_a_first_ingest_calibrates_and_says_so(shop: Shop) -> None:
    assert shop.report["calibration"] == 1
    assert shop.report["stages"]["calibrate"] > 0
    document = open_store(IndexSettings(data_dir=shop.data)).documents.read("calibrations", "search")
    calibration = Calibration.model_validate(document.content)
    assert (calibration.model, calibration.products) == ("builtin", len(rows()))
    assert {"category", "not sold"} <= calibration.test.keys()


@pytest.mark.parametrize("category", KINDS)
def test_a_category_is_what_fits(shop: Shop, category: str) -> None:
    found = shop.search(category.lower())
    expected = {row["id"] for row in matching(category=category)}
    assert found.match in ("good", "weak")
    assert ids(found) == expected
    assert (found.total.value, found.total.relation) == (len(expected), "eq")


@pytest.mark.parametrize("text", ["laptop", "violin", "asdfgh", "washing machine"])
def test_what_is_not_sold_is_said_and_the_nearest_are_suggested(shop: Shop, text: str) -> None:
    found = shop.search(text, facets=["category"], limit=5)
    assert (found.match, found.total.value, found.next_cursor) == ("none", 0, None)
    assert len(found.hits) == 5 and all(hit.tail for hit in found.hits)
    assert found.facets is not None and found.facets["category"].values == []


def test_sorting_and_narrowing_keep_to_what_fits(shop: Shop) -> None:
    rugs = {row["id"] for row in matching(category="Rugs")}
    by_price = shop.search("rug", sort=[{"field": "price", "order": "desc"}])
    assert ids(by_price) == rugs
    prices = [hit.product["price"] for hit in by_price.hits]
    assert prices == sorted(prices, reverse=True)
    red = shop.search("rug", filter={"color": "red"}, facets=["color", "category"])
    assert ids(red) == {row["id"] for row in matching(category="Rugs", color="red")}
    assert red.facets is not None
    assert {value.value: value.count for value in red.facets["color"].values} == dict.fromkeys(COLORS, 3)
    assert {value.value: value.count for value in red.facets["category"].values} == {"Rugs": 3}


def test_the_tail_follows_the_last_that_fits_without_a_repeat(shop: Shop) -> None:
    pages: list[SearchResponse] = [shop.search("mirror", limit=4, tail=True)]
    while (cursor := pages[-1].next_cursor) and len(pages) < 50:
        pages.append(shop.search("mirror", limit=4, tail=True, cursor=cursor))
    hits = [hit for page in pages for hit in page.hits]
    assert len({hit.id for hit in hits}) == len(hits)
    fits = [hit.id for hit in hits if not hit.tail]
    assert set(fits) == {row["id"] for row in matching(category="Mirrors")}
    assert [bool(hit.tail) for hit in hits] == [False] * len(fits) + [True] * (len(hits) - len(fits))
    assert {page.total.value for page in pages} == {len(fits)}


def test_the_tail_follows_a_sorted_list_however_long(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    sort = [{"field": "price"}]
    short = shop.search("mirror", limit=100, tail=True, sort=sort)
    monkeypatch.setattr("search.answer.CANDIDATES", 2)
    pages = [shop.search("mirror", limit=4, tail=True, sort=sort)]
    while (cursor := pages[-1].next_cursor) and len(pages) < 50:
        pages.append(shop.search("mirror", limit=4, tail=True, sort=sort, cursor=cursor))
    hits = [hit for page in pages for hit in page.hits]
    prices = [hit.product["price"] for hit in hits if not hit.tail]
    assert prices == sorted(prices) and len(prices) == short.total.value == pages[-1].total.value
    nearest = [hit.id for hit in short.hits if hit.tail]
    assert [hit.id for hit in hits if hit.tail][: len(nearest)] == nearest
    assert len({hit.id for hit in hits}) == len(hits) > len(prices)


def test_a_filter_that_leaves_nothing_is_no_match(shop: Shop) -> None:
    found = shop.search("sofa", filter={"category": "Rugs"}, limit=3)
    assert (found.match, found.total.value) == ("none", 0)
    assert all(hit.tail and hit.product["category"] == "Rugs" for hit in found.hits)


def test_probabilities_are_explained(shop: Shop) -> None:
    best, *_, last = (hit.explain for hit in shop.search("vase", tail=True, explain=True).hits)
    assert best is not None and last is not None
    assert best.probability is not None and last.probability is not None
    assert 1 >= best.probability > last.probability >= 0


def test_fitted_weights_are_those_of_the_next_search_unless_others_are_given(shop: Shop) -> None:
    documents = open_store(IndexSettings(data_dir=shop.data)).documents
    content = documents.read("calibrations", "search").content
    shipped = weights_for(shop.searcher.index.record.embedding)
    given = Searcher(shop.searcher.index, shop.searcher.encoder, weights=shipped)
    alone = Searcher(shop.searcher.index, shop.searcher.encoder)
    titles = {"text->title": 1.0, "text->text": 0.0, "text->image": 0.0, "lexical": 0.0}
    documents.write("calibrations", "search", {**content, "weights": {"covered": titles}})
    try:
        for searcher in (given, alone):
            searcher.use(documents.read_all())
    finally:
        documents.write("calibrations", "search", content)
    assert given.weights == shipped
    assert alone.weights.words.covered == titles and alone.weights.words.long == shipped.words.long
    found = alone.candidates(SearchRequest(text="green rug"))
    (by_title,) = (result.points for planned, result in found.legs if planned.leg.name == "text->title")
    assert found.points[:10] == by_title[:10]
    with pytest.raises(ValidationError, match="one of them above 0"):
        Calibration.model_validate({**content, "weights": {"long": dict.fromkeys(titles, 0.0)}})


def test_an_unchanged_catalog_is_not_calibrated_again(shop: Shop, python: Path) -> None:
    catalog = str(shop.data.parent / "catalog.jsonl")
    report = run(python, "ingest", catalog, "--data-dir", str(shop.data), STORELENS_NO_CALIBRATION="false")
    assert report["calibration"] is None
