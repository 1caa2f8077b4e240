"""An image server, and fetchers that may ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from images import ImageLimits, ImageSettings
from images.fetch.fetcher import Fetcher
from images.fetch.network import GuardedNetwork
from tests.support.image_server import ImageServer, image_server

MakeFetcher = Callable[..., Fetcher]


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with image_server() as running:
        yield running


@pytest.fixture
def make_fetcher() -> Iterator[MakeFetcher]:
    """A fetcher with settings by their names, allowed on this machine unless told otherwise, and in a hurry."""
    with ExitStack() as opened:

        def make(
            *,
            max_bytes: int = 2**20,
            backoff: float = 0.001,
            patient: bool = True,
            network: GuardedNetwork | None = None,
            **settings: object,
        ) -> Fetcher:
            given = {"private_addresses": True, "seconds": 5} | settings
            built = ImageSettings.model_validate({f"picture_{name}": value for name, value in given.items()})
            limits = ImageLimits(max_bytes=max_bytes)
            fetcher = Fetcher(built, limits, backoff=backoff, patient=patient, network=network)
            opened.callback(fetcher.close)
            return fetcher

        yield make
