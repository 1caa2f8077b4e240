"""What is said when a Qdrant server does not answer, or not as it should."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import SecretStr
from qdrant_client import QdrantClient, models

from index.protocols import IndexStore
from index.server.store import ServerStore
from index.settings import IndexSettings
from index.store import open_store
from schemas import ConfigurationError, IndexDamaged, IndexUnavailable
from tests.support.points import index_record


def _store(url: str) -> IndexStore:
    return open_store(IndexSettings(qdrant_url=url, qdrant_api_key=SecretStr("hush"), collection="products"))


@pytest.fixture
def refusing() -> Iterator[str]:
    """A server that wants another key."""

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(403)
            self.end_headers()
            self.wfile.write(b"Forbidden")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Refuse)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_that_is_not_there_is_named() -> None:
    store = _store("http://someone:secret@127.0.0.1:9")
    for ask in (store.open, store.version, store.record, lambda: store.begin(index_record())):
        with pytest.raises(IndexUnavailable, match=r"http://127\.0\.0\.1:9 does not answer") as raised:
            ask()
        assert "secret" not in str(raised.value)
        assert "hush" not in str(raised.value)


def test_a_refused_key_is_named_and_not_shown(refusing: str) -> None:
    with pytest.raises(IndexUnavailable, match="set STORELENS_QDRANT_API_KEY") as raised:
        _store(refusing).version()
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://host:port", "nonsense:1:2"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="STORELENS_QDRANT_URL"):
        _store(url)


def test_collections_of_others_are_left_alone() -> None:
    client = QdrantClient(":memory:")
    client.create_collection("products", vectors_config=models.VectorParams(size=4, distance=models.Distance.DOT))
    store = ServerStore(client, IndexSettings(), "memory")
    with pytest.raises(ConfigurationError, match="not StoreLens's"):
        store.begin(index_record())
    assert client.collection_exists("products")

    client.create_collection("foreign--000001", vectors_config={})
    alias = models.CreateAlias(collection_name="foreign--000001", alias_name="foreign")
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=alias)])
    with pytest.raises(IndexDamaged, match="no StoreLens record"):
        ServerStore(client, IndexSettings(collection="foreign"), "memory").open()
