"""``python -m api``: serve an index over HTTP."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
from collections.abc import Sequence
from types import FrameType

BACKLOG = 2048


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 when stopped, 1 when it cannot serve, 2 for bad arguments, 130 or 143 when stopped while it starts."""
    from api import logs
    from api.app import create_app
    from api.server import serve
    from api.settings import parse
    from schemas import StoreLensError

    logs.configure()
    settings = parse(sys.argv[1:] if arguments is None else arguments)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Named as TCP: asyncio switches off Nagle only there, and a response would wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        # From here on callers wait while the model loads, and are not refused.
        listener.listen(BACKLOG)
    except OSError as error:
        other = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
        print(
            f"error: cannot listen on {settings.host}:{settings.port}: {error.strerror}; choose another {other}",
            file=sys.stderr,
        )
        return 1
    try:
        app = create_app(settings)
    except StoreLensError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 1
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"StoreLens serves http://{shown}:{listener.getsockname()[1]}/", file=sys.stderr, flush=True)
    if not settings.api_keys:
        print("No API key is set (STORELENS_API_KEYS), so only this machine can reach it.", file=sys.stderr, flush=True)
    serve(app, listener)
    return 0


def stop_at_once(number: int, _: FrameType | None) -> None:
    """Nothing is begun yet that would have to be ended in order."""
    os._exit(128 + number)


if __name__ == "__main__":
    # First of all: the first process of a container is deaf to a signal that it has no handler for, and an import
    # that is interrupted would print where it was.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_at_once)
    raise SystemExit(main())
