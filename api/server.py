"""uvicorn, and a stop that ends: what it leaves to whoever runs it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.server import HANDLED_SIGNALS

from api import connection
from api.connection import Connection
from api.problems import problem

GRACE_SECONDS = 5
"""What has begun when the service is stopped may end within this time."""
LAST_SECONDS = 3
"""For closing what is open after that; then the process ends, whatever still runs."""


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Answer requests until SIGTERM or SIGINT, and end at the latest ``GRACE_SECONDS + LAST_SECONDS`` after it."""
    # Once it has stopped, uvicorn raises the signal again, for handlers that were there before.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in HANDLED_SIGNALS}
    try:
        Server(app).run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Server(uvicorn.Server):
    """Stops when what is being answered is answered, or at least soon; while it starts, at once."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                _stoppable(app),
                http=Connection,
                ws="none",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                timeout_keep_alive=connection.IDLE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # ten ticks are a second
            for client in list(self.server_state.connections):
                if isinstance(client, Connection):
                    client.second_passed()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.started:  # a model may take minutes to load
            os._exit(128 + sig)
        if not self.should_exit:
            # A thread cannot be stopped, and Python would wait for it.
            last = threading.Timer(GRACE_SECONDS + LAST_SECONDS, os._exit, (0,))
            last.daemon = True
            last.start()
        super().handle_exit(sig, frame)


def _stoppable(app: ASGIApp) -> ASGIApp:
    """Answers 503 for what the server cancels when its grace is over: uvicorn itself writes a traceback and a 500."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await app(scope, receive, noted if scope["type"] == "http" else send)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            if not started:
                headers = {"Connection": "close"}
                await problem(503, "stopping", "this server is being stopped", headers=headers)(scope, receive, send)

    return answering
