"""Words of a request that say nothing of what is looked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.filler_words import without_asking, without_praise


def lacks(_: str) -> bool:
    return False


def has(_: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("nice hoodie", "hoodie"),
        ("Cheapest hoodie, please", "hoodie,"),
        ("hoodie for my wife", "hoodie"),
        ("hoodie for me in red", "hoodie in red"),
        ("gift for dad", "gift"),
        ("hoodie for friends", "hoodie for friends"),
        ("best price", "best price"),
        ("the best", "the best"),
        ("niceness", "niceness"),
        ("", ""),
    ],
)
def test_praise_and_for_whom_are_left_out_where_the_catalog_lacks_them(text: str, left: str) -> None:
    assert without_praise(text, lacks) == left


def test_words_that_the_catalog_has_stay() -> None:
    assert without_praise("nice biscuits for dad", has) == "nice biscuits for dad"
    assert without_praise("nice biscuits for dad", {"dad"}.__contains__) == "biscuits for dad"


def test_what_a_product_is_called_does_not_ask() -> None:
    assert without_asking("looking for alaska", lacks) == "alaska"
    assert without_asking("looking for alaska", has) == "looking for alaska"


@given(st.text("ab nice for my dad", max_size=40))
def test_something_is_left_of_whatever_has_something(text: str) -> None:
    assert bool(without_praise(text, lacks).strip()) == bool(text.strip())
