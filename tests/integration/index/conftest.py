"""The engines that the contract suite runs on."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from qdrant_client import QdrantClient

from index.edge.store import EmbeddedStore
from index.protocols import IndexStore
from index.server.store import ServerStore
from index.settings import IndexSettings
from index.store import open_store

SERVER = os.environ.get("STORELENS_QDRANT_URL")


def embedded(folder: Path) -> Iterator[IndexStore]:
    yield EmbeddedStore(folder, "products")


def emulator(folder: Path) -> Iterator[IndexStore]:
    """qdrant-client's own emulator: our side of the server's REST API, without a server.

    It keeps no payload indexes, has no graphs or quantization, and serves one process only.
    """
    settings = IndexSettings(collection=f"products-{secrets.token_hex(4)}", data_dir=folder)
    yield ServerStore(QdrantClient(":memory:"), settings, "memory")


def server(folder: Path) -> Iterator[IndexStore]:
    if SERVER is None:
        pytest.skip("no Qdrant server: set STORELENS_QDRANT_URL to run this on one")
    key = os.environ.get("STORELENS_QDRANT_API_KEY")
    name = f"storelens-test-{secrets.token_hex(6)}"
    settings = IndexSettings(
        qdrant_url=SERVER, qdrant_api_key=SecretStr(key) if key else None, collection=name, data_dir=folder
    )
    yield open_store(settings)
    client = QdrantClient(SERVER, api_key=key)
    for collection in client.get_collections().collections:
        if collection.name.startswith(name):
            client.delete_collection(collection.name)
    client.close()


Engine = Callable[[Path], Iterator[IndexStore]]
_emulated = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]


@pytest.fixture(params=[embedded, pytest.param(emulator, marks=_emulated), server], ids=lambda engine: engine.__name__)
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.param
    return made


@pytest.fixture
def store(engine: Engine, tmp_path: Path) -> Iterator[IndexStore]:
    yield from engine(tmp_path)
