"""A real API over a real index, without torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from fastapi.testclient import TestClient

import api.serving
from api import ApiSettings, create_app
from ingest.job import run
from ingest.settings import IngestSettings
from schemas import IngestReport
from tests.support.encoders import HashEncoder


def ingest(catalog: Path, data_dir: Path, **settings: object) -> IngestReport:
    """The job, with the encoder of tests."""
    return run(
        IngestSettings.model_validate({"catalog": str(catalog), "data_dir": data_dir, "model": "hash", **settings}),
        spec_of=lambda _: HashEncoder.spec,
        encoder_of=lambda _: HashEncoder(),
    )


@contextmanager
def client(data_dir: Path, **settings: object) -> Iterator[TestClient]:
    """A client of an API over the index in ``data_dir``, with the encoder of tests."""
    with patch.object(api.serving, "load_encoder", lambda _: HashEncoder()):
        app = create_app(ApiSettings.model_validate({"data_dir": data_dir, **settings}))
        with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
            yield client
