"""POST /v1/search and /v1/search/image: what they answer and what they refuse."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api.conftest import Drawn
from tests.support.images import bomb, photo
from tests.support.serving import client

STAR = "star-striped-blue"


def assert_problem(response: Any, status: int, code: str, field: str | None = None) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:storelens:problem:{code}")
    assert body["title"]
    assert body["detail"]
    if field is not None:
        assert field in [error["field"] for error in body["errors"]]
        assert all(error["message"] for error in body["errors"])


def written(data: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(data).decode()}


def test_a_search_answers_with_products_and_says_where_the_time_went(api: TestClient) -> None:
    response = api.post("/v1/search", json={"text": "blue striped star", "limit": 3, "facets": ["color"]})
    assert response.status_code == 200
    body = response.json()
    assert body["hits"][0]["id"] == STAR
    assert body["hits"][0]["images"] == [f"/v1/products/{STAR}/images/0"]
    assert body["total"] == {"value": 48, "relation": "eq"}
    assert len(body["hits"]) == 3
    assert response.headers["server-timing"].startswith("encode;dur=")
    assert ", search;dur=" in response.headers["server-timing"]
    following = api.post(
        "/v1/search", json={"text": "blue striped star", "limit": 3, "cursor": body["next_cursor"]}
    ).json()
    assert not {hit["id"] for hit in following["hits"]} & {hit["id"] for hit in body["hits"]}


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        ({}, "request-empty", None),
        ({"facets": ["color"]}, "request-empty", None),
        ({"text": "  "}, "request-invalid", ""),
        ({"txt": "star"}, "request-invalid", "txt"),
        ({"text": 7}, "request-invalid", "text"),
        ({"text": "x" * 4001}, "request-invalid", "text"),
        ({"text": "x", "limit": -1}, "request-invalid", "limit"),
        ({"text": "x", "limit": 101}, "request-invalid", "limit"),
        ({"text": "x", "limit": "10"}, "request-invalid", "limit"),
        ({"text": "x", "sort": [{"field": "price", "order": "up"}]}, "request-invalid", "sort.0.order"),
        ({"image": {"url": "http://localhost/a.jpg"}}, "request-invalid", "image.url"),
        ({"image": "aGFsbG8="}, "request-invalid", "image"),
        ({"filter": {"colour": "red"}}, "unknown-field", "filter.colour"),
        ({"text": "x", "facets": ["colour"]}, "unknown-field", "facets"),
        ({"text": "x", "sort": [{"field": "colour"}]}, "unknown-field", "sort"),
        ({"text": "x", "group_by": "colour"}, "unknown-field", "group_by"),
        ({"filter": {"price": "cheap"}}, "wrong-type", "filter.price"),
        ({"filter": {"brand": {"gte": 1}}}, "wrong-type", "filter.brand"),
        ({"text": "x", "max_per": {"price": 3}}, "wrong-type", "max_per"),
        ({"text": "x", "cursor": "nonsense"}, "cursor-invalid", "cursor"),
        ({"filter": {"id": ["a"] * 300}}, "request-too-large", "filter"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_request_is_refused_and_its_field_named(
    api: TestClient, request_: dict[str, Any], code: str, field: str | None
) -> None:
    assert_problem(api.post("/v1/search", json=request_), 422, code, field)


def test_a_product_that_is_not_there_is_not_found(api: TestClient) -> None:
    assert_problem(api.post("/v1/search", json={"product_id": "nope"}), 404, "product-not-found", "product_id")


IMAGES = [
    (b"just some text", 415, "not-a-picture"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not-a-picture"),
    (photo()[:2000], 415, "picture-damaged"),
    (bomb(), 422, "picture-too-many-pixels"),
]


@pytest.mark.parametrize(("data", "status", "code"), IMAGES, ids=[code for _, _, code in IMAGES])
def test_what_is_no_usable_image_is_refused(api: TestClient, data: bytes, status: int, code: str) -> None:
    assert_problem(api.post("/v1/search", json={"image": written(data)}), status, code)
    assert_problem(api.post("/v1/search/image", files={"file": ("a.jpg", data, "image/jpeg")}), status, code)


def test_what_is_not_base64_is_refused(api: TestClient) -> None:
    refused = api.post("/v1/search", json={"image": {"base64": "not base64!"}})
    assert_problem(refused, 415, "not-a-picture", "image.base64")


class TestForm:
    PHOTO = photo()

    def test_a_photo_alone_is_enough(self, api: TestClient, drawn: Drawn) -> None:
        data = (drawn.catalog.parent / f"pictures/{STAR}.png").read_bytes()
        uploaded = api.post("/v1/search/image", files={"file": ("a.png", data)}).json()
        in_json = api.post("/v1/search", json={"image": written(data)}).json()
        assert [hit["id"] for hit in uploaded["hits"]] == [hit["id"] for hit in in_json["hits"]]

    @pytest.mark.parametrize("first", ["request", "file"])
    @pytest.mark.parametrize(
        "part",
        [
            (None, '{"limit": 2, "filter": {"color": "red"}}'),
            (None, '{"limit": 2, "filter": {"color": "red"}}', "application/json"),
            ("request.json", '{"limit": 2, "filter": {"color": "red"}}', "application/json"),
            ("blob", '{"limit": 2, "filter": {"color": "red"}}'),
        ],
        ids=["field", "typed field", "file", "file without a type"],
    )
    def test_the_request_is_a_part_of_any_kind_and_place(
        self, api: TestClient, first: str, part: tuple[Any, ...]
    ) -> None:
        parts = {"request": part, "file": ("photo.jpg", self.PHOTO, "image/jpeg")}
        ordered = sorted(parts.items(), key=lambda named: named[0] != first)
        response = api.post("/v1/search/image", files=ordered)
        assert response.status_code == 200, response.text
        assert len(response.json()["hits"]) == 2
        assert response.json()["total"]["value"] == 12

    @pytest.mark.parametrize(
        ("parts", "status", "field"),
        [
            ([("request", (None, "{}"))], 422, "file"),
            ([("file", (None, "as a field"))], 422, "file"),
            ([("file", ("a.jpg", b""))], 415, "file"),
            ([("file", ("a.jpg", photo())), ("file", ("b.jpg", photo()))], 422, "file"),
            ([("file", ("a.jpg", photo())), ("request", (None, "{}")), ("request", (None, "{}"))], 422, "request"),
            ([("file", ("a.jpg", photo())), ("request", (None, '{"limit": -1}'))], 422, "request.limit"),
            ([("file", ("a.jpg", photo())), ("request", (None, '{"lim": 1}'))], 422, "request.lim"),
            (
                [("file", ("a.jpg", photo())), ("request", (None, '{"image": {"base64": "eA=="}}'))],
                422,
                "request.image",
            ),
            ([("file", ("a.jpg", photo())), ("request", ("r", b" " * (2**20 + 1)))], 413, "request"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_a_wrong_part_is_named(self, api: TestClient, parts: Any, status: int, field: str) -> None:
        response = api.post("/v1/search/image", files=parts)
        assert_problem(response, status, response.json()["code"], field)

    def test_a_crop_of_the_photo_comes_beside_it(self, api: TestClient) -> None:
        crop = {"x": 0.5, "y": 0, "width": 0.5, "height": 0.25}
        parts: Any = {"file": ("a.jpg", self.PHOTO), "request": (None, json.dumps({"image": {"crop": crop}}))}
        form = api.post("/v1/search/image", files=parts)
        plain = api.post("/v1/search", json={"image": {**written(self.PHOTO), "crop": crop}})
        assert form.status_code == plain.status_code == 200, form.text
        assert form.json()["hits"] == plain.json()["hits"]
        assert form.json()["hits"] != api.post("/v1/search/image", files={"file": self.PHOTO}).json()["hits"]
        assert_problem(api.post("/v1/search", json={"image": {"crop": crop}}), 422, "request-invalid", "image")

    @pytest.mark.parametrize(
        ("crop", "field"),
        [
            ({"x": 0.5, "y": 0, "width": 0.6, "height": 1}, "image.crop"),
            ({"x": 0, "y": 0, "width": 0, "height": 1}, "image.crop.width"),
            ({"x": 40, "y": 0, "width": 200, "height": 100}, "image.crop.x"),
            ({"x": -0.1, "y": 0, "width": 1, "height": 1}, "image.crop.x"),
            ({"x": 0, "y": 0}, "image.crop.width"),
            ([0, 0, 1, 1], "image.crop"),
        ],
    )
    def test_a_crop_that_is_none_is_named(self, api: TestClient, crop: Any, field: str) -> None:
        response = api.post("/v1/search", json={"image": {**written(self.PHOTO), "crop": crop}})
        assert_problem(response, 422, "request-invalid", field)

    @pytest.mark.parametrize("request_", [b"{", b"\xff\xfe", b"[" * 100_000], ids=["cut", "not UTF-8", "deep"])
    def test_a_request_that_is_not_json_is_refused(self, api: TestClient, request_: bytes) -> None:
        parts = {"file": ("a.jpg", self.PHOTO), "request": ("r.json", request_)}
        assert_problem(api.post("/v1/search/image", files=parts), 422, "request-invalid")

    def test_another_kind_of_body_is_refused(self, api: TestClient) -> None:
        assert_problem(api.post("/v1/search/image", json={}), 415, "unsupported-media-type")

    @pytest.mark.parametrize("body", [b"", b"nonsense", b"--x\r\nContent-Disposition: form-data; name=file\r\n"])
    def test_a_broken_form_is_refused(self, api: TestClient, body: bytes) -> None:
        response = api.post(
            "/v1/search/image", content=body, headers={"content-type": "multipart/form-data; boundary=x"}
        )
        assert response.status_code == 422
        assert response.headers["content-type"] == "application/problem+json"
        no_boundary = api.post("/v1/search/image", content=body, headers={"content-type": "multipart/form-data"})
        assert no_boundary.status_code == 422


def test_several_large_photos_are_asked_with_together(api: TestClient) -> None:
    large = written(photo(1600, 1200, "PNG"))
    assert len(large["base64"]) > 2**20
    like = [{"image": large}, {"weight": 2, "image": {"crop": {"x": 0, "y": 0, "width": 1, "height": 1}, **large}}]
    response = api.post("/v1/search", json={"like": like, "text": "star", "image": large, "limit": 1, "explain": True})
    assert response.status_code == 200, response.text
    assert {leg.get("asked") for leg in response.json()["hits"][0]["explain"]["legs"]} >= {"like.0", "like.1"}
    assert_problem(api.post("/v1/search", json={"text": "x" * 2**20, "image": large}), 413, "request-too-large")
    no_image = api.post("/v1/search", json={"like": [{"text": "star"}, {"image": written(b"nonsense")}]})
    assert_problem(no_image, 415, "not-a-picture", "like.1.image")


MOST = 10_000


@pytest.fixture(scope="module")
def small(drawn: Drawn) -> Iterator[TestClient]:
    with client(drawn.data, max_upload_bytes=MOST) as opened:
        yield opened


class TestSize:
    def test_a_body_announced_too_large_is_refused(self, small: TestClient) -> None:
        refused = small.post("/v1/search", content=b" " * (2 * 2**20))
        assert_problem(refused, 413, "request-too-large")

    @pytest.mark.parametrize("path", ["/v1/search", "/v1/search/image"])
    def test_a_body_that_turns_out_too_large_is_refused(self, small: TestClient, path: str) -> None:
        def chunks() -> Iterator[bytes]:
            for _ in range(32):
                yield b" " * 2**16

        headers = {"content-type": "multipart/form-data; boundary=x" if "image" in path else "application/json"}
        assert_problem(small.post(path, content=chunks(), headers=headers), 413, "request-too-large")

    def test_a_photo_too_large_is_refused_in_either_form(self, small: TestClient) -> None:
        data = photo(quality=100)
        assert len(data) > MOST
        assert_problem(small.post("/v1/search", json={"image": written(data)}), 413, "picture-too-large")
        assert_problem(small.post("/v1/search/image", files={"file": ("a.jpg", data)}), 413, "picture-too-large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"text": "\\ud800"}',
        b'{"like": [{"text": "\\ud800"}]}',
        b'{"text": "x", "negative": {"text": "\\ud800", "product_ids": ["\\ud800"]}}',
        b'{"product_id": "\\ud800"}',
        b'{"text": "a\\u0000b"}',
        b'{"\\ud800": 1}',
        b'{"filter": {"\\ud800": 1}}',
        b'{"filter": {"brand": "\\ud800"}}',
        b'{"text": "x", "cursor": "\\ud800"}',
        b'{"text": "x", "facets": ["\\ud800"]}',
        b'{"text": "x", "group_by": "\\ud800"}',
        b'{"text": "x", "sort": [{"field": "\\ud800"}]}',
        b'{"image": {"base64": "\\ud800"}}',
        b'{"filter": {"price": {"gte": NaN}}}',
        b'{"filter": {"price": 1e999}}',
        b'{"filter": {"price": ' + b"9" * 400 + b"}}",
        b'{"filter": ' + b'{"not": ' * 50 + b"{}" + b"}" * 51,
        b'{"filter": ' + b'{"not": ' * 50_000 + b"{}" + b"}" * 50_001,
        b"[" * 200_000,
    ],
    ids=lambda body: repr(body)[2:60],
)
def test_a_hostile_body_is_answered_and_never_an_error_of_ours(api: TestClient, body: bytes) -> None:
    response = api.post("/v1/search", content=body, headers={"content-type": "application/json"})
    assert response.status_code < 500, response.text
    if response.status_code != 200:
        assert response.headers["content-type"] == "application/problem+json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELD = st.sampled_from(["brand", "color", "price", "in_stock", "corners", "group_id", "nope"])
FILTER = st.recursive(
    st.dictionaries(FIELD, JSON | st.fixed_dictionaries({}, optional={"gte": JSON, "lt": JSON}), max_size=3),
    lambda inner: st.fixed_dictionaries({}, optional={"not": inner, "any": st.lists(inner, max_size=2), "all": JSON}),
    max_leaves=4,
)
WORDS = st.lists(
    st.sampled_from(
        ["red", '"', "star", "not", "free", "without", "under", "50", "$", "between", "and", "10", "-", '24"']
    ),
    max_size=6,
).map(" ".join)
WEIGHT = st.floats(0.01, 100) | JSON
LIKE = st.fixed_dictionaries(
    {},
    optional={
        "text": st.just("red star") | JSON,
        "image": st.just(written(photo())) | JSON,
        "product_id": st.just(STAR) | JSON,
        "weight": WEIGHT,
    },
)
NEGATIVE = st.fixed_dictionaries(
    {}, optional={"text": st.just("red") | JSON, "product_ids": st.just([STAR]) | JSON, "weight": WEIGHT}
)
REQUEST = st.fixed_dictionaries(
    {},
    optional={
        "text": st.text(st.characters(), max_size=20) | WORDS | JSON,
        "product_id": st.just(STAR) | JSON,
        "filter": FILTER,
        "facets": st.lists(FIELD, max_size=3) | JSON,
        "sort": st.lists(st.fixed_dictionaries({"field": FIELD}, optional={"order": st.just("desc")}), max_size=3),
        "group_by": FIELD | JSON,
        "limit": st.integers(0, 101) | JSON,
        "cursor": JSON,
        "explain": st.booleans() | JSON,
        "image": JSON,
        "highlight": st.booleans(),
        "interpret": st.booleans(),
        "like": st.lists(LIKE, max_size=3) | JSON,
        "negative": NEGATIVE | JSON,
    },
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(REQUEST | JSON)
def test_no_body_is_an_error_of_ours(api: TestClient, body: Any) -> None:
    response = api.post("/v1/search", content=json.dumps(body), headers={"content-type": "application/json"})
    assert response.status_code in (200, 400, 404, 415, 422), response.text
