from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from demo.drawn import write_drawn_catalog
from index import IndexSettings, open_store
from search import Searcher
from tests.support.encoders import HashEncoder
from tests.support.serving import ingest


@pytest.fixture(scope="session")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_catalog(tmp_path_factory.mktemp("catalog"))


@pytest.fixture(scope="session")
def data(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    ingest(catalog, folder)
    return folder


@pytest.fixture(scope="session")
def searcher(data: Path) -> Iterator[Searcher]:
    with closing(open_store(IndexSettings(data_dir=data)).open()) as index:
        yield Searcher(index, HashEncoder())
