from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.lexical import Lexical

LEXICAL = Lexical(average_words=10)


def test_queries_and_products_meet_in_their_tokens() -> None:
    product = LEXICAL.document("The Running SHOES, crème brûlée")
    assert product is not None
    for word in ("running", "Shoe", "creme", "brulee"):
        assert set(LEXICAL.query(word).indices) < set(product.indices)
    assert not set(LEXICAL.query("sandal").indices) & set(product.indices)


def test_no_words_make_no_vector() -> None:
    assert LEXICAL.document("") is None
    assert LEXICAL.document("the of ...") is None
    assert LEXICAL.query("the of ...").indices == []


def test_a_longer_product_weighs_a_word_less() -> None:
    short, long = LEXICAL.document("shoe"), LEXICAL.document("shoe " + " ".join(f"word{n}" for n in range(40)))
    assert short is not None
    assert long is not None
    token = short.indices[0]
    assert dict(zip(*long, strict=True))[token] < short.values[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [("the red shoes", {"red", "shoes"}), ("(V-neck),", {"V", "neck"}), ("it's", set()), ("बैंगन", {"बैंगन"})],
)
def test_tokens_name_the_words_they_came_from(text: str, words: set[str]) -> None:
    assert set(LEXICAL.tokens(text).values()) == words


@given(st.text(max_size=60))
@example("00:0\U00018d80")
def test_tokens_are_those_of_the_query(text: str) -> None:
    tokens = LEXICAL.tokens(text)
    assert set(tokens) == set(LEXICAL.query(text).indices)
    assert all(word in text for word in tokens.values())
