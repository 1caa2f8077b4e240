"""Which words of a product are marked for a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Alternative, Term
from index.lexical import Lexical
from schemas import HighlightPiece
from search.highlight import FRAGMENT, highlights


def terms(text: str, *alternatives: Alternative) -> list[Term]:
    return [Term(one.word, one.forms, 1.0, True, one.alternatives) for one in Lexical(20.0).asked(text, alternatives)]


def shown(pieces: list[HighlightPiece]) -> str:
    return "".join(f"[{piece.text}]" if piece.marked else piece.text for piece in pieces)


def title(text: str, asked: str, *alternatives: Alternative) -> str:
    return shown(highlights({"title": text}, terms(asked, *alternatives))["title"])


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("Red Wool Socks", "red sock", "[Red] Wool [Socks]"),
        ("Crème brûlée, set of 2", "creme brulee", "[Crème] [brûlée], set of 2"),
        ("Basic T-Shirt (white)", "tshirt", "Basic [T-Shirt] (white)"),
        ("Basic T-Shirt (white)", "t-shirt white", "Basic [T-Shirt] ([white])"),
        ("Tshirt basic", "t-shirt", "[Tshirt] basic"),
        ("USB stick 128GB", "128 GB", "USB stick [128GB]"),
        ("USB stick 128 GB", "128GB", "USB stick [128] [GB]"),
        ('<b>Red</b> & "blue"', "red blue", '<b>[Red]</b> & "[blue]"'),
        ("红色连衣裙", "连衣裙", "红色[连衣裙]"),
        ("Socks for the cold", "the for", "Socks for the cold"),
        ("Teapot", "tea", "Teapot"),
        ("", "tea", ""),
    ],
)
def test_words_are_marked_in_whatever_form(text: str, asked: str, expected: str) -> None:
    assert title(text, asked) == expected


def test_synonyms_are_marked_where_all_their_words_are() -> None:
    alternatives = (Alternative("couch", "sofa", 0.9), Alternative("couch", "day bed", 0.5))
    assert title("Grey sofa", "couch", *alternatives) == "Grey [sofa]"
    assert title("Day bed with a bed side", "couch", *alternatives) == "[Day] [bed] with a [bed] side"
    assert title("Bed side", "couch", *alternatives) == "Bed side"


def test_of_a_description_the_part_with_most_of_the_words_is_shown() -> None:
    far = "plain words " * 60
    text = f"{far} red here {far} a red warm jacket for {far}"
    pieces = highlights({"title": "x", "description": text}, terms("red warm jacket"))["description"]
    whole = "".join(piece.text for piece in pieces)
    assert [piece.text for piece in pieces if piece.marked] == ["red", "warm", "jacket"]
    assert whole.startswith("… ") and whole.endswith(" …")
    assert len(whole) <= FRAGMENT + 4
    assert whole[2:-2] in " ".join(text.split())
    assert highlights({"description": far}, terms("red")) == {}
    assert shown(highlights({"description": "all  red\n"}, terms("red"))["description"]) == "all [red]"


@given(st.text(max_size=80) | st.text("ab-é'1 .ß红色😀\u0301", max_size=40), st.text("ab-é'1 .ß红色😀", max_size=12))
def test_pieces_are_the_text(text: str, asked: str) -> None:
    pieces = highlights({"title": text, "description": text}, terms(asked))
    assert "".join(piece.text for piece in pieces["title"]) == text
    assert all(piece.text for piece in pieces["title"])
    assert title(text, text).replace("[", "").replace("]", "") == text.replace("[", "").replace("]", "")
