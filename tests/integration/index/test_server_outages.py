"""A Qdrant server that is away for a while: a job waits for it, a search does not."""

from __future__ import annotations

import itertools
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from index.server.deadline import deadline
from index.server.store import ServerStore
from index.settings import IndexSettings
from schemas import IndexLocked, IndexUnavailable
from tests.support.points import index_record, make_point
from tests.support.qdrant_server import NOT_ACTIVE, QdrantServer, qdrant_server

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")

_NOTHING = json.dumps({"result": {"aliases": []}, "status": "ok", "time": 0.0}).encode()


class _Script(HTTPServer):
    """Answers each request by the next status, 0 by hanging up, and then always well."""

    def __init__(self, statuses: list[int], port: int = 0) -> None:
        self.statuses = statuses
        self.asked = 0
        super().__init__(("127.0.0.1", port), _Answer)


class _Answer(BaseHTTPRequestHandler):
    server: _Script

    def do_GET(self) -> None:
        self.server.asked += 1
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(_NOTHING)))
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(_NOTHING)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _serving(*statuses: int, port: int = 0) -> Iterator[_Script]:
    server = _Script(list(statuses), port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _store(port: int, **options: float) -> ServerStore:
    return ServerStore.connect(IndexSettings(qdrant_url=f"http://127.0.0.1:{port}"), **options)


def test_a_job_waits_for_a_server_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    with _serving(503, 0, 500, 429) as server:
        store = _store(server.server_port)
        with store.retries.waiting():
            assert store.record() is None
            assert store.record() is None
    assert server.asked == 6
    # Once that it went, once that it came back.
    assert ["is away (status 503); waiting up to 300 s" in caplog.text, "is back after" in caplog.text] == [True, True]
    assert len(caplog.records) == 2


def test_a_job_waits_for_a_server_that_is_not_there_yet() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    store = _store(port)
    with ExitStack() as stack:

        class Start(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                if "is away" in record.getMessage():
                    stack.enter_context(_serving(port=port))

        log, start = logging.getLogger("index.server.retries"), Start()
        log.addHandler(start)
        try:
            with store.retries.waiting():
                assert store.record() is None
        finally:
            log.removeHandler(start)


@pytest.mark.parametrize("status", [503, 0, 429])
def test_a_search_does_not_wait(status: int, caplog: pytest.LogCaptureFixture) -> None:
    with _serving(status) as server:
        store = _store(server.server_port)
        with pytest.raises(IndexUnavailable):
            store.record()
        assert server.asked == 1
        assert store.record() is None
    assert caplog.records == []


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_what_a_server_refuses_is_not_asked_again(status: int) -> None:
    with _serving(status) as server:
        store = _store(server.server_port)
        with store.retries.waiting(), pytest.raises(IndexUnavailable):
            store.record()
    assert server.asked == 1


def test_waiting_has_an_end() -> None:
    with _serving(*[503] * 100) as server:
        store = _store(server.server_port, away_seconds=0.3)
        with store.retries.waiting(), pytest.raises(IndexUnavailable, match="503"):
            store.record()
    assert 1 < server.asked < 10


class _Forgetful(QdrantClient):
    """Its answers to a creation get lost, and asked again it refuses: that is there already."""

    def create_collection(self, collection_name: str, *args: Any, **kwargs: Any) -> bool:
        super().create_collection(collection_name, *args, **kwargs)
        self.refuse()
        return True

    def refuse(self) -> None:
        raise UnexpectedResponse(409, "Conflict", b"already exists", {})  # type: ignore[arg-type]


class _Refusing(_Forgetful):
    """It creates nothing."""

    def create_collection(self, collection_name: str, *args: Any, **kwargs: Any) -> bool:
        self.refuse()
        return False


def test_a_creation_whose_answer_was_lost_is_gone_on_with(tmp_path: Path) -> None:
    store = ServerStore(_Forgetful(":memory:"), IndexSettings(data_dir=tmp_path), "server")
    with store.lock():
        build = store.begin(index_record())
        build.upsert([make_point(1)])
        build.commit()
    assert store.open().count() == 1


def test_a_creation_that_is_refused_is_an_error(tmp_path: Path) -> None:
    store = ServerStore(_Refusing(":memory:"), IndexSettings(data_dir=tmp_path), "server")
    with pytest.raises(IndexUnavailable, match="already exists"):
        store.begin(index_record())
    with pytest.raises(IndexLocked), store.lock():  # another job's lock, which is gone again each time it is looked at
        pass


def _not_active(times: int, path: str) -> Callable[[str], tuple[int, str] | None]:
    """A node that has just heard of a collection."""
    left = itertools.repeat((500, NOT_ACTIVE), times)
    return lambda asked: next(left, None) if asked.startswith(path) else None


def _stores(server: QdrantServer, folder: Path, count: int) -> list[ServerStore]:
    """Of as many machines."""
    return [
        ServerStore.connect(IndexSettings(qdrant_url=server.url, data_dir=folder / str(number)))
        for number in range(count)
    ]


def test_what_another_node_has_just_created_is_asked_for_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with qdrant_server() as server:
        job, reader = _stores(server, tmp_path, 2)
        server.bad_day = _not_active(3, "GET /collections/products--000001")
        with job.lock():
            build = job.begin(index_record())
            build.upsert([make_point(1)])
            build.commit()
        server.bad_day = _not_active(3, "GET /collections/products--000001")
        assert reader.open().count() == 1
        assert reader.version() == "products--000001.1"
    assert caplog.records == []


def test_what_is_never_active_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.server.retries.ACTIVATION_SECONDS", 0.2)
    with qdrant_server() as server:
        server.bad_day = lambda _: (500, NOT_ACTIVE)
        with pytest.raises(IndexUnavailable, match="0 of 0"):
            _stores(server, tmp_path, 1)[0].version()


def test_of_jobs_on_nodes_that_know_late_one_writes_and_the_others_are_told(tmp_path: Path) -> None:
    with qdrant_server() as server:
        for race in range(10):
            jobs = _stores(server, tmp_path / str(race), 3)
            server.bad_day = _not_active(4, "GET /collections/products--lock-")
            tried, together = threading.Barrier(len(jobs)), threading.Barrier(len(jobs))

            def write(
                job: ServerStore, tried: threading.Barrier = tried, together: threading.Barrier = together
            ) -> str | None:
                together.wait()
                try:
                    with job.lock(wait=0):
                        tried.wait()
                except IndexLocked as locked:
                    tried.wait()
                    return locked.message
                return None

            with ThreadPoolExecutor(len(jobs)) as pool:
                said = list(pool.map(write, jobs))
            assert said.count(None) == 1
            assert all("another job is writing to this index (process" in told for told in said if told)


class _Cluster(QdrantClient):
    """It remembers how a collection was asked for, and says that it is so."""

    asked: tuple[int | None, int | None] = (None, None)

    def create_collection(self, collection_name: str, *args: Any, **kwargs: Any) -> bool:
        if "--lock-" not in collection_name:
            self.asked = kwargs.get("shard_number"), kwargs.get("replication_factor")
        return super().create_collection(collection_name, *args, **kwargs)

    def get_collection(self, collection_name: str, **kwargs: Any) -> models.CollectionInfo:
        info = super().get_collection(collection_name, **kwargs)
        info.config.params.shard_number, info.config.params.replication_factor = self.asked
        return info


def test_shards_and_copies_are_of_a_new_collection(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = _Cluster(":memory:")

    def job(**layout: int) -> None:
        store = ServerStore(client, IndexSettings.model_validate({"data_dir": tmp_path, **layout}), "server")
        with store.lock():
            build = store.begin(index_record())
            build.upsert([make_point(1)])
            build.commit()

    job(shards=3, replicas=2)
    assert client.asked == (3, 2)
    job(shards=3, replicas=2)
    job()
    assert caplog.records == []
    job(shards=3, replicas=1)
    assert "keeps the 2 replicas it was made with, not 1" in caplog.text


@pytest.mark.parametrize(("url", "proxied"), [("http://127.0.0.1:9", False), ("https://127.0.0.1:9", True)])
def test_a_proxy_is_for_addresses_with_tls(url: str, proxied: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers are given one for the way out, and the server beside them is not out there."""
    with qdrant_server() as proxy:  # which knows no CONNECT
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(IndexUnavailable) as raised:
            ServerStore.connect(IndexSettings(qdrant_url=url)).version()
        assert proxy.asked == []
    assert ("501" in raised.value.message) is proxied
    assert ("refused" in raised.value.message) is not proxied


def test_a_deadline_is_kept_over_all_that_is_asked_within_it(tmp_path: Path) -> None:
    with qdrant_server() as server:
        (store,) = _stores(server, tmp_path, 1)
        with store.lock():
            build = store.begin(index_record())
            build.upsert([make_point(1)])
            build.commit()
        index = store.open()
        server.running.clear()
        with deadline(0.2):
            for _ in range(20):  # a minute each without it
                with pytest.raises(IndexUnavailable, match="does not answer"):
                    index.count()
        server.running.set()
        with deadline(60):
            assert index.count() == 1
