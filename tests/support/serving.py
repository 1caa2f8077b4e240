"""A real API over a real index, without torch."""

from __future__ import annotations

import atexit
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import ApiSettings, create_app
from api.decoding import decode_pool
from api.server import Server
from embedding.encoder import Encoder
from images import DecodePool, ImageLimits
from ingest.job import run
from ingest.settings import IngestSettings
from schemas import IngestReport
from tests.support.encoders import HashEncoder

DECODERS = decode_pool(ImageLimits())
"""Of all tests of a process; an API with other limits has its own."""
atexit.register(DECODERS.close)


def ingest(catalog: Path, data_dir: Path, encoder: Encoder | None = None, **settings: object) -> IngestReport:
    """The job, with the encoder of tests or another one."""
    encoder = encoder or HashEncoder()
    return run(
        IngestSettings.model_validate({"catalog": str(catalog), "data_dir": data_dir, "model": "hash", **settings}),
        spec_of=lambda _: encoder.spec,
        encoder_of=lambda _: encoder,
    )


def application(
    data_dir: Path, encoder: Encoder | None = None, decoders: DecodePool | None = None, **settings: Any
) -> FastAPI:
    """An API over the index in ``data_dir``, with the encoder of tests and their decoders where these will do."""
    if decoders is None and not {"max_upload_bytes", "max_pixels"} & settings.keys():
        decoders = DECODERS
    built = ApiSettings.model_validate({"data_dir": data_dir, **settings})
    return create_app(built, decoders, lambda _: encoder or HashEncoder())


@contextmanager
def client(data_dir: Path, **settings: Any) -> Iterator[TestClient]:
    """A client that calls the API, with no HTTP in between."""
    app = application(data_dir, **settings)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@dataclass(frozen=True)
class Served:
    """An API that is really served, on a port of this machine."""

    port: int
    server: Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        """A connection that waits long for what it reads, and not for ever."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def send(self, *parts: bytes) -> bytes:
        """Everything that comes back on a connection of its own, until the server closes it."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return received(connection)


def received(connection: socket.socket) -> bytes:
    """What comes until the other side closes the connection; with a reset, where it has not read all that was sent."""
    data = bytearray()
    with suppress(ConnectionResetError):
        while more := connection.recv(2**16):
            data += more
    return bytes(data)


@contextmanager
def served(
    data_dir: Path, encoder: Encoder | None = None, decoders: DecodePool | None = None, **settings: Any
) -> Iterator[Served]:
    """The API as ``python -m api`` serves it, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(application(data_dir, encoder, decoders, **settings))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Served(listener.getsockname()[1], server)
        finally:
            server.should_exit = True
            thread.join()
