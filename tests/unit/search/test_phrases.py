"""What the words of a request demand, and what they negate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.negations import is_without
from search.phrases import has_phrase, phrase_share, quoted


@pytest.mark.parametrize(
    ("text", "left", "phrases"),
    [
        ('"soft shell" jacket', "soft shell jacket", ["soft shell"]),
        ('jacket "soft shell"', "jacket soft shell", ["soft shell"]),
        ("“soft shell” «for men»", "soft shell for men", ["soft shell", "for men"]),
        ('"a b" "c d"', "a b c d", ["a b", "c d"]),
        ('jacket "soft shell', "jacket soft shell", []),
        ('jacket soft shell"', "jacket soft shell", []),
        ('"" jacket', "jacket", []),
        ('" " jacket "', "jacket", []),
        ('"the" jacket', "the jacket", []),
        ('24" monitor', '24" monitor', []),
        ('24" or 27" monitor', '24" or 27" monitor', []),
        ('"24" monitor"', '24" monitor', ['24" monitor']),
        ('"24" and "27"', "24 and 27", ["24", "27"]),
        ('monitor "24 inch"', "monitor 24 inch", ["24 inch"]),
        ('3/4" pipe "steel grey"', '3/4" pipe steel grey', ["steel grey"]),
        ('"T-Shirt, white"!', "T-Shirt, white !", ["T-Shirt, white"]),
        ('"東京タワー" 2024', "東京タワー 2024", ["東京タワー"]),
        ('"', '"', []),
        ('""""', '""""', []),
        ("“ ”", "“ ”", []),
        ("plain", "plain", []),
    ],
)
def test_quotes_hold_phrases_and_inches_do_not(text: str, left: str, phrases: list[str]) -> None:
    assert quoted(text) == (left, phrases)


@given(st.text('ab 1"“” .', max_size=30))
def test_whatever_is_quoted_no_word_is_lost(text: str) -> None:
    left, phrases = quoted(text)
    assert [c for c in left if c.isalnum()] == [c for c in text if c.isalnum()]
    assert all(phrases)


def test_a_phrase_is_in_one_text_whatever_its_case_and_marks() -> None:
    row = {
        "title": "Crème Brûlée-set",
        "tags": ["soft", "shell"],
        "more": {"a": ["Soft  Shell jacket"]},
        "image": "x y",
    }
    assert has_phrase(row, ["creme", "brulee"])
    assert has_phrase(row, ["shell", "jacket"])
    assert not has_phrase(row, ["set", "soft"])
    assert not has_phrase(row, ["soft", "jacket"])
    assert not has_phrase(row, ["x", "y"])
    assert phrase_share(row, ["soft", "shell"]) == 2 / 3
    assert phrase_share(row, ["soft", "shell", "jacket"]) == 1
    assert phrase_share(row, ["x", "y"]) == 0


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Gluten free pasta", True),
        ("Gluten-free pasta", True),
        ("Pasta without gluten", True),
        ("No added gluten", True),
        ("Free from gluten", True),
        ("Wheat gluten", False),
        ("Gluten free, may have traces of gluten", False),
        ("Pasta", False),
    ],
)
def test_a_text_says_that_a_product_is_without(text: str, without: bool) -> None:
    from index import stem_token

    token = stem_token("gluten")
    assert token is not None
    assert is_without([text], {token}) == without
