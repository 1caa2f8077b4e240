"""Pictures that a row holds itself."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import product_from_row
from images import PictureLimits, hash_bytes
from schemas import PictureDamaged, PictureSourceUnsupported, PictureTooLarge, RowError

PICTURE = b"\x89PNG\r\n\x1a\nnot really"
SOURCE = f"picture:{hash_bytes(PICTURE)}"
BASE64 = base64.b64encode(PICTURE).decode()


@pytest.mark.parametrize(
    "value",
    [
        PICTURE,
        bytearray(PICTURE),
        memoryview(PICTURE),
        {"bytes": PICTURE, "path": "a.png"},
        {"bytes": PICTURE},
        f"data:image/png;base64,{BASE64}",
        f"DATA:image/png;charset=x;BASE64,{BASE64}",
        f"data:;base64,{BASE64.rstrip('=')}",
        f"data:;base64,{BASE64[:9]}\n {BASE64[9:]}",
        f"data:;base64,{quote(BASE64)}",
        f"data:;base64,{base64.urlsafe_b64encode(PICTURE).decode()}",
        f"data:,{quote(PICTURE)}",
        {"bytes": f"data:;base64,{BASE64}", "path": None},
    ],
)
def test_its_source_is_its_hash(value: Any) -> None:
    product, errors, inline, _ = product_from_row({"id": "1", "image": value})
    assert (product.images, errors, inline) == ((SOURCE,), (), {SOURCE: PICTURE})


def test_bytes_come_beside_paths_and_urls_and_the_same_ones_once() -> None:
    row = {"id": "1", "image": "a.jpg", "images": [PICTURE, "https://shop.example/b.jpg", PICTURE, {"path": "c.jpg"}]}
    product, errors, inline, _ = product_from_row(row)
    assert product.images == ("a.jpg", SOURCE, "https://shop.example/b.jpg", "c.jpg")
    assert (errors, list(inline)) == ((), [SOURCE])
    again = product_from_row(product.to_row())
    assert (again.product, again.inline) == (product, {})


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        (b"", PictureSourceUnsupported, "no bytes"),
        ("data:image/png;base64,", PictureSourceUnsupported, "no bytes"),
        ("data:image/png;base64", PictureDamaged, "comma"),
        ("data:image/png;base64,***", PictureDamaged, "base64"),
        ("data:image/png;base64,AAAAA", PictureDamaged, "base64"),
        ("data:image/png;base64,é", PictureDamaged, "base64"),
        (f"data:{'x' * 1000},AAAA", PictureDamaged, "comma"),
        (bytes(PictureLimits().max_bytes + 1), PictureTooLarge, "more than"),
        ({"bytes": 7}, PictureSourceUnsupported, "a number"),
        ({"bytes": PICTURE, "url": "x"}, PictureSourceUnsupported, "an object"),
    ],
)
def test_a_bad_one_costs_only_the_picture_and_is_not_shown_whole(value: Any, error: type[Exception], says: str) -> None:
    for column in ("image", "images"):
        product, errors, inline, _ = product_from_row({"id": "1", "title": "x", column: value})
        assert (product.images, inline) == ((), {})
        assert [type(e) for e in errors] == [error]
        assert says in errors[0].message
        assert len(errors[0].message) < 300


def test_too_large_a_uri_is_told_before_it_is_decoded() -> None:
    _, errors, *_ = product_from_row({"id": "1", "title": "x", "image": "data:;base64," + "A" * 50_000_000})
    assert [type(error) for error in errors] == [PictureTooLarge]


@given(st.binary(min_size=1, max_size=100))
def test_any_bytes_come_back(data: bytes) -> None:
    uri = "data:x/y;base64," + base64.b64encode(data).decode()
    assert list(product_from_row({"id": "1", "image": uri}).inline.values()) == [data]
    assert list(product_from_row({"id": "1", "image": "data:," + quote(data)}).inline.values()) == [data]


@given(st.text(max_size=60))
def test_any_text_after_data_is_a_picture_or_its_error(text: str) -> None:
    try:
        product_from_row({"id": "1", "image": "data:" + text})
    except RowError as error:
        error.message.encode()
