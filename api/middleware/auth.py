"""Who may ask: anybody on this machine, or whoever holds a key. Decided before a body is read."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem
from schemas import ReviewKeyNeeded

OPEN_TO_ALL = frozenset({"/", "/labels", "/healthz", "/readyz", "/openapi.json"})
OPEN_FOLDER = "/page/"
_REVIEWER = "storelens.reviewer"

_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d*)?")


class RequireKey:
    """Answers 401 to whoever presents none of the keys, on every path but the health checks and the page.

    Args:
        reviewers: Keys of those who may also see what waits for a review.
    """

    def __init__(self, app: ASGIApp, keys: Sequence[SecretStr], reviewers: Sequence[SecretStr] = ()) -> None:
        self.app = app
        self._keys, self._reviewers = (
            [key.get_secret_value().encode() for key in some] for some in ((*keys, *reviewers), reviewers)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_open(scope["path"]) or _knows(scope, self._keys):
            if scope["type"] == "http":
                scope[_REVIEWER] = _knows(scope, self._reviewers)
            await self.app(scope, receive, send)
            return
        detail = "an API key is needed: send it as `Authorization: Bearer KEY`"
        await problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})(scope, receive, send)


def _knows(scope: Scope, keys: Sequence[bytes]) -> bool:
    scheme, _, given = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
    # Every key is compared, so that the time taken does not say which one came close.
    return any([secrets.compare_digest(given.strip(), key) for key in keys]) and scheme.lower() == b"bearer"  # noqa: C419


def is_reviewer(request: Request) -> bool:
    """Whether whoever asks may see what waits for a review: without keys, everybody on this machine."""
    return bool(request.scope.get(_REVIEWER, True))


def reviewers_alone(request: Request) -> None:
    """Raises ReviewKeyNeeded where whoever asks may not review."""
    if not is_reviewer(request):
        raise ReviewKeyNeeded("this is for those who review: send one of the keys in STORELENS_REVIEW_KEYS")


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
