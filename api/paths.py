"""Product ids in paths: any characters, a slash included."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX = b"/v1/products/"


class EncodedSegments:
    """Routes ``/v1/products/…`` by the path as it was sent, so that ``a%2Fb`` stays one segment.

    Servers decode paths before routing, and a decoded slash can no longer be told from a separator.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw: bytes = scope.get("raw_path") or b""
            if raw.startswith(PREFIX):
                scope = {**scope, "path": raw.split(b"?", 1)[0].decode("ascii", "replace")}
        await self.app(scope, receive, send)
