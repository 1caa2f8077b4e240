"""Whatever a URL says and whatever a server sends, it is an image or an image's error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from unittest.mock import patch

import httpcore
import httpx
import pytest
from httpcore import SOCKET_OPTION
from hypothesis import example, given
from hypothesis import strategies as st

from images import ImageLimits, ImageSettings
from images.fetch.fetcher import Fetcher
from images.fetch.network import GuardedNetwork
from schemas import ImageError
from tests.support.images import photo

PHOTO = photo(20, 20)


@pytest.fixture(autouse=True, scope="module")
def _one_context() -> Iterator[None]:
    """What a fetcher trusts takes longer to load than all else that is done here."""
    with patch("httpx.create_ssl_context", cache(httpx.create_ssl_context)):
        yield


class Sending(httpcore.NetworkBackend):
    """Whoever connects to whatever gets these bytes, and then the end; without any, nobody listens."""

    def __init__(self, data: bytes | None) -> None:
        self._data = data

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        if self._data is None:
            raise httpcore.ConnectError("Connection refused")
        return httpcore.MockStream([self._data])


def fetch(url: str, data: bytes | None) -> bytes | None:
    """What came; None where it is an error, which has a message that can be written anywhere."""
    network = GuardedNetwork(private=False, resolve=lambda _: ["93.184.216.34"], tcp=Sending(data))
    fetcher = Fetcher(ImageSettings(), ImageLimits(max_bytes=10_000), backoff=0, network=network)
    try:
        return fetcher.fetch(url).data
    except ImageError as error:
        error.message.encode()
        assert len(error.message) < 800
        return None
    finally:
        fetcher.close()


@given(st.sampled_from(["http://", "https://", "", "HTTP:", "http:/"]), st.text(max_size=60))
@example("http://", "[")
@example("http://", "a@b@c:1:2")
@example("http://", "xn--/")
@example("https://", ".example.com/")
@example("http://", "u\r\nX: y@host/")
def test_any_text_for_a_url(scheme: str, rest: str) -> None:
    assert fetch(scheme + rest, None) is None


_LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"Content-Length: 5",
                b"Content-Length: -1",
                b"Content-Length: 99999999999999999999999999",
                b"Content-Length: 5, 5",
                b"Transfer-Encoding: chunked",
                b"Transfer-Encoding: gzip",
                b"Location: //",
                b"Location: http://[",
                b"Location: \xff",
                b"Location: /again",
                b"Retry-After: 0",
                b"Retry-After: \xc2\xb2",
                b"ETag: \xff\xfe",
                b"Content-Encoding: \xff",
            ]
        ),
        st.binary(max_size=20),
    ),
    max_size=5,
)


@given(st.integers(0, 1_000), _LINES, st.one_of(st.binary(max_size=200), st.just(PHOTO)))
def test_any_answer_of_a_server(status: int, lines: list[bytes], body: bytes) -> None:
    answer = b"\r\n".join([b"HTTP/1.1 %d X" % status, *lines, b"", body])
    came = fetch("http://shop.example/a.jpg", answer)
    assert came is None or PHOTO.startswith(came[:3])


@given(st.integers(0, len(PHOTO)))
def test_a_body_cut_anywhere_is_no_image(length: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PHOTO)
    assert fetch("http://shop.example/a.jpg", answer + PHOTO[:length]) == (PHOTO if length == len(PHOTO) else None)
