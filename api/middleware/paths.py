"""Requests as routes are to see them: product ids of any characters in paths, and HEAD where there is GET."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class HeadAsGet:
    """Answers HEAD as GET, without the body. FastAPI's routes, unlike Starlette's, have no HEAD of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, without_body)
