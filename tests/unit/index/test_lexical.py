from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from qdrant_edge import Bm25, Bm25Config

from index.lexical import Lexical

LEXICAL = Lexical(average_words=10)
OLDER = Bm25(Bm25Config(avg_len=10, ascii_folding=True))
"""The embedder of indexes that were made before this version."""


def score(text: str, query: str, codes: tuple[str, ...] = ()) -> float:
    """What a product of this text scores for a query where every word is as rare as any other."""
    product = LEXICAL.document(text, codes)
    weights = dict(zip(*product, strict=True)) if product else {}
    asked = LEXICAL.query(query)
    return sum(weight * weights.get(token, 0.0) for token, weight in zip(*asked, strict=True))


def has_all_words(text: str, query: str) -> bool:
    product = LEXICAL.document(text)
    tokens = set(product.indices) if product else set()
    return all(any(tokens.issuperset(form) for form in word.forms) for word in LEXICAL.asked(query))


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("The Running SHOES, crème brûlée", ["running", "Shoe", "creme", "brulee", "CRÈME BRÛLÉE"]),
        ("华为手机壳 黑色", ["手机壳", "手机", "华为", "黑色", "壳", "华为手机壳"]),
        ("スマホケース黒い", ["ケース", "スマホ", "黒い", "ｽﾏﾎｹｰｽ"]),
        ("เคสโทรศัพท์มือถือ", ["โทรศัพท์", "มือถือ", "เคส"]),
        ("ກະເປົາໜັງ", ["ໜັງ"]),
        ("កាបូបស្បែក", ["ស្បែក"]),
        ("လက်ကိုင်အိတ်", ["အိတ်"]),
        ("가죽 가방을 팝니다", ["가방", "가죽", "가방을"]),
        ("iPhone手机壳", ["iphone", "手机壳", "iPhone 手机壳"]),
        ("حقيبة مُحَمَّد", ["محمد", "حقيبه"]),
        ("שָׁלוֹם", ["שלום"]),
        ("می\u200cخواهم", ["میخواهم", "می خواهم", "می\u200cخواهم"]),
        ("क़मीज़ बैंगन चाँद", ["कमीज", "बैंगन", "चांद"]),
        ("Áo dài Việt Nam", ["ao dai viet nam", "Việt"]),
        ("Küche Größe Ørsted Łódź İstanbul straße", ["kueche", "kuche", "groesse", "orsted", "lodz", "istanbul"]),
        ("Kueche strasse", ["Küche", "Straße"]),
        ("T-shirt, Wi-Fi, men's", ["tshirt", "t-shirt", "wifi", "wi fi", "mens"]),
        ("128GB iPhone15 500ml", ["128 GB", "iphone 15", "500 ml", "128gb"]),
        ("128 GB", ["128GB"]),
        ('Wrangler™ ½ inch, 5" 3/4"', ["wrangler", "1/2", "½", '5"', "3/4"]),
        ("R&D C++ .NET", ["R&D", "rd", "C++", ".NET", "net"]),
        ("Headphones 🎧 ❤️", ["🎧", "❤"]),
        ("１２３ ＡＢＣ", ["123", "abc"]),
        ("№5 ٤٢", ["no 5", "42"]),
        ("Staub\u00adsauger", ["Staubsauger"]),
    ],
)  # fmt: skip
def test_what_is_found_by_what(text: str, queries: list[str]) -> None:
    for query in queries:
        assert has_all_words(text, query), query
        assert score(text, query) > 0


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("shoe", "sandal"),
        ("手机", "机手"),
        ("กา", "กี"),
        ("か", "が"),
        ("3/4", "34"),
        ("20", "s20"),
        ("90.750", "90.75"),
    ],
)
def test_what_is_not_found(text: str, query: str) -> None:
    assert not has_all_words(text, query)


@pytest.mark.parametrize(
    ("query", "best", "other"),
    [
        ("pâté", "pâté", "pate"),
        ("pate", "pate", "pâté"),
        ("straße", "straße", "strasse"),
        ("C++", "C++ guide", "C guide"),
        ("C#", "C# guide", "C++ guide"),
        (".NET", ".NET guide", "net guide"),
        ("3/4", "3/4 wrench", "3 wrench 4"),
        ('5"', '5" pot', "5 pot"),
        ("1.5", "1,5 pot", "1 pot 5"),
    ],
)
def test_what_is_written_as_asked_for_is_found_first(query: str, best: str, other: str) -> None:
    assert score(best, query) > score(other, query) > 0


def test_product_numbers_weigh_the_same_in_every_product() -> None:
    short, long = "mug", "mug " + " ".join(f"word{n}" for n in range(100))
    for query in ("KT-INS115", "kt ins115", "ktins115blk", "ins115"):
        assert score(short, query, ("KT-INS115-BLK",)) == score(long, query, ("KT-INS115-BLK",)) > 0
    assert LEXICAL.document("", ("KT-1",)) is not None


def test_no_words_make_no_vector() -> None:
    for text in ("", "the of ...", "!?"):
        assert LEXICAL.document(text) is None
        assert LEXICAL.query(text).indices == []
        assert LEXICAL.asked(text) == []


def test_a_longer_product_weighs_a_word_less() -> None:
    assert score("shoe", "shoe") > score("shoe " + " ".join(f"word{n}" for n in range(40)), "shoe")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the red shoes", ["red", "shoes"]),
        ("(V-neck),", ["V", "neck"]),
        ("it's", []),
        ("बैंगन", ["बैंगन"]),
        ("手机壳", ["手机", "机壳"]),
        ("mug 🎧", ["mug"]),
        ("🎧", ["🎧"]),
        ("shoe shoes SHOE", ["shoe"]),
    ],
)
def test_words_of_a_request(text: str, words: list[str]) -> None:
    assert [asked.word for asked in LEXICAL.asked(text)] == words


@given(st.text(max_size=60))
@example("00:0\U00018d80")
@example("¼ zip")
def test_a_request_asks_for_what_older_products_have(text: str) -> None:
    asked = LEXICAL.query(text)
    assert set(asked.indices) >= set(OLDER.embed_query(text).indices)
    assert all(set(form) <= set(asked.indices) for word in LEXICAL.asked(text) for form in word.forms)


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_plain_words_weigh_what_they_always_did(text: str) -> None:
    older, now = OLDER.embed_document(text), LEXICAL.document(text)
    assert set(older.indices) <= set(now.indices if now else ())


@given(st.text(max_size=60))
def test_a_product_is_found_by_its_own_words(text: str) -> None:
    assert has_all_words(text, text)
