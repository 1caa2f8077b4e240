"""What a request brings: JSON with and without a photo, and forms."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.inputs import JSON_BYTES, MEMBERS, request_of_form, request_of_json
from schemas import BodyTooLarge, ImageTooLarge, NotAImage, RequestError, SearchRequest, StoreLensError

LARGE = base64.b64encode(bytes(range(256)) * 6_000).decode()
"""A photo of 1.5 MB, in base64."""


def read(written: Any) -> SearchRequest:
    body = written if isinstance(written, bytes) else json.dumps(written).encode()
    return request_of_json(bytearray(body), SearchRequest)


@pytest.mark.parametrize("photo", [LARGE[:1000], LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    "spelled",
    [
        str,
        lambda photo: photo.replace("/", "\\/"),  # as PHP writes it
        lambda photo: photo.replace("+", "\\u002b", 5),
        lambda photo: "data:image/png;base64," + photo,
    ],
    ids=["plain", "slashes", "escapes", "data"],
)
@pytest.mark.parametrize(
    "around",
    ['{"image": {"base64": "%s"}, "limit": 3}', '{"limit":3,"image":\n{ "base64" :\t"%s" } }'],
)
def test_a_photo_of_any_size_is_read_as_it_is_written(photo: str, spelled: Any, around: str) -> None:
    body = (around % spelled(photo)).encode()
    assert request_of_json(bytearray(body), SearchRequest) == SearchRequest.model_validate(json.loads(body))


@pytest.mark.parametrize(
    "body",
    [
        {"text": "x" * JSON_BYTES},
        {"text": "x", "filter": {"base64": LARGE}},
        {"image": {"base64": "small"}, "filter": {"base64": LARGE}},
        {"image": {"base64": LARGE}, "text": "x" * JSON_BYTES},
        {f"k{number}": number for number in range(200_000)},
        b" " * (JSON_BYTES + 1),
        b'{"base64":"",' * 200_000,
        b'{"image": {"base64": "' + b"A" * JSON_BYTES * 2,
        b'{"text": "' + b'\\"' * JSON_BYTES + b'"}',
    ],
    ids=lambda body: str(body)[:30],
)
def test_all_but_the_photo_is_small(body: Any) -> None:
    with pytest.raises(BodyTooLarge, match="the photo not counted"):
        read(body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "the body is empty"),
        (b"{", "not valid JSON: Expecting property name"),
        (b'{"text": "a"} b', "not valid JSON: Extra data"),
        (b'{"text": "\xff"}', "it is not UTF-8"),
        ('{"text": "é"}'.encode("utf-16"), "it is not UTF-8"),
        (b'{"text": "a", "text": "b"}', "'text' is given 2 times"),
        (b'{"filter": {"a": 1, "b": 2, "a": 3}}', "'a' is given 2 times"),
        (b'{"image": {"base64": "AA", "base64": "BB"}}', "'base64' is given 2 times"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"filter": ' * 50_000, "nested too deep"),
        (b'{"limit": ' + b"9" * 5_000 + b"}", "a number that is none, or too long"),
        (b'{"filter": {"price": NaN}}', "a number that is none, or too long"),
        (b'{"filter": {"price": -Infinity}}', "a number that is none, or too long"),
        (json.dumps({f"k{number}": 1 for number in range(MEMBERS + 1)}).encode(), "has 1,001 members"),
        (b'{"image": {"base64": "' + LARGE.encode() + b'\\q"}}', "not valid JSON: Invalid"),
        (b'{"image": {"base64": "' + LARGE.encode() + b'\n"}}', "not valid JSON: Invalid control character"),
        (b'{"image": {"base64": "' + LARGE.encode() + b'\xff"}}', "it is not UTF-8"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_json_or_says_a_thing_twice_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        read(body)


def test_a_byte_order_mark_is_no_fault() -> None:
    assert read(b'\xef\xbb\xbf{"text": "a"}') == SearchRequest(text="a")


@given(st.binary(max_size=60) | st.text(st.characters(), max_size=60).map(lambda text: text.encode(errors="replace")))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for bytes_ in (body, b'{"image": {"base64": "' + body + LARGE.encode() + b'"}}'):
        with suppress(RequestError, ValidationError):
            read(bytes_)


def form(*parts: tuple[bytes, bytes]) -> bytearray:
    written = b"".join(b"--x\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % part for part in parts)
    return bytearray(written + b"--x--\r\n")


FILE = (b'name="file"; filename="a.jpg"', b"\r\n--photo\r\n--")


def test_a_form_is_a_photo_and_a_request_in_any_order() -> None:
    for name in (b'name="request"', b"name=request; filename=blob"):
        request = (name, b'{"limit": 3}')
        for parts in ((FILE, request), (request, FILE)):
            assert request_of_form(form(*parts), "multipart/form-data; boundary=x", 100, SearchRequest) == (
                SearchRequest(limit=3),
                FILE[1],
            )
    spelt = 'Multipart/Form-Data; charset=utf-8; boundary="x"'
    assert request_of_form(form(FILE), spelt, 100, SearchRequest)[0] == SearchRequest()


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (form((b'name="foo"', b"1"), FILE), RequestError, "no part 'foo'"),
        (form((b'name="%b"' % (b"k" * 3_000), b"1")), RequestError, r"no part 'k{100}\.\.\.'"),
        (form(FILE, FILE), RequestError, "more than one `file`"),
        (form((b'name="request"', b"{}")), RequestError, "needs one photo"),
        (form(FILE)[:-20], RequestError, "needs one photo"),
        (form((b"name=file; filename=a", b"")), NotAImage, "empty"),
        (form((b"name=file; filename=a", b"A" * 101)), ImageTooLarge, "larger than 100 bytes"),
        (form(FILE, (b"name=request", b" " * (JSON_BYTES + 1))), BodyTooLarge, "`request` is larger"),
        (form(FILE, (b"name=request", b"{")), RequestError, "request is not valid JSON"),
        (form(FILE, (b"name=request", b'{"image": {"base64": "AAAA"}}')), RequestError, "given twice"),
        (bytearray(b"--x\r\n" + b"a: b\r\n" * 100), RequestError, "header count"),
        (bytearray(b"--x\r\na: " + b"b" * 10_000), RequestError, "header size"),
        (bytearray(b"nonsense"), RequestError, "cannot be read"),
        (bytearray(), RequestError, "needs one photo"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_form_is_refused(body: bytearray, error: type[StoreLensError], says: str) -> None:
    with pytest.raises(error, match=says) as refused:
        request_of_form(body, "multipart/form-data; boundary=x", 100, SearchRequest)
    assert type(refused.value) is error


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "x" * 500], ids=["none", "empty", "long"])
def test_a_form_without_a_boundary_is_refused(boundary: str) -> None:
    with pytest.raises(RequestError, match="cannot be read"):
        request_of_form(form(FILE), f"multipart/form-data{boundary}", 100, SearchRequest)
