"""A real API over a real index, without torch."""

from __future__ import annotations

import atexit
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from unittest.mock import patch

import uvicorn
from fastapi.testclient import TestClient

import api.serving
from api import ApiSettings, create_app
from api.decoding import decode_pool
from catalog import DecodePool, PictureLimits
from embedding.encoder import Encoder
from ingest.job import run
from ingest.settings import IngestSettings
from schemas import IngestReport
from tests.support.encoders import HashEncoder

DECODERS = decode_pool(PictureLimits())
"""Of all tests of a process; an API with other limits has its own."""
atexit.register(DECODERS.close)


def ingest(catalog: Path, data_dir: Path, **settings: object) -> IngestReport:
    """The job, with the encoder of tests."""
    return run(
        IngestSettings.model_validate({"catalog": str(catalog), "data_dir": data_dir, "model": "hash", **settings}),
        spec_of=lambda _: HashEncoder.spec,
        encoder_of=lambda _: HashEncoder(),
    )


@contextmanager
def live(data_dir: Path, encoder: Encoder, decoders: DecodePool) -> Iterator[str]:
    """The address of an API over the index in ``data_dir``, whose clients may leave when they like."""
    with patch.object(api.serving, "load_encoder", lambda _: encoder):
        app = create_app(ApiSettings.model_validate({"data_dir": data_dir}), decoders)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                thread.join()


@contextmanager
def client(data_dir: Path, **settings: object) -> Iterator[TestClient]:
    """A client of an API over the index in ``data_dir``, with the encoder of tests."""
    with patch.object(api.serving, "load_encoder", lambda _: HashEncoder()):
        decoders = None if {"max_upload_bytes", "max_pixels"} & settings.keys() else DECODERS
        app = create_app(ApiSettings.model_validate({"data_dir": data_dir, **settings}), decoders)
        with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
            yield client


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it holds by then: asked again and again, for what no event tells."""
    deadline = monotonic() + seconds
    while not (held := holds()) and monotonic() < deadline:
        sleep(0.02)
    return held
