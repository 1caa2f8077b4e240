"""What /openapi.json says of the service, and that it is so."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from tests.integration.api.conftest import Drawn
from tests.support.serving import client, served

ROOT = Path(__file__).resolve().parents[3]
STAR = "star-plain-red"
GETS = {
    "/healthz": "/healthz",
    "/readyz": "/readyz",
    "/metrics": "/metrics",
    "/v1/catalog": "/v1/catalog",
    "/v1/products/{id}": f"/v1/products/{STAR}",
    "/v1/products/{id}/similar": f"/v1/products/{STAR}/similar",
    "/v1/products/{id}/images/{n}": f"/v1/products/{STAR}/images/0",
    "/v1/moderation/queue": "/v1/moderation/queue",
}
QUERIES = {"/v1/search", "/v1/search/image", "/v1/classify", "/v1/classify/image", "/v1/moderate"}
"""POSTs that may have a query image."""
POSTS = QUERIES | {"/v1/classify/catalog", "/v1/moderation/appeals", "/v1/moderation/judge"}
DOCUMENTS, DOCUMENT = "/v1/documents/{kind}", "/v1/documents/{kind}/{name}"


@pytest.fixture(scope="module")
def description(api: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def keyed(drawn: Drawn) -> Iterator[TestClient]:
    with client(drawn.data, api_keys="key", image_urls=True) as opened:
        yield opened


def operations(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By path; of documents, which have several, as ``PUT /v1/documents/{kind}/{name}``."""
    return {
        f"{method.upper()} {path}" if path == DOCUMENT else path: operation
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_is_described(description: dict[str, Any]) -> None:
    assert {(path, *methods) for path, methods in description["paths"].items()} == {
        *((path, "get") for path in GETS),
        *((path, "post") for path in POSTS),
        (DOCUMENTS, "get"),
        (DOCUMENT, "get", "put", "delete"),
    }


def test_every_answer_but_the_good_one_is_a_problem(description: dict[str, Any], keyed: TestClient) -> None:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operation in operations(description).items():
        answers = operation["responses"]
        assert {"400", "408", "422", "431", "500"} <= answers.keys()
        assert ("200" in answers) == ("DELETE" not in path)
        assert all(answer["content"] == problem for status, answer in answers.items() if not status.startswith("2"))
        assert ("503" in answers) == (path != "/healthz")
        assert ("404" in answers) == (
            path in POSTS or "{id}" in path or path in (f"GET {DOCUMENT}", f"DELETE {DOCUMENT}")
        )
        assert ({"413", "415"} <= answers.keys()) == (path in POSTS or "PUT" in path)
        assert ("502" in answers) == (path in QUERIES)
        written = "/moderation/" in path or path == "/v1/classify/catalog"
        assert ("403" in answers) == (written or ("{id}" in path and "similar" not in path))
        assert ("412" in answers) == ("PUT" in path or "DELETE" in path)
        assert "401" not in answers
    assert "HTTPValidationError" not in description["components"]["schemas"]
    for path, operation in operations(keyed.get("/openapi.json").json()).items():
        open_to_all = path in ("/healthz", "/readyz")
        assert ("401" in operation["responses"]) == ("security" in operation) == (not open_to_all)


def test_a_problem_is_as_described(api: TestClient, description: dict[str, Any]) -> None:
    described = description["components"]["schemas"]["Problem"]["properties"]
    assert api.post("/v1/search", json={"limit": -1}).json().keys() == described.keys()


def test_answers_have_the_content_types_that_are_described(api: TestClient, description: dict[str, Any]) -> None:
    for path, operation in operations(description).items():
        if path in GETS:
            given = api.get(GETS[path]).headers["content-type"].partition(";")[0]
            assert given in operation["responses"]["200"]["content"]
    assert operations(description)["/metrics"]["responses"]["200"]["content"].keys() == {"text/plain"}


def test_a_search_asks_with_something_and_a_photo_comes_in_one_way(
    api: TestClient, description: dict[str, Any], keyed: TestClient
) -> None:
    body = operations(description)["/v1/search"]["requestBody"]["content"]["application/json"]
    assert [one["required"] for one in body["schema"]["anyOf"]] == [
        ["text"],
        ["image"],
        ["product_id"],
        ["like"],
        ["filter"],
        ["sort"],
    ]
    assert description["components"]["schemas"]["ImageQuery"]["properties"].keys() == {"base64", "crop"}
    fetching = keyed.get("/openapi.json").json()["components"]["schemas"]["ImageQuery"]
    assert [one["required"] for one in fetching["oneOf"]] == [["base64"], ["url"]]
    for example in body["examples"].values():
        response = api.post("/v1/search", json=example["value"])
        assert response.status_code in (200, 404) or response.json()["code"] == "unknown-field"


@pytest.mark.parametrize("path", [*GETS.values(), "/", "/page/page.css", "/openapi.json", "/nope", "/v1/search"])
def test_head_is_as_get_without_the_body(api: TestClient, path: str) -> None:
    got, head = api.get(path), api.head(path)
    assert head.content == b""
    assert head.status_code == got.status_code
    varying = {
        "date",
        "server-timing",
        *(["content-length"] if path in ("/metrics", GETS["/v1/products/{id}/similar"]) else []),
    }
    for headers in (got.headers, head.headers):
        for name in varying:
            headers.pop(name, None)
    assert head.headers == got.headers
    if path == GETS["/v1/catalog"]:
        assert api.post(path).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", [*GETS.values(), *sorted(POSTS), "/openapi.json"])
def test_an_unknown_query_parameter_is_refused(api: TestClient, path: str) -> None:
    method = "POST" if path in POSTS else "GET"
    for query in ("nope=1", "limit=5&nope", "q=red&q=blue", quote("ö") + "=1"):
        response = api.request(method, f"{path}?{query}")
        assert (response.status_code, response.json()["code"]) == (422, "request-invalid"), response.text
        assert response.json()["errors"][0]["field"] in ("nope", "q", "limit", "ö")


def test_a_query_parameter_is_given_once(api: TestClient) -> None:
    response = api.get(f"/v1/products/{STAR}/similar?limit=5&limit=6")
    assert (response.status_code, response.json()["detail"]) == (422, "the query parameter limit is given 2 times")


@pytest.mark.parametrize(
    ("path", "wanted"), [("/v1/search", "application/json"), ("/v1/search/image", "multipart/form-data")]
)
@pytest.mark.parametrize("given", [None, "text/plain", "application/x-www-form-urlencoded", "json", ""])
def test_another_content_type_or_none_is_named(api: TestClient, path: str, wanted: str, given: str | None) -> None:
    response = api.post(path, content=b"{}", headers={} if given is None else {"content-type": given})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")
    assert wanted in response.json()["detail"]
    assert (given or "it has no Content-Type") in response.json()["detail"]


@pytest.mark.parametrize("given", ["application/json", "Application/JSON; charset=utf-8", "application/json;x=y"])
def test_a_content_type_may_have_parameters(api: TestClient, given: str) -> None:
    assert api.post("/v1/search", content=b'{"text":"a"}', headers={"content-type": given}).status_code == 200


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 100_000, b"\xff\xfe", b'{"text": "a", "text": "b"}', b"", b'{"limit": NaN}']
)
def test_one_fault_has_one_status_in_json_and_in_a_form(api: TestClient, body: bytes) -> None:
    plain = api.post("/v1/search", content=body, headers={"content-type": "application/json"})
    assert (plain.status_code, plain.json()["code"]) == (422, "request-invalid")
    if body:  # an empty part is a request that leaves everything out
        form = api.post("/v1/search/image", files={"file": b"photo", "request": body})
        assert (form.status_code, form.json()["code"]) == (422, "request-invalid")


def test_schemathesis_finds_nothing(drawn: Drawn, tmp_path: Path) -> None:
    data = shutil.copytree(drawn.data, tmp_path / "data")  # it writes documents
    with served(data, review_keys="key", image_urls=True, picture_hosts="nowhere.invalid") as service:
        program = Path(sys.executable).with_name("schemathesis")
        command = [str(program), "--config-file", str(ROOT / "schemathesis.toml")]
        command += ["run", f"{service.url}/openapi.json", "--header", "Authorization: Bearer key", "--no-color"]
        command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--generation-deterministic"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 selected / 20 total" in done.stdout
