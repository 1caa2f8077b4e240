"""How many requests are worked on, wait, and are refused; and how much memory their bodies may take."""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.clients import Gone, watched
from api.problems import answer
from schemas import BodyTooLarge, ClientGone, Overloaded

Result = TypeVar("Result")

AT_WORK = min(32, max(4, 2 * (os.cpu_count() or 1)))
"""Requests that are worked on at once. More threads would only take the cores from each other, and from the event
loop that answers health checks."""
QUERY_IMAGES_AT_WORK = 32
"""The same for requests with a photo, which mostly wait for decoders. Others never wait behind them."""


class Admission:
    """Lets so many requests of ``/v1`` in that all can be answered soon, and answers 503 at once to the rest.

    Args:
        waiting: How many may wait for those at work.
    """

    def __init__(self, app: ASGIApp, waiting: int) -> None:
        self.app = app
        self._most = AT_WORK + waiting
        self._admitted = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        if self._admitted >= self._most:
            error = Overloaded("more requests wait than this server can answer soon; try again in a moment")
            await answer(error)(scope, receive, send)
            return
        self._admitted += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._admitted -= 1


class Workers:
    """Threads in which requests are answered, first come, first served."""

    def __init__(self) -> None:
        self._plain = CapacityLimiter(AT_WORK)
        self._query_images = CapacityLimiter(QUERY_IMAGES_AT_WORK)
        self._threads = CapacityLimiter(math.inf)

    async def run(self, request: Request, work: Callable[[Gone], Result], *, query_image: bool = False) -> Result:
        """What the work returns, when it is the request's turn.

        Args:
            request: Its body has been read.
            work: Can ask whether the client has left.

        Raises:
            ClientGone: nobody waits for the answer any more.
        """
        async with watched(request) as gone, self._query_images if query_image else self._plain:
            if gone():
                raise ClientGone("nobody waits for the answer any more")
            return await to_thread.run_sync(work, gone, limiter=self._threads)


class Bodies:
    """Reads the bodies of requests into memory.

    Args:
        most: Bytes of one body.
        together: Bytes of all that are held at a time.
    """

    def __init__(self, most: int, together: int) -> None:
        self._most = most
        self._together = together
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytearray]:
        """A request's body; its memory is counted until the context ends.

        Raises:
            BodyTooLarge: announced, or found while it streams in.
            Overloaded: the bodies of others take the room.
            ClientDisconnect: the client left.
        """
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._most:
            raise self._too_large()
        body, held = bytearray(), 0
        try:
            async for chunk in request.stream():
                body += chunk
                held += len(chunk)
                self._held += len(chunk)
                if held > self._most:
                    raise self._too_large()
                if self._held > self._together:
                    raise Overloaded("the photos of other requests take all the room there is; try again in a moment")
            yield body
        finally:
            self._held -= held

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"the request is larger than the {self._most:,} bytes this server takes")
