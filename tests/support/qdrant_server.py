"""Qdrant's REST over qdrant-client's emulator: as much of it as StoreLens asks for, and a server's bad days.

It is no Qdrant: it keeps no payload indexes, has no graphs, and is one node.
"""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import TypeAdapter
from qdrant_client import QdrantClient, models

_JSON: TypeAdapter[Any] = TypeAdapter(Any)
NOT_ACTIVE = "Service internal error: 0 of 0 read operations failed"
"""What a node says of a collection that another one has created a moment ago."""


class QdrantServer(ThreadingHTTPServer):
    """``asked`` has every request, as ``GET /collections``.

    ``bad_day`` is asked before each; what it returns is the answer: a status and what is wrong. While ``running`` is
    not set, connections are taken and nothing is answered, as by a process that is stopped.
    """

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        self.client = QdrantClient(":memory:")
        self.one_at_a_time = threading.Lock()
        self.asked: list[str] = []
        self.bad_day: Callable[[str], tuple[int, str] | None] = lambda _: None
        self.running = threading.Event()
        self.running.set()
        super().__init__(("127.0.0.1", port), _Answer)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked did not wait for the answer."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def qdrant_server(port: int = 0) -> Iterator[QdrantServer]:
    server = QdrantServer(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.running.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Answer(BaseHTTPRequestHandler):
    server: QdrantServer
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        self.server.running.wait()
        if wrong := self.server.bad_day(f"{self.command} {path}"):
            self._send(wrong[0], {"status": {"error": wrong[1]}, "time": 0.0})
            return
        with self.server.one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                result = _RESULTS[self._route(path)](self.server.client, path, json.loads(body or "{}"))
            except ValueError as error:
                status = 409 if "already exists" in str(error) else 404 if "not found" in str(error) else 400
                self._send(status, {"status": {"error": str(error)}, "time": 0.0})
                return
        self._send(200, {"result": _JSON.dump_python(result, mode="json"), "status": "ok", "time": 0.0})

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

    def _route(self, path: str) -> str:
        parts = path.strip("/").split("/")
        if len(parts) > 1 and parts[1] != "aliases":
            parts[1] = "{name}"
        return f"{self.command} /{'/'.join(parts)}"

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _name(path: str) -> str:
    return path.split("/")[2]


def _create(client: QdrantClient, path: str, body: Any) -> Any:
    wanted = models.CreateCollection.model_validate(body)
    return client.create_collection(
        _name(path), wanted.vectors, wanted.sparse_vectors, metadata=body.get("metadata"), timeout=None
    )


def _update(client: QdrantClient, path: str, body: Any) -> Any:
    return client.update_collection(_name(path), metadata=body["metadata"])


def _delete_points(client: QdrantClient, path: str, body: Any) -> Any:
    return client.delete(_name(path), models.PointIdsList.model_validate(body))


def _batch(client: QdrantClient, path: str, body: Any) -> Any:
    operations = TypeAdapter(list[models.UpdateOperation]).validate_python(body["operations"])
    return client.batch_update_points(_name(path), operations)


def _scroll(client: QdrantClient, path: str, body: Any) -> Any:
    wanted = models.ScrollRequest.model_validate(body)
    records, following = client.scroll(
        _name(path),
        wanted.filter,
        wanted.limit or 10,
        order_by=wanted.order_by,
        offset=wanted.offset,
        with_payload=wanted.with_payload if wanted.with_payload is not None else True,
    )
    return {"points": records, "next_page_offset": following}


def _retrieve(client: QdrantClient, path: str, body: Any) -> Any:
    wanted = models.PointRequest.model_validate(body)
    payload = True if wanted.with_payload is None else wanted.with_payload
    return client.retrieve(_name(path), wanted.ids, with_payload=payload, with_vectors=wanted.with_vector or False)


def _count(client: QdrantClient, path: str, body: Any) -> Any:
    return client.count(_name(path), models.CountRequest.model_validate(body).filter)


def _facet(client: QdrantClient, path: str, body: Any) -> Any:
    wanted = models.FacetRequest.model_validate(body)
    return client.facet(_name(path), wanted.key, wanted.filter, wanted.limit or 10)


def _query(client: QdrantClient, path: str, body: Any) -> Any:
    return client.query_batch_points(_name(path), models.QueryRequestBatch.model_validate(body).searches)


_DONE = {"operation_id": 0, "status": "completed"}
_RESULTS: dict[str, Callable[[QdrantClient, str, Any], Any]] = {
    "GET /collections": lambda client, path, body: client.get_collections(),
    "GET /collections/{name}": lambda client, path, body: client.get_collection(_name(path)),
    "GET /collections/{name}/exists": lambda client, path, body: {"exists": client.collection_exists(_name(path))},
    "PUT /collections/{name}": _create,
    "PATCH /collections/{name}": _update,
    "DELETE /collections/{name}": lambda client, path, body: client.delete_collection(_name(path)),
    "GET /aliases": lambda client, path, body: client.get_aliases(),
    "POST /collections/aliases": lambda client, path, body: client.update_collection_aliases(
        models.ChangeAliasesOperation.model_validate(body).actions
    ),
    "PUT /collections/{name}/index": lambda client, path, body: _DONE,
    "PUT /collections/{name}/points": lambda client, path, body: client.upsert(
        _name(path), models.PointsList.model_validate(body).points
    ),
    "POST /collections/{name}/points": _retrieve,
    "POST /collections/{name}/points/delete": _delete_points,
    "POST /collections/{name}/points/batch": _batch,
    "POST /collections/{name}/points/scroll": _scroll,
    "POST /collections/{name}/points/count": _count,
    "POST /collections/{name}/points/query/batch": _query,
    "POST /collections/{name}/facet": _facet,
}
