from __future__ import annotations

from typing import Any

import pytest

from catalog import details_text, product_from_row, subject_text, text_parts, title_text, words
from catalog.texts import MAX_EMBEDDED, MAX_SHORT
from schemas import Product


def product(**columns: Any) -> Product:
    return product_from_row({"id": "SKU-1", "image": "a.jpg"} | columns).product


def test_single_facts_are_of_the_subject_and_listed_ones_of_the_details() -> None:
    found = product(
        title="Chaz Hoodie",
        description="Warm.",
        category="Hoodies",
        brand="Acme",
        color=["Black", "Red"],
        tags=["new"],
        sizes=["XS", "S"],
        care={"washing": "cold"},
    )
    assert title_text(found) == "Chaz Hoodie"
    assert subject_text(found) == "Hoodies, Acme, cold, Chaz Hoodie"
    assert details_text(found) == "Warm.\nnew, Black, Red, XS, S"
    assert text_parts(found) == [subject_text(found), details_text(found)]


def test_every_word_of_title_description_and_facts_is_there_and_none_else() -> None:
    found = product(
        title="Chaz Hoodie", description="Warm.", category="Tops", color="Red", sizes=["XS"], price=3, legs=4
    )
    assert set(words(found).replace(",", " ").split()) == {"Chaz", "Hoodie", "Warm.", "Tops", "Red", "XS"}


def test_a_single_colour_is_of_the_subject() -> None:
    assert subject_text(product(title="Hoodie", color="Red")) == "Red, Hoodie"
    assert details_text(product(title="Hoodie", color=["Red"])) is None


def test_a_image_alone_has_no_words() -> None:
    found = product(group_id="G", currency="EUR", language="en", price=3, in_stock=True, legs=4, old=False)
    assert (title_text(found), subject_text(found), details_text(found)) == (None, None, None)
    assert (text_parts(found), words(found)) == ([], "")


def test_only_short_attributes_are_facts() -> None:
    found = product(
        short="x" * MAX_SHORT, long="y" * (MAX_SHORT + 1), mixed=["a", 1, None, "z" * 65], objects=[{"a": "b"}]
    )
    assert text_parts(found) == ["x" * MAX_SHORT, "a"]


def test_a_category_a_brand_and_a_tag_count_however_long() -> None:
    found = product(category="c" * 99, brand="b" * 99, tags=["t" * 99])
    assert text_parts(found) == [f"{'c' * 99}, {'b' * 99}", "t" * 99]


def test_what_is_embedded_is_bounded_and_what_is_searched_for_by_words_is_not() -> None:
    long = product(title="t " * 10**6, category="c " * 10**6, description="d " * 10**6)
    assert [len(part) for part in text_parts(long)] == 2 * [MAX_EMBEDDED]
    assert len(words(long)) > 5 * 10**6


def test_a_fact_is_said_once() -> None:
    found = product(brand="Acme", maker="Acme", category="Chairs", tags=["Chairs", "new", "new"])
    assert text_parts(found) == ["Chairs, Acme", "new"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Men/Tops/Hoodies & Sweatshirts", "Men, Tops, Hoodies & Sweatshirts"),
        ("Men > Tops | Tees", "Men, Tops, Tees"),
        ("color_blocked", "color blocked"),
        ("1/2 inch", "1/2 inch"),
        ("24/7", "24/7"),
    ],
)
def test_paths_are_their_steps(path: str, said: str) -> None:
    assert subject_text(product(path=path)) == said


def test_a_title_of_nothing_but_tags_is_none() -> None:
    assert title_text(product(title="<br>")) is None
