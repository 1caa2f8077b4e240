"""Words as people type them, against the words of a catalog."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import VocabularyWord, term_sequence
from schemas import All, Document, Filter, HasWord, check_document
from search.synonyms import WrittenSynonyms
from search.understanding import Understanding
from search.vocabulary import Vocabulary

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
        ("sofa undr 50", "sofa under 50"),
        ("red coutch", "red couch"),  # which the catalog calls a sofa
        ("coutches", "couches"),
        ("sofa betwen $10 and 50", "sofa between $10 and 50"),
    ],
)
def test_misspelt_words_are_corrected(shop: Understanding, written: str, meant: str) -> None:
    understood = shop.understand(written)
    assert understood.text == meant
    assert understood.shown(written).corrected == meant


def test_what_says_what_a_product_is_is_meant_before_what_is_said_beside_it() -> None:
    words = [
        ("while", 20, 0), ("with", 90, 0), ("free", 30, 0), ("white", 5, 5), ("green", 4, 4), ("soft", 9, 0),
        ("dai", 1, 0), ("koon", 1, 0), ("radish", 1, 1),
    ]  # fmt: skip
    said = Understanding(Vocabulary([VocabularyWord(*word) for word in words]))
    meant = {
        "whie": "white", "freen": "green", "sotf": "soft", "wiht": "with",
        "daikoon": "daikon",  # which is a radish
        "koondai": "koon dai",
    }  # fmt: skip
    assert {word: said.understand(word).text for word in meant} == meant


PRODUCTS = [
    "grey cushion", "grey sofa", "grey bed", "green handbag", "green handbag small", "grey handbag", "blue bed",
    "bald eagle print", "bunk bed white", "grey t-shirt",
]  # fmt: skip


def _count(filter: Filter) -> int:
    """Products that have one of the words of each part."""
    assert isinstance(filter, All)
    words = [one.words for one in filter.parts if isinstance(one, HasWord)]
    return sum(all(set(some) & set(term_sequence(product)) for some in words) for product in PRODUCTS)


@pytest.fixture(scope="module")
def beds() -> Understanding:
    used = Counter(word for product in PRODUCTS for word in term_sequence(product))
    words = [VocabularyWord(word, count, count) for word, count in used.items()]
    return Understanding(Vocabulary(words, len(PRODUCTS)), count=_count)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gree handbag", "green handbag"),  # more of them than grey ones
        ("gree sofa", "grey sofa"),  # there is no green one
        ("gren sofa", "grey sofa"),
        ("gren", "green"),  # the same letters
        ("ble bed", "blue bed"),
        ("bed ble", "bed blue"),
        ("bal bed", "bal bed"),  # nothing is bald and a bed
        ("lue bed", "lue bed"),  # a short word has its first letter right
        ("ble", "ble"),  # alone it may be anything
        ("ble hndbag", "ble handbag"),
        ("buk bed wihte", "bunk bed white"),
        ("grey t-shirh", "grey t-shirt"),
        ("abc-handbga", "abc-handbga"),  # may be a product number
    ],
)
def test_a_word_is_corrected_to_what_products_have_with_the_others(
    beds: Understanding, written: str, meant: str
) -> None:
    assert beds.understand(written).text == meant


@pytest.mark.parametrize(
    "written",
    [
        "red jacket", "JACKETS", "jacket's", "nikes", "dal", "dsl", "KT-INS115", "jacket3", "laptop", "sandals",
        "日本語", "🍅", "/", "a", "", "x" * 4000, "jackt " * 40, "undr",
        "sofa undr fifty", "rover 75",
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
    assert shop.understand("egg plant").text == shop.understand("egg-plant").text == "eggplant"
    assert shop.understand("egg plants").text == "eggplants"
    both = shop.understand("waste bin")
    assert both.text == "waste bin"  # both words are there
    assert [(one.words, one.phrase, one.related) for one in both.alternatives] == [("waste bin", "wastebin", False)]
    assert "wastebin" in {one.phrase for one in shop.understand("garbage can").alternatives}


def test_an_index_that_does_not_say_its_words_is_asked_as_it_is_written() -> None:
    assert Understanding(Vocabulary([])).understand("jackett").text == "jackett"


def _with(*documents: dict[str, Any]) -> Understanding:
    """The shop, and what people have written down."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    words = [VocabularyWord(word, count, count) for word, count in WORDS.items()]
    written = [Document("synonyms", str(n), 1, now, check_document("synonyms", one)) for n, one in enumerate(documents)]
    return Understanding(Vocabulary(words, 100), WrittenSynonyms(written))


def _expanded(shop: Understanding, text: str) -> dict[str, list[str]]:
    return {one.word: one.synonyms for one in shop.understand(text).shown(text).expanded or []}


HOUSE = {"groups": [["sofa", "settee", "chesterfield"], ["waste bin", "trash can", "rug"], ["T-shirt", "jacket"]]}
SHOES = {"one_way": [{"from": "plimsoll", "to": ["nike", "nike women"]}, {"from": "jacket", "to": ["red rug"]}]}


@pytest.mark.parametrize(
    ("written", "expanded"),
    [
        ("settee", {"settee": ["sofa"]}),
        ("big red Settees", {"Settees": ["sofa"]}),
        ("sofa", {}),  # the catalog has none of the others
        ("rug", {"rug": ["waste bin"]}),
        ("red rugs", {"rugs": ["waste bin"]}),
        ("trash can", {"trash can": ["waste bin", "rug"]}),
        ("Trash Cans sofa", {"Trash Cans": ["waste bin", "rug"]}),
        ("tshirt", {"tshirt": ["jacket"]}),
        ("t-shirts", {"t-shirts": ["jacket"]}),
        ("t shirt", {"t shirt": ["jacket"]}),
        ("plimsolls", {"plimsolls": ["nike", "nike women"]}),
        ("nike", {}),  # not the other way round
        ("jacket", {"jacket": ["red rug"]}),
        ("chair", {}),
    ],
)
def test_what_people_have_written_down_is_looked_for_as_well(written: str, expanded: dict[str, list[str]]) -> None:
    assert _expanded(_with(HOUSE, SHOES), written) == expanded


def test_it_takes_the_place_of_what_the_dictionary_says_and_documents_add_up() -> None:
    assert _expanded(_with(), "couch") == {"couch": ["sofa"]}
    assert _expanded(_with({"groups": [["couch", "rug"]]}), "couch") == {"couch": ["rug"]}
    assert _expanded(_with({"groups": [["couch", "zzz"]]}), "couch") == {"couch": ["sofa"]}
    both = _with({"groups": [["couch", "rug"]]}, {"one_way": [{"from": "Couch", "to": ["RUG", "dal"]}]})
    assert _expanded(both, "couch") == {"couch": ["rug", "dal"]}


def test_a_word_that_is_written_down_is_corrected_to_and_not_from() -> None:
    shop = _with({"groups": [["jackt", "rug"], ["chesterfeld", "sofa"]]})
    assert _with().understand("jackt").text == "jacket"
    assert shop.understand("jackt").text == "jackt"
    understood = shop.understand("chesterfeeld")
    assert (understood.text, understood.corrected) == ("chesterfeld", True)
    assert [one.phrase for one in understood.alternatives] == ["sofa"]


def test_a_rare_word_counts_no_more_than_what_it_stands_for() -> None:
    shop = _with({"groups": [["jacket", "bin"], ["settee", "sofa"]]})
    (rare,) = shop.understand("jacket").alternatives
    (common,) = shop.understand("bin").alternatives
    (lacked,) = shop.understand("settee").alternatives
    assert rare.weight == pytest.approx(shop.vocabulary.idf("jacket") / shop.vocabulary.idf("bin"))
    assert (common.weight, lacked.weight) == (1.0, 1.0)


def test_what_the_catalog_lacks_is_encoded_as_what_stands_for_it() -> None:
    shop = _with({"groups": [["settee", "sofa", "rug", "bin", "jacket"], ["plimsoll", "nike"]]})
    assert shop.understand("red settee").encoded == ("red jacket", "red sofa", "red rug")
    assert shop.understand("settee  plimsoll").encoded == ("jacket nike", "sofa nike", "rug nike")
    assert shop.understand("red sofa").encoded == ()
    assert shop.understand("red couch").encoded == ("red couch",)


def test_scripts_without_blanks_have_synonyms_within_their_words() -> None:
    words = [VocabularyWord(word, 3, 3) for word in ("ソフ", "ファ", "赤い")]
    written = {"groups": [["ソファ", "長椅子"], ["🍅", "赤い"]]}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    document = Document("synonyms", "a", 1, now, check_document("synonyms", written))
    shop = Understanding(Vocabulary(words, 10), WrittenSynonyms([document]))
    assert _expanded(shop, "大きな長椅子です") == {"長椅子": ["ソファ"]}
    assert shop.understand("大きな長椅子です").encoded == ("大きなソファです",)
    assert _expanded(shop, "長椅子") == {"長椅子": ["ソファ"]}
    assert _expanded(shop, "🍅") == {"🍅": ["赤い"]}


def test_a_word_is_looked_for_as_the_catalog_spells_it() -> None:
    shop = _with({"groups": [["Chick-pea", "garbanzo"], ["waste-bin", "trash can"], ["egg plant", "brinjal"]]})
    assert _expanded(shop, "garbanzo") == {"garbanzo": ["Chick-pea"]}
    assert _expanded(shop, "brinjals") == {"brinjals": ["eggplant"]}


def test_an_index_that_does_not_say_its_words_has_all_that_is_written_down() -> None:
    written = Document("synonyms", "a", 1, datetime(2026, 1, 1, tzinfo=UTC), check_document("synonyms", HOUSE))
    shop = Understanding(Vocabulary([]), WrittenSynonyms([written]))
    assert _expanded(shop, "settee") == {"settee": ["sofa", "chesterfield"]}
    assert shop.understand("setee").text == "setee"


@given(st.text(max_size=60))
def test_whatever_is_written_is_understood_somehow(shop: Understanding, text: str) -> None:
    understood = shop.understand(text)
    assert understood == shop.understand(text)
    assert understood.corrected == (understood.text != text)
    assert all(shop.vocabulary.has_all(one.phrase) for one in understood.alternatives)
