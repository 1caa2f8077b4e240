"""Whether whoever asked is still there: what nobody waits for is not worth a thread's time, or a decoder's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from fastapi import Request

Gone = Callable[[], bool]
"""Whether the client has left; for any thread."""


@asynccontextmanager
async def watched(request: Request) -> AsyncIterator[Gone]:
    """For a request whose body has been read, or that has none; nobody may read on."""
    gone = threading.Event()

    async def wait() -> None:
        try:
            while (await request.receive())["type"] != "http.disconnect":
                pass
        finally:
            gone.set()

    waiting = asyncio.create_task(wait())
    try:
        yield gone.is_set
    finally:
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
