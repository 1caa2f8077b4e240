from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import catalog.hashes
from catalog import (
    OPAQUE,
    STANDARD_FIELDS,
    StoredImage,
    StoredState,
    hash_json,
    hash_row,
    hash_words,
    image_sources,
    payload,
    point_id,
    product_from_row,
    shown_product,
    stored_state,
    title_key,
)
from images import hash_bytes
from schemas import Product

ROW: dict[str, Any] = {
    "id": "1",
    "title": "Salt &amp;  Pepper",
    "image": "a.jpg",
    "images": ["b.jpg"],
    "color": "red",
    "price": 2.5,
    "size": 3,
}
KINDS = STANDARD_FIELDS | {"size": "integer"}


def product(**columns: Any) -> Product:
    return product_from_row(ROW | columns).product


def state(found: Product, *, root: str = "/shop", image: str = "p") -> StoredState:
    return stored_state(found, root=root, images=[StoredImage(0, image, "00ff", "12-34")], row="r")


def test_point_ids_never_change() -> None:
    assert point_id("MH01-Black") == UUID("5971d1aa-962d-54e8-8011-40d7e8efeed8")


@given(st.lists(st.text(min_size=1, max_size=20), min_size=2, max_size=2, unique=True))
def test_every_id_has_a_point_of_its_own(ids: list[str]) -> None:
    try:
        for id in ids:
            id.encode()
    except UnicodeEncodeError:
        return
    assert len({point_id(id) for id in ids}) == 2
    assert point_id(ids[0]) == point_id(ids[0])


@pytest.mark.parametrize("typed", ["red chair", "RED CHAIR", "  Red \t chair\n", "Red\u00a0Chair"])
def test_titles_are_compared_without_case_and_spaces(typed: str) -> None:
    assert title_key(typed) == "red chair"


@given(st.text())
def test_a_title_key_is_its_own_key(title: str) -> None:
    assert title_key(title_key(title)) == title_key(title) == title_key(f" {title} ")


def test_the_payload_has_what_its_module_says() -> None:
    found = product()
    parts = state(found)
    assert payload(found, kinds=KINDS, root="/shop", state=state(found)) == {
        "id": "1",
        "product": ROW | {"title": "Salt & Pepper"},
        "fields": {"id": "1", "price": 2.5, "color": "red", "size": 3},
        "title_key": "salt & pepper",
        "codes": ["1"],
        "root": "/shop",
        "hashes": {"words": parts.words, "lexical": parts.lexical, "payload": parts.payload, "row": "r"},
        "pictures": [{"at": 0, "hash": "p", "phash": "00ff", "mark": "12-34"}],
    }


def test_a_payload_without_a_title_has_no_key_of_one() -> None:
    found = product(title=None)
    assert "title_key" not in payload(found, kinds=KINDS, root="/shop", state=state(found))


def test_hashes_and_images_come_back_from_a_payload() -> None:
    found = product()
    stored = json.loads(json.dumps(payload(found, kinds=KINDS, root="/shop", state=state(found))))
    assert StoredState.from_payload(stored) == state(found)
    assert image_sources(stored) == ["a.jpg", "b.jpg"]
    bare = product(image=None, images=None)
    assert image_sources(payload(bare, kinds=KINDS, root="", state=state(bare))) == []


def test_each_hash_changes_with_its_part_and_with_nothing_else() -> None:
    before = state(product())
    price = state(product(price=3))
    assert (price.words, price.lexical, price.images) == (before.words, before.lexical, before.images)
    assert price.payload != before.payload
    number = state(product(ean=4006381333931))
    assert number.words == before.words and number.lexical != before.lexical
    title = state(product(title="Other"))
    assert title.words != before.words and title.lexical != before.lexical and title.payload != before.payload
    assert state(product(), root="/moved").payload != before.payload
    assert state(product(), root="/moved").words == before.words
    assert state(product(), image="q").payload == before.payload
    assert state(product_from_row(dict(reversed(ROW.items()))).product) == before


def test_another_version_of_the_texts_is_another_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_words(product())
    monkeypatch.setattr(catalog.hashes, "TEXT_VERSION", 10**6)
    assert hash_words(product()) != before


def test_words_that_read_as_they_always_did_have_the_hash_that_they_always_had() -> None:
    row = {
        "id": "KT-1",
        "title": "Salt &amp; <b>Pepper</b>",
        "description": "<p>Two</p>\n<p>lines</p>",
        "brand": "H&amp;M",
    }
    more = {"sku": "KT-1", "tags": ["new"], "sizes": ["S", "M"], "color": "red"}
    assert hash_words(product_from_row(row | more).product) == "e67af2cfe6bc4f02c4185a0b0e437731"


def test_hashes_never_change() -> None:
    assert hash_bytes(b"") == "cae66941d9efbd404e4d88758ea67670"
    assert hash_json({"b": [1, 2.5, None, True], "a": "ü"}) == hash_json({"a": "ü", "b": [1, 2.5, None, True]})
    assert hash_json([1]) != hash_json(["1"])
    with pytest.raises(ValueError, match="JSON"):
        hash_json(float("nan"))


def test_a_payload_of_the_first_format_has_hashes_alone() -> None:
    old = {"hashes": {"words": "w", "pictures": ["p", "q"], "payload": "x"}}
    assert StoredState.from_payload(old) == StoredState(words="w", payload="x", shown=("p", "q"))


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"hashes": "none"},
        {"hashes": {"words": "w"}},
        {"hashes": {"words": "w", "payload": "x"}, "pictures": ["none"]},
        {"hashes": {"words": "w", "payload": "x"}, "pictures": [{"colour": "red"}]},
        {"hashes": {"words": "w", "payload": "x"}, "pictures": 7},
    ],
)
def test_what_storelens_did_not_write_remembers_nothing(payload: dict[str, Any]) -> None:
    assert StoredState.from_payload(payload) is None


def test_a_row_has_another_hash_with_each_of_its_values_and_its_root() -> None:
    before = hash_row(ROW, "/shop")
    assert hash_row(dict(reversed(ROW.items())), "/shop") == before
    assert hash_row(ROW | {"size": 3.5}, "/shop") != before
    assert hash_row(ROW, "/moved") != before
    assert hash_row(ROW | {"image": b"one"}, "/shop") != hash_row(ROW | {"image": b"two"}, "/shop") != ""


@pytest.mark.parametrize("value", [{1: 2, "a": 3}, {1, 2}, "\ud800"])
def test_a_row_of_what_is_no_json_has_no_hash(value: Any) -> None:
    assert hash_row({"id": value}, "") == ""


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("pictures/a.jpg", "pictures/a.jpg"),
        ("/srv/photos/shop/a.jpg", "a.jpg"),
        ("//mnt/photos/a.jpg", "a.jpg"),
        ("https://cdn.example.com/a@2x.jpg?v=1", "https://cdn.example.com/a@2x.jpg?v=1"),
        ("https://shop:secret@cdn.example.com/a@2x.jpg", "https://cdn.example.com/a@2x.jpg"),
        ("https://token@cdn.example.com?x=@", "https://cdn.example.com?x=@"),
        ("picture:0123", "picture:0123"),
    ],
)
def test_callers_are_not_shown_where_on_a_server_images_are_nor_with_what_password(source: str, shown: str) -> None:
    row = {"id": "1", "title": "Chair", "image": source, "images": [source, "b.jpg"], "path": source}
    assert shown_product({"product": row}) == row | {"image": shown, "images": [shown, "b.jpg"]}
    assert shown_product({"product": {"id": "1", "title": "Chair"}}) == {"id": "1", "title": "Chair"}


def test_a_image_on_another_ground_shows_something_else() -> None:
    stored = StoredImage(0, "ab", "phash", "tag")
    assert {replace(stored, ground=ground).shows for ground in (None, OPAQUE, "white")} == {"ab"}
    assert replace(stored, ground="black").shows not in ("ab", replace(stored, ground="grey").shows)
    assert [
        stored.needs_ground(source) for source in ("a.png", "a.jpg", "A.JPEG", "https://x/a.jpg?w=9", "a.jpg.png")
    ] == [*(True, False, False, False, True)]
    assert not replace(stored, ground=OPAQUE).needs_ground("a.png")
