"""Images that a row holds itself."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import product_from_row
from images import ImageLimits, hash_bytes
from schemas import ImageDamaged, ImageSourceUnsupported, ImageTooLarge, RowError

IMAGE = b"\x89PNG\r\n\x1a\nnot really"
SOURCE = f"picture:{hash_bytes(IMAGE)}"
BASE64 = base64.b64encode(IMAGE).decode()


@pytest.mark.parametrize(
    "value",
    [
        IMAGE,
        bytearray(IMAGE),
        memoryview(IMAGE),
        {"bytes": IMAGE, "path": "a.png"},
        {"bytes": IMAGE},
        f"data:image/png;base64,{BASE64}",
        f"DATA:image/png;charset=x;BASE64,{BASE64}",
        f"data:;base64,{BASE64.rstrip('=')}",
        f"data:;base64,{BASE64[:9]}\n {BASE64[9:]}",
        f"data:;base64,{quote(BASE64)}",
        f"data:;base64,{base64.urlsafe_b64encode(IMAGE).decode()}",
        f"data:,{quote(IMAGE)}",
        {"bytes": f"data:;base64,{BASE64}", "path": None},
    ],
)
def test_its_source_is_its_hash(value: Any) -> None:
    product, errors, inline, _ = product_from_row({"id": "1", "image": value})
    assert (product.images, errors, inline) == ((SOURCE,), (), {SOURCE: IMAGE})


def test_bytes_come_beside_paths_and_urls_and_the_same_ones_once() -> None:
    row = {"id": "1", "image": "a.jpg", "images": [IMAGE, "https://shop.example/b.jpg", IMAGE, {"path": "c.jpg"}]}
    product, errors, inline, _ = product_from_row(row)
    assert product.images == ("a.jpg", SOURCE, "https://shop.example/b.jpg", "c.jpg")
    assert (errors, list(inline)) == ((), [SOURCE])
    again = product_from_row(product.to_row())
    assert (again.product, again.inline) == (product, {})


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        (b"", ImageSourceUnsupported, "no bytes"),
        ("data:image/png;base64,", ImageSourceUnsupported, "no bytes"),
        ("data:image/png;base64", ImageDamaged, "comma"),
        ("data:image/png;base64,***", ImageDamaged, "base64"),
        ("data:image/png;base64,AAAAA", ImageDamaged, "base64"),
        ("data:image/png;base64,é", ImageDamaged, "base64"),
        (f"data:{'x' * 1000},AAAA", ImageDamaged, "comma"),
        (bytes(ImageLimits().max_bytes + 1), ImageTooLarge, "more than"),
        ({"bytes": 7}, ImageSourceUnsupported, "a number"),
        ({"bytes": IMAGE, "url": "x"}, ImageSourceUnsupported, "an object"),
    ],
)
def test_a_bad_one_costs_only_the_image_and_is_not_shown_whole(value: Any, error: type[Exception], says: str) -> None:
    for column in ("image", "images"):
        product, errors, inline, _ = product_from_row({"id": "1", "title": "x", column: value})
        assert (product.images, inline) == ((), {})
        assert [type(e) for e in errors] == [error]
        assert says in errors[0].message
        assert len(errors[0].message) < 300


def test_too_large_a_uri_is_told_before_it_is_decoded() -> None:
    _, errors, *_ = product_from_row({"id": "1", "title": "x", "image": "data:;base64," + "A" * 50_000_000})
    assert [type(error) for error in errors] == [ImageTooLarge]


@given(st.binary(min_size=1, max_size=100))
def test_any_bytes_come_back(data: bytes) -> None:
    uri = "data:x/y;base64," + base64.b64encode(data).decode()
    assert list(product_from_row({"id": "1", "image": uri}).inline.values()) == [data]
    assert list(product_from_row({"id": "1", "image": "data:," + quote(data)}).inline.values()) == [data]


@given(st.text(max_size=60))
def test_any_text_after_data_is_a_image_or_its_error(text: str) -> None:
    try:
        product_from_row({"id": "1", "image": "data:" + text})
    except RowError as error:
        error.message.encode()
