"""What every engine answers, compared with a plain loop over the same points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import numpy as np
import pytest

from index.protocols import Alternative, CatalogIndex, DenseName, IndexStore, Leg, Names, all_points
from schemas import All, BadVectors, LegName, Match, Not, Range
from tests.support.points import DIMENSION, index_record, make_point, unit

BRANDS = ("acme", "bolt", "café")
LEGS: dict[LegName, DenseName] = {"text->image": "image", "text->title": "title", "text->text": "text"}


def _fields(number: int) -> dict[str, object]:
    fields: dict[str, object] = {"brand": BRANDS[number % 3], "in_stock": number % 2 == 0, "stock": number % 7}
    return fields if number % 5 == 0 else {**fields, "price": number / 4}


def _vectors(number: int) -> tuple[DenseName, ...]:
    return ("title", "text") if number % 4 == 0 else ("image", "title", "text")


def _words(number: int) -> str:
    return f"{'red' if number % 2 else 'green'} running shoes number{number}"


POINTS = {
    point.id: point
    for point in (
        make_point(
            number,
            _fields(number),
            words=_words(number) if number != 60 else "the",
            title_key=f"shoe {number % 10}",
            vectors=_vectors(number),
            images=1 + number % 3,
        )
        for number in range(1, 61)
    )
}
IDS = sorted(POINTS)


@pytest.fixture
def index(store: IndexStore) -> Iterator[CatalogIndex]:
    with store.lock():
        build = store.begin(index_record())
        build.upsert(list(POINTS.values()))
        build.commit()
    opened = store.open()
    yield opened
    opened.close()


def test_legs_are_cosines_best_first(index: CatalogIndex) -> None:
    query = unit(DIMENSION, seed=999)
    found = index.query([Leg(name, vector, query) for name, vector in LEGS.items()], None, 25)
    for vector, candidates in zip(LEGS.values(), found, strict=True):
        cosines = {p.id: float(np.max(p.vectors[vector] @ query)) for p in POINTS.values() if vector in p.vectors}
        expected = sorted(cosines, key=lambda id: -cosines[id])[:25]
        assert [candidate.id for candidate in candidates] == expected
        assert [c.score for c in candidates] == pytest.approx([cosines[id] for id in expected], abs=1e-5)


def test_a_filter_holds_for_every_leg(index: CatalogIndex) -> None:
    only = All((Match("brand", "keyword", ("acme", "bolt")), Not(Range("price", lt=5))))
    legs = [Leg(name, vector, unit(DIMENSION, seed=1)) for name, vector in LEGS.items()]
    found = index.query([*legs, Leg("lexical", "lexical", "shoes")], only, 100)
    passing = {p.id for n, p in enumerate(POINTS.values(), 1) if n % 3 != 2 and not _fields(n).get("price", 9) < 5}  # type: ignore[operator]
    for leg, candidates in zip(legs, found, strict=False):
        assert {c.id for c in candidates} == {id for id in passing if leg.vector in POINTS[id].vectors}
    assert {c.id for c in found[-1]} == passing - {UUID(int=60)}


def test_the_lexical_leg_is_bm25(index: CatalogIndex) -> None:
    (found,) = index.query([Leg("lexical", "lexical", "the Red shoe")], None, 100)
    assert {c.id for c in found} == set(IDS) - {UUID(int=60)}
    scores = {c.id: c.score for c in found}
    assert scores[UUID(int=9)] > scores[UUID(int=8)]

    terms = {term.word: term for term in index.terms("the Red shoe NUMBER7")}
    assert set(terms) == {"Red", "shoe", "NUMBER7"}
    # The words of a product all weigh the same here, so a score is the sum of the IDFs up to one factor.
    weight = scores[UUID(int=8)] / terms["shoe"].idf
    assert scores[UUID(int=9)] == pytest.approx(weight * (terms["Red"].idf + terms["shoe"].idf), rel=1e-3)

    # What is both letters and figures is looked for in its parts as well, which weigh less.
    (found,) = index.query([Leg("lexical", "lexical", "NUMBER7")], None, 100)
    assert found[0].id == UUID(int=7)
    assert weight * terms["NUMBER7"].idf < found[0].score < 1.5 * weight * terms["NUMBER7"].idf


def test_words_that_ask_nothing_find_nothing(index: CatalogIndex) -> None:
    words, dense = index.query(
        [Leg("lexical", "lexical", "the of !?"), Leg("text->title", "title", unit(DIMENSION, seed=5))], None, 5
    )
    assert words == []
    assert len(dense) == 5
    assert index.terms("the of !?") == []
    assert index.terms("") == []


def test_terms_weigh_rare_words_more_and_know_what_is_unknown(index: CatalogIndex) -> None:
    terms = {term.word: term for term in index.terms("red running number7 zeppelin")}
    assert terms["running"].idf < terms["red"].idf < terms["number7"].idf <= terms["zeppelin"].idf
    assert [word for word, term in terms.items() if not term.known] == ["zeppelin"]
    assert terms["zeppelin"].idf == pytest.approx(math.log(len(POINTS) + 1))


def test_terms_are_distinct_words(index: CatalogIndex) -> None:
    assert len(index.terms("shoe shoes Shoe, SHOES!")) == 1
    assert {term.word for term in index.terms("V-neck café, (बैंगन)")} >= {"neck", "café", "बैंगन"}


def test_matched_says_which_words_a_product_has(index: CatalogIndex) -> None:
    terms = index.terms("red shoe number7 zeppelin")
    matched = index.matched([UUID(int=n) for n in (7, 8, 60, 999)], terms)
    assert {id.int: sorted(words) for id, words in matched.items()} == {7: ["number7", "red", "shoe"], 8: ["shoe"]}
    assert index.matched([], terms) == {}


def test_fetch_returns_what_was_stored(index: CatalogIndex) -> None:
    stored = index.fetch([UUID(int=3), UUID(int=4), UUID(int=999)], ["image", "text"])
    assert set(stored) == {UUID(int=3), UUID(int=4)}
    assert stored[UUID(int=3)].payload == POINTS[UUID(int=3)].payload
    assert set(stored[UUID(int=4)].vectors) == {"text"}
    for name in ("image", "text"):
        vectors = stored[UUID(int=3)].vectors[name]
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors, POINTS[UUID(int=3)].vectors[name], atol=1e-6)
    assert index.fetch([UUID(int=3)])[UUID(int=3)].vectors == {}
    assert index.fetch([]) == {}


def test_values_are_the_fields_asked_for(index: CatalogIndex) -> None:
    values = index.values([UUID(int=4), UUID(int=5), UUID(int=999)], ["price", "brand", "unknown"])
    assert values == {UUID(int=4): {"price": 1.0, "brand": "bolt"}, UUID(int=5): {"brand": "café"}}


def test_scan_walks_ids_in_order(index: CatalogIndex) -> None:
    assert list(all_points(index, batch=7)) == IDS
    acme = Match("brand", "keyword", ("acme",))
    assert index.scan(acme, 0) == []
    first = index.scan(acme, 4)
    assert first == [UUID(int=n) for n in (3, 6, 9, 12)]
    assert index.scan(acme, 4, first[-1]) == [UUID(int=n) for n in (15, 18, 21, 24)]
    assert index.scan(None, 5, UUID(int=(1 << 128) - 1)) == []


@pytest.mark.parametrize("descending", [False, True])
def test_ordered_by_a_number(index: CatalogIndex, descending: bool) -> None:
    even = Match("in_stock", "bool", (True,))
    expected = [(UUID(int=n), n / 4) for n in range(1, 61) if n % 2 == 0 and n % 5]
    expected = expected[::-1] if descending else expected
    assert index.ordered("price", descending, even, 10) == expected[:10]
    assert index.ordered("price", descending, even, 1000) == expected


def test_named_finds_whole_titles_numbers_and_parts_of_them(index: CatalogIndex) -> None:
    titled = Names(titles=("shoe 3", "other"))
    assert index.named(titled, None, 10) == [UUID(int=n) for n in (3, 13, 23, 33, 43, 53)]
    assert index.named(titled, Match("brand", "keyword", ("acme",)), 1) == [UUID(int=3)]
    assert index.named(Names(titles=("shoe",)), None, 10) == []
    either = Names(codes=("kt7",), parts=("kt9",))
    assert index.named(either, None, 10) == [UUID(int=7), UUID(int=8)]
    assert index.named(either, Not(Match("stock", "integer", (0,))), 10) == [UUID(int=8)]
    assert index.named(Names(), None, 10) == []


def test_a_format_without_numbers_is_not_asked_for_them(store: IndexStore) -> None:
    with store.lock():
        build = store.begin(index_record().model_copy(update={"format": 2}))
        build.upsert([make_point(7, {"id": "p7"})])
        build.commit()
    with closing(store.open()) as opened:
        assert opened.named(Names(codes=("kt7",)), None, 10) == []
        assert opened.named(Names(("p7",), codes=("kt7",)), None, 10) == [UUID(int=7)]
        assert opened.named(Names(titles=("red shoes",), codes=("kt7",)), None, 10) == [UUID(int=7)]


def test_counts_and_facets_are_exact(index: CatalogIndex) -> None:
    some = Range("price", gte=10)
    passing = [_fields(n) for n in range(1, 61) if n % 5 and n / 4 >= 10]
    assert index.count() == 60
    assert index.count(some) == len(passing)
    for field in ("brand", "stock", "in_stock"):
        counts = index.facet(field, some, 100)
        assert dict(counts) == {v: sum(f[field] == v for f in passing) for v in {f[field] for f in passing}}
        assert [count for _, count in counts] == sorted((count for _, count in counts), reverse=True)
    assert {type(value) for value, _ in index.facet("in_stock", None, 5)} == {bool}
    assert len(index.facet("stock", None, 3)) == 3


@pytest.mark.parametrize(
    "query",
    [
        unit(DIMENSION + 1, seed=1),
        unit(1, DIMENSION, seed=1),
        unit(DIMENSION, seed=1) * 2,
        unit(DIMENSION, seed=1).astype(np.float64),
        np.full(DIMENSION, np.nan, np.float32),
        np.full(DIMENSION, np.inf, np.float32),
        np.zeros(DIMENSION, np.float32),
    ],
    ids=["dimension", "shape", "length", "float64", "nan", "inf", "zero"],
)
def test_bad_queries_are_refused(index: CatalogIndex, query: np.ndarray) -> None:
    with pytest.raises(BadVectors):
        index.query([Leg("text->title", "title", query)], None, 5)


def test_the_words_of_the_catalog_are_counted(index: CatalogIndex) -> None:
    words = {word.term: (word.products, word.subjects) for word in index.vocabulary()}
    assert words["running"] == (59, 0)
    assert words["red"] == (30, 0)
    assert words["number7"] == (1, 0)
    # Of titles, which these points do not have among their words, nothing is counted.
    assert "shoe" not in words
    assert [word.products for word in index.vocabulary()] == sorted((n for n, _ in words.values()), reverse=True)


def test_other_words_find_what_has_them_and_count_less(index: CatalogIndex) -> None:
    other = Alternative("crimson", "red", 0.5)
    plain, instead = index.query(
        [Leg("lexical", "lexical", "red"), Leg("lexical", "lexical", "crimson", (other,))], None, 100
    )
    assert {found.id for found in plain} == {found.id for found in instead}
    assert instead[0].score == pytest.approx(plain[0].score / 2, rel=1e-3)
    (term,) = index.terms("crimson", (other,))
    assert (term.word, term.known) == ("crimson", True)
    point = plain[0].id
    assert index.matched([point], [term]) == {point: ["crimson"]}
    assert index.matched([point], index.terms("crimson")) == {}
