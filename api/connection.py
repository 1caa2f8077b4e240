"""One client's connection: limits on what it sends before a body, an end where it is slow, and answers that arrive.

uvicorn has no options for these: ``limit_concurrency`` counts idle connections and refuses health checks as well,
``h11_max_incomplete_event_size`` is for h11 alone, and httptools, a millisecond a request faster, limits nothing.
"""

from __future__ import annotations

from typing import Any, NoReturn

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.problems import problem

HEAD_BYTES = 32 * 2**10
"""Of a request's line and headers together: an id of 1,024 characters takes up to 12 KB, percent-encoded."""
HEADERS = 100
TOO_LARGE = (
    431,
    "headers-too-large",
    f"a request's line and headers may have {HEAD_BYTES:,} bytes, and there may be {HEADERS} headers",
)
NOT_UNDERSTOOD = (400, "bad-request", "this cannot be understood as a request of HTTP 1.1")
PIPELINED = 16
"""Requests that wait behind another one of the same connection."""

IDLE_SECONDS = 15
"""A connection without a request: longer than clients keep theirs (httpx for 5 seconds), so that none asks on one that
is being closed."""
TIMEOUT_SECONDS = 20
BYTES_A_SECOND = 4096
"""A client that is to send or to read has ``TIMEOUT_SECONDS``, and gets one back for every so many bytes."""
DRAINED_BYTES = 256 * 2**20
"""Of what is refused: a client that still sends does not read, so it is read and thrown away up to here."""


class Connection(HttpToolsProtocol):
    """What uvicorn's protocol does, within limits; refusals of its own are problems as well."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = False
        self._received = False
        """The latest request is here as a whole."""
        self._kept = 0
        """Bytes that the parser keeps: of a head, of trailers, of the line before a chunk."""
        self._fault = NOT_UNDERSTOOD
        self._deaf = False
        """Nothing that comes is looked at any more."""
        self._drained = 0
        self._seconds_left: float = TIMEOUT_SECONDS
        self._unread = 0

    # What comes in.

    def data_received(self, data: bytes) -> None:
        self._seconds_left = min(TIMEOUT_SECONDS, self._seconds_left + len(data) / BYTES_A_SECOND)
        self._received = False
        rest = memoryview(data)
        while rest and not self._deaf and not self.transport.is_closing():
            piece, rest = rest[: HEAD_BYTES - self._kept], rest[HEAD_BYTES - self._kept :]
            self._kept += len(piece)
            self._parse(piece)
            if self._kept == HEAD_BYTES and not self._deaf:
                self._refuse(*TOO_LARGE)
        if self._deaf:
            self._drain(len(rest))

    def _parse(self, data: memoryview) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(*self._fault)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])

    def _decline(self, rest: memoryview) -> None:
        """Go on in HTTP 1.1 with a client that offers another protocol, as Java's and curl do with HTTP/2.

        httptools takes what follows for the other protocol. Where it is a body, another parser reads it, which is
        told no more of the head than how long it is.
        """
        if told := self._told_of_body():
            self.cycle.keep_alive = False
            self.parser = httptools.HttpRequestParser(_Body(self))
            self._parse(memoryview(b"POST / HTTP/1.1\r\n" + told + b"\r\n"))
        if rest:
            self._parse(rest)

    def _told_of_body(self) -> bytes:
        told = [header for header in self.headers if header[0] in (b"content-length", b"transfer-encoding")]
        return b"".join(b"%b: %b\r\n" % header for header in told)

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > HEADERS:
            self._stop_parsing(TOO_LARGE)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= PIPELINED:
            self._stop_parsing((400, "bad-request", f"more than {PIPELINED} requests wait behind another one"))
        self._in_head, self._kept, self._drained = False, 0, 0
        super().on_headers_complete()
        self.cycle.transport = _Answering(self)  # type: ignore[assignment]
        if self.expect_100_continue:
            # Answered before it was told to go on, a client may leave its body out, or not: nobody can tell.
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._kept = 0
        super().on_body(body)
        if self.cycle.response_complete:
            self._drain(len(body))

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and self._told_of_body():
            return  # its body comes yet
        super().on_message_complete()
        self._received, self._kept, self._seconds_left = True, 0, TIMEOUT_SECONDS

    # What ends it.

    def answered(self) -> None:
        """The last answer is written. A connection that is closed while its client still sends is reset, and the
        client loses the answer: so it is the client that closes it, or ``second_passed``."""
        if self._received or self.transport.is_closing():
            self.transport.close()
        else:
            self._deaf = True
            self.transport.write_eof()

    def second_passed(self) -> None:
        """Close where the client keeps the server waiting."""
        unread, self._unread = self._unread, self.transport.get_write_buffer_size()
        if not (self._deaf or self._unread or self._awaited()):
            self._seconds_left = TIMEOUT_SECONDS
            return
        self._seconds_left += max(unread - self._unread, 0) / BYTES_A_SECOND - 1
        if self._seconds_left > 0:
            return
        asked = self._in_head or (self.cycle is not None and not self.cycle.response_complete)
        if asked and not (self._unread or self._deaf or self.transport.is_closing()):
            self._refuse(408, "request-timeout", "the request did not arrive in time; send it again")
        else:
            self.transport.abort()

    def _awaited(self) -> bool:
        """It is the client's turn to send."""
        idle = self.cycle is None or self.cycle.response_complete
        return not self.flow.read_paused and (idle or not self._received)

    def _drain(self, bytes_: int) -> None:
        self._drained += bytes_
        if self._drained > DRAINED_BYTES:
            self.transport.abort()

    def _stop_parsing(self, fault: tuple[int, str, str]) -> NoReturn:
        self._fault = fault
        raise ValueError

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answer a request that the application does not get to see, and listen to its client no more."""
        self._deaf = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self._in_head:  # what came before it is answered, and it is not
                cycle.keep_alive = False
                return
            if cycle.response_started or self.pipeline:
                self.transport.abort()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        response = problem(status, code, detail, headers={"Connection": "close"})
        headers = [*self.server_state.default_headers, *response.raw_headers]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[status] + lines + b"\r\n" + bytes(response.body))
        self.transport.write_eof()
        self._seconds_left = IDLE_SECONDS


class _Body:
    """What a parser calls that is to read a body alone."""

    def __init__(self, connection: Connection) -> None:
        self.on_body = connection.on_body
        self.on_message_complete = connection.on_message_complete


class _Answering:
    """What an answer is written to."""

    def __init__(self, connection: Connection) -> None:
        self._transport = connection.transport
        self.is_closing = connection.transport.is_closing
        self.close = connection.answered

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():  # asyncio drops what comes too late, and uvloop raises an error
            self._transport.write(data)
