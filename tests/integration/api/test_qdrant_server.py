"""The service on an index that a server holds: its bad days, its guests, and how often it is asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from qdrant_client import models

from api.serving import DOCUMENTS_SECONDS
from evaluation.audit import audit
from index import IndexSettings, open_store
from index.server.store import ServerStore
from tests.integration.api.test_operations import write_lamps
from tests.support.encoders import HashEncoder
from tests.support.qdrant_server import QdrantServer, qdrant_server
from tests.support.serving import client, ingest
from tests.support.waiting import within

ROOT = Path(__file__).resolve().parents[3]
COLLECTION = "products--000001"
INTERNALS = ("127.0.0.1", "QDRANT", "qdrant", "timed out", "Service internal", "http:")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[QdrantServer]:
    """One that holds three lamps."""
    with qdrant_server() as server:
        ingest(write_lamps(tmp_path / "lamps.jsonl", 3), tmp_path / "data", qdrant_url=server.url)
        yield server


@pytest.fixture
def api(server: QdrantServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(ServerStore, "poll_seconds", 0.05)
    monkeypatch.setattr("api.serving.PROBE_SECONDS", 0.05)
    with client(tmp_path / "data", qdrant_url=server.url, qdrant_seconds=0.3) as api:
        yield api


def _search(api: TestClient, **body: Any) -> Any:
    return api.post("/v1/search", json=body)


class TestABadDay:
    @pytest.mark.parametrize("how", ["stopped", "searches fail"])
    def test_is_told_and_nothing_behind_it(
        self, how: str, api: TestClient, server: QdrantServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert api.get("/readyz").status_code == 200
        if how == "stopped":
            server.running.clear()
        else:
            server.bad_day = lambda asked: (500, "Service internal error: shard 3") if "/points/" in asked else None
        assert within(10, lambda: api.get("/readyz").status_code == 503)
        for refused in (
            api.get("/readyz"),
            _search(api, text="lamp"),
            _search(api, filter={"not": {"id": "nobody"}}),
            api.get("/v1/products/lamp-1/similar"),
        ):
            assert (refused.status_code, refused.json()["code"]) == (503, "index-unavailable")
            assert refused.headers["retry-after"] == "5"
            assert "ask again in 5 seconds" in refused.json()["detail"]
            assert not [word for word in INTERNALS if word in refused.text]
        assert api.get("/healthz").status_code == 200
        assert "storelens_products NaN" in api.get("/metrics").text
        assert server.url in caplog.text  # the log says it all

        server.running.set()
        server.bad_day = lambda _: None
        assert within(10, lambda: api.get("/readyz").status_code == 200)
        assert _search(api, text="lamp").json()["total"]["value"] == 3

    def test_readiness_is_not_asked_of_the_server_for_each_who_asks(
        self, api: TestClient, server: QdrantServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.serving.PROBE_SECONDS", 60)
        api.get("/readyz")
        before = sum("/points/" in asked for asked in server.asked)
        for _ in range(20):
            assert api.get("/readyz").status_code == 200
        assert sum("/points/" in asked for asked in server.asked) == before


def test_at_rest_one_question_a_look_is_asked(api: TestClient, server: QdrantServer) -> None:
    """One for a newer generation, and one for documents."""
    server.asked.clear()
    assert within(
        10, lambda: server.asked.count("GET /collections/products") > 5 and "GET /collections" in server.asked
    )
    assert set(server.asked) == {"GET /collections/products", "GET /collections"}


def test_how_often_looks_are_taken() -> None:
    assert (ServerStore.poll_seconds, DOCUMENTS_SECONDS) == (2.0, 0.5)


def test_a_run_is_noticed(api: TestClient, server: QdrantServer, tmp_path: Path) -> None:
    ingest(write_lamps(tmp_path / "lamps.jsonl", 5), tmp_path / "data", qdrant_url=server.url)
    assert within(10, lambda: api.get("/readyz").json()["generation"] == f"{COLLECTION}.2")
    assert api.get("/v1/catalog").json()["products"] == 5


class TestGuests:
    """Points that somebody else wrote into the collection."""

    @staticmethod
    def _write(server: QdrantServer, *points: models.PointStruct) -> None:
        with server.one_at_a_time:
            server.client.upsert(COLLECTION, list(points))

    @staticmethod
    def _point(id: int | str, payload: dict[str, Any]) -> models.PointStruct:
        """As like every question as can be."""
        vector = HashEncoder().encode_texts(["Lamp 1"])[0].tolist()
        return models.PointStruct(id=id, vector={"image": [vector], "title": vector, "text": vector}, payload=payload)

    @pytest.mark.parametrize("told", [True, False], ids=["after a look", "before a look"])
    def test_are_left_out_of_everything(
        self,
        told: bool,
        api: TestClient,
        server: QdrantServer,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        asked: list[dict[str, Any]] = [
            {"text": "lamp", "facets": ["id"], "explain": True},
            {"text": "lamp", "group_by": "id"},
            {"product_id": "lamp-1"},
            {"filter": {"not": {"id": "lamp-1"}}},
            {"filter": {"not": {"id": "nobody"}}, "facets": ["id", "brand"]},
        ]

        def answers() -> list[Any]:
            """Scores aside: how rare a word is, is reckoned from all points."""
            got = [_search(api, **body).json() for body in asked]
            return [({hit["id"] for hit in one["hits"]}, one["total"], one.get("facets")) for one in got]

        before = answers()
        if not told:
            monkeypatch.setattr(ServerStore, "version", lambda _: f"{COLLECTION}.1")
        self._write(
            server,
            self._point(7, {"colour": "red"}),
            self._point("0b5cf2a0-6f56-4b5c-9a55-3f3f0c1f7a11", {"id": 7, "fields": "none", "pictures": "none"}),
            self._point("f0000000-0000-4000-8000-000000000001", {}),
        )
        if told:
            assert within(10, lambda: "points that StoreLens did not write (3)" in caplog.text)
            assert answers() == before
            assert api.get("/v1/catalog").json()["products"] == 3
        for body in asked:
            answer = _search(api, **body)
            assert answer.status_code == 200
            assert {hit["id"] for hit in answer.json()["hits"]} <= {"lamp-0", "lamp-1", "lamp-2"}
        assert api.get("/v1/catalog").status_code == 200
        assert sum("did not write" in record.getMessage() for record in caplog.records) == 1

    def test_are_counted_and_not_deleted(self, server: QdrantServer, tmp_path: Path) -> None:
        guests = [self._point(7, {}), self._point("0b5cf2a0-6f56-4b5c-9a55-3f3f0c1f7a11", {"colour": "red"})]
        self._write(server, *guests)
        with closing(open_store(IndexSettings(qdrant_url=server.url)).open()) as index:
            found = audit(index)
        assert [found[name] for name in ("points", "foreign", "not_unit", "not_finite")] == [3, 2, 0, 0]
        report = ingest(
            write_lamps(tmp_path / "lamps.jsonl", 2),
            tmp_path / "data",
            qdrant_url=server.url,
            prune=True,
            force=True,
        )
        assert (report.unchanged, report.deleted) == (2, 1)
        assert server.client.count(COLLECTION).count == 4


def _api_process(server: QdrantServer, **environment: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STORELENS_")}
    return subprocess.Popen(
        [sys.executable, "-m", "api", "--port", "0", "--qdrant-url", server.url],
        cwd=ROOT,
        env=clean | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_start_that_takes_long_can_be_stopped() -> None:
    """The server that it asks does not answer; loading a model would be the same."""
    with qdrant_server() as server:
        server.running.clear()
        with _api_process(server, STORELENS_QDRANT_SECONDS="3600") as process:
            assert within(60, lambda: bool(server.asked))
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 128 + signal.SIGTERM


def test_the_log_is_of_matters_and_not_of_questions() -> None:
    with qdrant_server() as server, _api_process(server) as process:
        assert within(60, lambda: server.asked.count("GET /collections/products") > 1)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        said = process.stderr.read().splitlines()
        process.wait(timeout=20)
    (line,) = [line for line in said if "storelens" in line]
    assert line.partition(" ")[0].startswith("20")
    assert line.endswith("nothing has been ingested yet: run `python -m ingest CATALOG`")
    assert not [line for line in said if "HTTP" in line]
