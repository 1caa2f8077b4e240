"""TLS: the certificate is the name's, though what is connected to is an address."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from images.fetch.network import GuardedNetwork
from schemas import ImageUnreachable
from tests.integration.images.conftest import MakeFetcher
from tests.support.image_server import ImageServer, LocalInternet, Names, image_server
from tests.support.images import photo

PHOTO = photo()
PUBLIC = "93.184.216.34"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[ImageServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("shop.example").configure_cert(context)
    with image_server(context) as running:
        running.gives("/a.jpg", PHOTO)
        yield running


def _network(*names: str) -> GuardedNetwork:
    answers = Names(**{name.replace(".", "_"): [[PUBLIC]] for name in names})
    return GuardedNetwork(private=False, resolve=answers, tcp=LocalInternet())


@pytest.mark.usefixtures("trusted")
def test_a_certificate_is_checked_against_the_name(secure: ImageServer, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(network=_network("shop.example", "other.example"))
    url = secure.url("/a.jpg", "shop.example").replace("http:", "https:")
    assert fetcher.fetch(url).data == PHOTO
    with pytest.raises(ImageUnreachable, match=r"certificate"):
        fetcher.fetch(url.replace("shop", "other"))
    assert secure.times("/a.jpg") == 1


def test_a_certificate_of_nobody_is_not_tried_again(secure: ImageServer, make_fetcher: MakeFetcher) -> None:
    network = _network("shop.example")
    fetcher = make_fetcher(network=network, backoff=100)
    with pytest.raises(ImageUnreachable, match=r"CERTIFICATE_VERIFY_FAILED"):
        fetcher.fetch(secure.url("/a.jpg", "shop.example").replace("http:", "https:"))
    assert not secure.asked


def test_a_server_that_does_not_speak_tls(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    url = server.gives("/a.jpg", PHOTO).replace("http:", "https:")
    with pytest.raises(ImageUnreachable):
        make_fetcher().fetch(url)
