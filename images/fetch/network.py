"""Connections to allowed addresses only, each with a deadline.

A name is resolved once and the connection goes to an address that was checked, so DNS rebinding gains nothing. Every
connection, also of a redirect or retry, is made here. TLS still checks the certificate against the name.

Why no library: those that do this for httpx (ssrfguard, drawbridge, httpx-secure) limit single reads only, so a server
that sends a byte a second would hold a thread for weeks. The deadline must be kept where bytes are read, which is here.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore
from httpcore import SOCKET_OPTION

from images.fetch.addresses import is_public
from schemas import ImageHostRefused, ImageUnreachable

Resolve = Callable[[str], Sequence[str]]
"""The addresses of a host name, as text. Raises OSError, or UnicodeError for what cannot be a name."""

MAX_ADDRESSES = 4
"""Of one host that are tried, so that a name with hundreds of dead ones costs no more than others."""


def system_resolve(host: str) -> Sequence[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Deadline:
    """A moment by which something has to be done."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        return self._at - time.monotonic()

    def postpone(self, seconds: float) -> None:
        self._at += seconds


_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def until(deadline: Deadline) -> Iterator[None]:
    """Everything that is sent or read in this thread meanwhile ends at the deadline."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def _within(timeout: float | None, expired: type[Exception]) -> float | None:
    """The timeout of one operation. Raises ``expired`` where there is no time left."""
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    left = deadline.left()
    if left <= 0:
        raise expired("the time for the image is over")
    return left if timeout is None else min(timeout, left)


class GuardedNetwork(httpcore.NetworkBackend):
    """TCP to public addresses, or to any where ``private`` is true.

    Args:
        resolve: Asked once for each connection.
        tcp: Is given addresses, never names.
    """

    def __init__(
        self, *, private: bool, resolve: Resolve = system_resolve, tcp: httpcore.NetworkBackend | None = None
    ) -> None:
        self._private = private
        self._resolve = resolve
        self._tcp = tcp or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Raises ImageHostRefused, ImageUnreachable where the name does not resolve, and as httpcore does."""
        failure: Exception | None = None
        for address in self._addresses(host):
            try:
                within = _within(timeout, httpcore.ConnectTimeout)
                return _Stream(self._tcp.connect_tcp(address, port, within, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    def _addresses(self, host: str) -> Sequence[str]:
        found = self._look_up(host)
        allowed = [address for address in found if self._private or is_public(address)]
        if not allowed:
            # Which address it is, is not said: an answer of this service must not map a private network.
            raise ImageHostRefused(
                f"{host} is not in the public internet; set STORELENS_PICTURE_PRIVATE_ADDRESSES to fetch images "
                "from private addresses",
                field="image",
            )
        return allowed[:MAX_ADDRESSES]

    def _look_up(self, host: str) -> Sequence[str]:
        """In a thread of its own, because a look-up takes as long as the system likes."""
        answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self._resolve(host))
            except Exception as error:
                answers.put(error)

        within = _within(None, httpcore.ConnectTimeout)
        threading.Thread(target=look_up, name="image-host-look-up", daemon=True).start()
        try:
            answer = answers.get(timeout=within)
        except queue.Empty:
            raise httpcore.ConnectTimeout(f"the name {host} was not resolved in time") from None
        if isinstance(answer, socket.gaierror) and answer.errno == socket.EAI_AGAIN:
            raise httpcore.ConnectError(f"the name {host} does not resolve now: {answer.strerror}") from answer
        if isinstance(answer, Exception):
            reason = (answer.strerror if isinstance(answer, OSError) else None) or "it is no host name"
            raise ImageUnreachable(f"the name {host} does not resolve: {reason}", field="image") from answer
        if not answer:
            raise ImageUnreachable(f"the name {host} has no address", field="image")
        return answer


class _Stream(httpcore.NetworkStream):
    """A connection whose every operation heeds the deadline of whoever uses it at the time."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _within(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        within = _within(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, within))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
