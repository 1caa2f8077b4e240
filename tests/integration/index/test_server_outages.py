"""A Qdrant server that is away for a while: a job waits for it, a search does not."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import UnexpectedResponse

from index.server import ServerStore
from index.settings import IndexSettings
from schemas import IndexUnavailable
from tests.support.points import index_record, make_point

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


def _store(port: int) -> ServerStore:
    return ServerStore.connect(IndexSettings(qdrant_url=f"http://127.0.0.1:{port}"))


def test_a_job_waits_for_a_server_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    with _serving(503, 0, 500, 429) as server:
        store = _store(server.server_port)
        with store._patience.waiting():
            assert store.version() is None
            assert store.version() is None
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

        log, start = logging.getLogger("index.patience"), Start()
        log.addHandler(start)
        try:
            with store._patience.waiting():
                assert store.version() is None
        finally:
            log.removeHandler(start)


@pytest.mark.parametrize("status", [503, 0, 429])
def test_a_search_does_not_wait(status: int, caplog: pytest.LogCaptureFixture) -> None:
    with _serving(status) as server:
        store = _store(server.server_port)
        with pytest.raises(IndexUnavailable):
            store.version()
        assert server.asked == 1
        assert store.version() is None
    assert caplog.records == []


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_what_a_server_refuses_is_not_asked_again(status: int) -> None:
    with _serving(status) as server:
        store = _store(server.server_port)
        with store._patience.waiting(), pytest.raises(IndexUnavailable):
            store.version()
    assert server.asked == 1


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with _serving(*[503] * 100) as server:
        store = _store(server.server_port)
        monkeypatch.setattr(store._patience, "_seconds", 0.3)
        with store._patience.waiting(), pytest.raises(IndexUnavailable, match="503"):
            store.version()
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


def test_a_creation_whose_answer_was_lost_is_gone_on_with() -> None:
    store = ServerStore(_Forgetful(":memory:"), "products", "server")
    with store.lock():
        build = store.begin(index_record())
        build.upsert([make_point(1)])
        build.commit()
    assert store.open().count() == 1


def test_a_creation_that_is_refused_is_an_error() -> None:
    store = ServerStore(_Refusing(":memory:"), "products", "server")
    with pytest.raises(IndexUnavailable, match="already exists"):
        store.begin(index_record())
    with pytest.raises(IndexUnavailable, match="already exists"), store.lock():
        pass
