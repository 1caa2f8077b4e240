"""What is refused before anything of a request is read into memory."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

# A client that is still sending does not read: what is refused is read and thrown away up to here, so
# that it gets its answer instead of a broken connection.
DRAIN_BYTES = 256 * 2**20


class BodyLimit:
    """Answers 413 to a body of more than ``max_bytes``, announced or found while it streams in.

    FastAPI's own ``max_body_size`` answers and closes while the client still sends; urllib and browsers
    then report a broken connection instead of the answer.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        announced = headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > self.max_bytes:
            # Who waits for "100 Continue" has not begun to send.
            if b"expect" not in headers:
                await _drain(receive)
            await self._refuse(scope, receive, send)
            return

        seen = 0
        refused = started = False

        async def counted() -> Message:
            nonlocal seen, refused
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self.max_bytes:
                    refused = True
                    if message.get("more_body"):
                        await _drain(receive)
                    return {"type": "http.disconnect"}
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if refused and not started:
                return  # whatever the application makes of the broken-off body
            started = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except Exception:
            if not refused:
                raise
        if refused and not started:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"the request is larger than the {self.max_bytes:,} bytes this server takes; send a smaller photo"
        await problem(413, "request-too-large", detail)(scope, receive, send)


async def _drain(receive: Receive) -> None:
    drained = 0
    while drained < DRAIN_BYTES:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return
        drained += len(message.get("body", b""))
