"""Words as people type them, against the words of a catalog."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import VocabularyWord
from search.understanding import Understanding, Vocabulary

WORDS = {
    "red": 9, "jacket": 30, "jackets": 3, "sofa": 8, "chick": 2, "peas": 4, "eggplant": 5, "tomato": 6, "tomatoes": 2,
    "nike": 7, "women": 9, "rug": 3, "bin": 2, "waste": 2, "wastebin": 1, "dal": 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Understanding:
    return Understanding(Vocabulary([VocabularyWord(word, count, count) for word, count in WORDS.items()]))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("red jackett", "red jacket"),
        ("rde jcaket", "rde jacket"),  # three letters may be anything
        ("tomatto", "tomato"),
        ("Tomatto", "tomato"),
        ("wemen jackets", "women jackets"),
        ("chickpeas", "chick peas"),
    ],
)
def test_misspelt_words_are_corrected(shop: Understanding, written: str, meant: str) -> None:
    understood = shop.understand(written)
    assert understood.text == meant
    assert understood.shown(written).corrected == meant


@pytest.mark.parametrize(
    "written",
    [
        "red jacket", "JACKETS", "jacket's", "nikes", "dal", "dsl", "KT-INS115", "jacket3", "laptop", "sandals",
        "日本語", "🍅", "/", "a", "", "x" * 4000, "jackt " * 40,
    ],
)  # fmt: skip
def test_what_may_be_meant_as_it_is_stays(shop: Understanding, written: str) -> None:
    understood = shop.understand(written)
    assert (understood.text, understood.corrected) == (written, False)


def test_words_that_the_catalog_lacks_are_looked_for_by_others_that_it_has(shop: Understanding) -> None:
    understood = shop.understand("red couch")
    assert understood.text == "red couch"
    assert [(one.words, one.phrase) for one in understood.alternatives] == [("couch", "sofa")]
    shown = understood.shown("red couch").expanded
    assert shown is not None
    assert [(word.word, word.synonyms) for word in shown] == [("couch", ["sofa"])]


def test_words_that_it_has_are_not_expanded(shop: Understanding) -> None:
    assert shop.understand("sofa").alternatives == ()


def test_several_words_may_be_one(shop: Understanding) -> None:
    assert shop.understand("egg plant").text == "eggplant"
    assert shop.understand("waste bin").text == "waste bin"  # both words are there
    assert "wastebin" in {one.phrase for one in shop.understand("garbage can").alternatives}


def test_an_index_that_does_not_say_its_words_is_asked_as_it_is_written() -> None:
    assert Understanding(Vocabulary([])).understand("jackett").text == "jackett"


@given(st.text(max_size=60))
def test_whatever_is_written_is_understood_somehow(shop: Understanding, text: str) -> None:
    understood = shop.understand(text)
    assert understood == shop.understand(text)
    assert understood.corrected == (understood.text != text)
    assert all(shop.vocabulary.has_all(one.phrase) for one in understood.alternatives)
