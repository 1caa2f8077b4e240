"""Who may ask: anybody on this machine, or whoever holds a key. Decided before a body is read."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem

OPEN_TO_ALL = frozenset({"/", "/healthz", "/readyz", "/openapi.json"})
OPEN_FOLDER = "/page/"

_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d*)?")


class RequireKey:
    """Answers 401 to whoever presents none of the keys, on every path but the health checks and the page."""

    def __init__(self, app: ASGIApp, keys: Sequence[SecretStr]) -> None:
        self.app = app
        self._keys = [key.get_secret_value().encode() for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_open(scope["path"]) or self._knows(scope):
            await self.app(scope, receive, send)
            return
        detail = "an API key is needed: send it as `Authorization: Bearer KEY`"
        await problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        scheme, _, given = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
        # Every key is compared, so that the time taken does not say which one came close.
        return any([secrets.compare_digest(given.strip(), key) for key in self._keys]) and scheme.lower() == b"bearer"  # noqa: C419


def is_open(path: str) -> bool:
    return path in OPEN_TO_ALL or path.startswith(OPEN_FOLDER)


class LocalNames:
    """Answers 400 to a request for another name than this machine's own.

    Without a key only this machine may ask: a web page elsewhere that has its own name resolve to this address
    (DNS rebinding) is not this machine. Starlette's TrustedHostMiddleware does it with a plain text for an answer.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app = app
        self._names = {"localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            name = _HOST.fullmatch(Headers(scope=scope).get("host", ""))
            if name is None or name[1].lower() not in self._names:
                detail = (
                    f"without an API key this server answers to {', '.join(sorted(self._names))} alone; "
                    "set STORELENS_API_KEYS to have it answer to other names"
                )
                await problem(400, "host-refused", detail)(scope, receive, send)
                return
        await self.app(scope, receive, send)
