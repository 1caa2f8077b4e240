"""Whether whoever asked is still there: what nobody waits for is not worth a decoder's time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated

from fastapi import Depends, Request

Gone = Callable[[], bool]
"""Whether the client has left; for any thread."""


async def _watch(request: Request) -> AsyncIterator[Gone]:
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


watched = asynccontextmanager(_watch)
"""For a route that has read the body of its request itself; nobody may read on."""

WatchedClient = Annotated[Gone, Depends(_watch, scope="function")]
"""For a route whose body FastAPI has read, or that has none."""
