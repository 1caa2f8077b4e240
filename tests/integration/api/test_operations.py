"""The service around the search: keys, hosts, health, metrics, the page, and the change of generations."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.settings import parse
from tests.integration.api.conftest import Drawn
from tests.support.serving import client, ingest
from tests.support.waiting import within


def write_lamps(path: Path, count: int) -> Path:
    rows = [{"id": f"lamp-{n}", "title": f"Lamp {n}"} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_nothing_ingested_is_not_ready_and_a_first_ingest_is_picked_up(tmp_path: Path) -> None:
    with client(tmp_path / "data") as api:
        assert api.get("/healthz").json() == {"status": "ok"}
        for refused in (api.get("/readyz"), api.post("/v1/search", json={"text": "lamp"}), api.get("/v1/catalog")):
            assert (refused.status_code, refused.json()["code"]) == (503, "index-missing")
            assert "python -m ingest" in refused.json()["detail"]
        ingest(write_lamps(tmp_path / "lamps.jsonl", 3), tmp_path / "data")
        assert within(10, lambda: api.get("/readyz").status_code == 200)
        assert api.get("/readyz").json()["status"] == "ready"
        assert api.get("/v1/catalog").json()["products"] == 3


def test_a_new_generation_is_picked_up_and_no_request_fails_meanwhile(tmp_path: Path) -> None:
    lamps, data = tmp_path / "lamps.jsonl", tmp_path / "data"
    ingest(write_lamps(lamps, 3), data)
    failed: list[str] = []
    stop = threading.Event()
    with client(data) as api:

        def ask() -> None:
            while not stop.is_set():
                response = api.post("/v1/search", json={"text": "lamp", "explain": True, "facets": ["id"]})
                if response.status_code != 200 or response.json()["total"]["value"] < 3:
                    failed.append(response.text)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for count in (4, 5):
                ingest(write_lamps(lamps, count), data)
                assert within(10, lambda count=count: api.get("/v1/catalog").json()["products"] == count)  # type: ignore[misc]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert failed == []
    assert list((data / "products/views").glob("0*")) == []


class TestKeys:
    def test_are_asked_for_everywhere_but_for_health_and_the_page(self, drawn: Drawn) -> None:
        with client(drawn.data, api_keys="first,second") as api:
            for path in (
                "/v1/catalog",
                "/v1/products/x",
                "/v1/products/x/similar",
                "/v1/products/x/images/0",
                "/metrics",
            ):
                refused = api.get(path)
                assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
                assert refused.headers["content-type"] == "application/problem+json"
            for path in ("/v1/search", "/v1/search/image"):
                assert api.post(path, json={}).status_code == 401
            for path in ("/healthz", "/readyz", "/", "/page/index.html"):
                assert api.get(path).status_code == 200

    @pytest.mark.parametrize(
        ("header", "status"),
        [
            ("Bearer first", 200),
            ("Bearer second", 200),
            ("Bearer third", 401),
            ("Bearer first,second", 401),
            ("Bearer ", 401),
            ("Basic first", 401),
            ("Bearer sch\xfcssel", 401),
        ],
    )
    def test_are_bearer_tokens(self, drawn: Drawn, header: str, status: int) -> None:
        with client(drawn.data, api_keys="first,second") as api:
            headers = {"Authorization": header.encode("latin-1")}
            assert api.get("/v1/catalog", headers=headers).status_code == status  # type: ignore[arg-type]


def test_without_a_key_a_page_of_another_name_is_refused(api: TestClient) -> None:
    assert api.get("/v1/catalog", headers={"Host": "evil.example"}).status_code == 400
    for host in ("localhost", "127.0.0.1:8000", "localhost:80"):
        assert api.get("/v1/catalog", headers={"Host": host}).status_code == 200


def test_with_a_key_any_name_may_be_asked(drawn: Drawn) -> None:
    with client(drawn.data, api_keys="key", host="0.0.0.0") as api:
        headers = {"Host": "shop.example", "Authorization": "Bearer key"}
        assert api.get("/v1/catalog", headers=headers).status_code == 200


def test_the_command_refuses_to_be_reachable_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(["--host", "0.0.0.0"])
    assert refused.value.code == 2
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith("python -m api: error: host '0.0.0.0' can be reached from other")
    assert "STORELENS_API_KEYS" in said


def test_metrics_count_by_route_and_not_by_id(api: TestClient) -> None:
    api.get("/v1/products/star-plain-red")
    api.post("/v1/search", json={"text": "star"})
    metrics = api.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "storelens_products 48.0" in metrics.text
    assert 'storelens_http_requests_total{method="POST",route="/v1/search",status="200"}' in metrics.text
    assert "star-plain-red" not in metrics.text
    assert "storelens_encode_seconds_count" in metrics.text


def test_the_page_loads_nothing_from_elsewhere(api: TestClient) -> None:
    page = api.get("/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert (page.headers["x-content-type-options"], page.headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert api.get("/page/../app.py").status_code == 404
    assert api.get("/page/%2e%2e/app.py").status_code == 404


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nope", 404), ("GET", "/v1/search", 405)])
def test_what_is_not_there_is_a_problem_too(api: TestClient, method: str, path: str, status: int) -> None:
    response = api.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
