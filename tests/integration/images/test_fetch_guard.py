"""Where a fetcher may go: the address that was checked is the address that is connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

import pytest

from images.fetch.network import MAX_ADDRESSES, GuardedNetwork
from schemas import ImageError, ImageHostRefused, ImageUnreachable
from tests.integration.images.conftest import MakeFetcher
from tests.support.image_server import ImageServer, LocalInternet, Names
from tests.support.images import photo

PHOTO = photo()
PUBLIC, OTHER = "93.184.216.34", "2606:2800:220:1::1"

PRIVATE_HOSTS = [
    "127.0.0.1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "169.254.169.254",
    "10.0.0.1",
    "192.168.0.1",
    "①②⑦.0.0.1",
]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_private_addresses_are_refused_however_they_are_written(
    server: ImageServer, make_fetcher: MakeFetcher, host: str
) -> None:
    server.gives("/a", PHOTO)
    with pytest.raises(ImageError) as raised:
        make_fetcher(private_addresses=False).fetch(server.url("/a", host))
    assert raised.value.code in ("picture-host-refused", "picture-source-unsupported", "picture-unreachable")
    assert not server.asked
    if isinstance(raised.value, ImageHostRefused):
        assert "STORELENS_PICTURE_PRIVATE_ADDRESSES" in raised.value.message


@pytest.mark.parametrize("host", PRIVATE_HOSTS[:10])
def test_after_a_redirect_they_are_refused_as_well(server: ImageServer, make_fetcher: MakeFetcher, host: str) -> None:
    internet = LocalInternet()
    network = GuardedNetwork(private=False, resolve=_names(shop_example=[[PUBLIC]]), tcp=internet)
    server.gives("/b", PHOTO)
    server.does("/a", lambda asked: asked.reply(302, Location=server.url("/b", host)))
    with pytest.raises(ImageError):
        make_fetcher(network=network).fetch(server.url("/a", "shop.example"))
    assert internet.connected == [PUBLIC]
    assert server.times("/b") == 0


def _names(**answers: Sequence[Sequence[str]]) -> Callable[[str], Sequence[str]]:
    """These, and what the system makes of numbers."""
    names = Names(**answers)

    def resolve(host: str) -> Sequence[str]:
        if host in names:
            return names(host)
        return list({str(found[4][0]) for found in socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)})

    return resolve


def test_a_setting_allows_private_addresses(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    url = server.gives("/a", PHOTO)
    assert make_fetcher(private_addresses=True).fetch(url).data == PHOTO


def test_a_name_is_asked_for_once_and_what_it_means_later_does_not_matter(
    server: ImageServer, make_fetcher: MakeFetcher
) -> None:
    names, internet = Names(shop_example=[[PUBLIC], ["127.0.0.1"]]), LocalInternet()
    fetcher = make_fetcher(network=GuardedNetwork(private=False, resolve=names, tcp=internet))
    url = server.gives("/a", PHOTO).replace("127.0.0.1", "shop.example")
    assert fetcher.fetch(url).data == PHOTO
    assert (names.asked, internet.connected) == (["shop.example"], [PUBLIC])


def test_a_name_that_means_something_private_by_the_next_connection_is_refused_then(
    server: ImageServer, make_fetcher: MakeFetcher
) -> None:
    names, internet = Names(shop_example=[[PUBLIC], ["127.0.0.1"]]), LocalInternet()
    fetcher = make_fetcher(network=GuardedNetwork(private=False, resolve=names, tcp=internet))
    url = server.gives("/a", PHOTO, Connection="close").replace("127.0.0.1", "shop.example")
    assert fetcher.fetch(url).data == PHOTO
    with pytest.raises(ImageHostRefused):
        fetcher.fetch(url)
    assert internet.connected == [PUBLIC]


def test_of_several_addresses_only_the_public_ones_are_tried(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    names, internet = Names(shop_example=[["10.0.0.1", "::1", OTHER, PUBLIC]]), LocalInternet()
    fetcher = make_fetcher(network=GuardedNetwork(private=False, resolve=names, tcp=internet))
    assert fetcher.fetch(server.gives("/a", PHOTO).replace("127.0.0.1", "shop.example")).data == PHOTO
    assert internet.connected == [OTHER]


def test_addresses_are_tried_in_turn_but_not_without_end(make_fetcher: MakeFetcher) -> None:
    names, internet = Names(shop_example=[[f"93.184.216.{number}" for number in range(200)]]), LocalInternet()
    fetcher = make_fetcher(network=GuardedNetwork(private=False, resolve=names, tcp=internet), backoff=100)
    with pytest.raises(ImageUnreachable, match="cannot be reached"):
        fetcher.fetch("http://shop.example:9/a.jpg")
    assert internet.connected == [f"93.184.216.{number}" for number in range(MAX_ADDRESSES)]


@pytest.mark.parametrize(
    "error", [socket.gaierror(socket.EAI_NONAME, "Name or service not known"), UnicodeError("label too long")]
)
def test_a_name_that_is_none_is_not_tried_again(make_fetcher: MakeFetcher, error: Exception) -> None:
    asked = []

    def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        raise error

    with pytest.raises(ImageUnreachable, match=r"the name shop\.example does not resolve"):
        make_fetcher(network=GuardedNetwork(private=False, resolve=resolve)).fetch("http://shop.example/a.jpg")
    assert len(asked) == 1


def test_a_name_service_that_is_down_for_a_moment(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    errors: list[Exception] = [socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")]

    def resolve(host: str) -> Sequence[str]:
        if errors:
            raise errors.pop()
        return [PUBLIC]

    network = GuardedNetwork(private=False, resolve=resolve, tcp=LocalInternet())
    url = server.gives("/a", PHOTO).replace("127.0.0.1", "shop.example")
    assert make_fetcher(network=network).fetch(url).data == PHOTO


def test_a_name_service_that_does_not_answer_ends_with_the_time(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    def resolve(host: str) -> Sequence[str]:
        server.over.wait()
        return []

    fetcher = make_fetcher(network=GuardedNetwork(private=False, resolve=resolve), seconds=0.05)
    with pytest.raises(ImageUnreachable, match="not resolved in time"):
        fetcher.fetch("http://shop.example/a.jpg")


def test_hosts_that_are_listed_hold_for_redirects_too(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    server.does("/a", lambda asked: asked.reply(302, Location=server.url("/b", "localhost")))
    server.gives("/b", PHOTO)
    with pytest.raises(ImageHostRefused, match="the host localhost is not one of STORELENS_PICTURE_HOSTS"):
        make_fetcher(hosts="127.0.0.1").fetch(server.url("/a"))
    assert server.times("/b") == 0
    assert make_fetcher(hosts="127.0.0.1, localhost").fetch(server.url("/a")).data == PHOTO


def test_a_listed_host_may_still_not_be_private(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    with pytest.raises(ImageHostRefused, match="not in the public internet"):
        make_fetcher(hosts="127.0.0.1", private_addresses=False).fetch(server.gives("/a", PHOTO))
