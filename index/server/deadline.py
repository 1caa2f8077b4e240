"""One deadline for all the questions that a request asks the Qdrant server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_LEAST = 0.001
_PHASES = ("connect", "read", "write", "pool")


@dataclass(slots=True)
class _Budget:
    left: float


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Within it, all waiting for a server takes ``seconds`` at most; what else takes time does not count."""
    token = _budget.set(_Budget(seconds))
    try:
        yield
    finally:
        _budget.reset(token)


def keep_deadline(request: httpx.Request, send: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
    """A middleware of qdrant-client: gives each request what is left of the deadline it is asked within."""
    budget = _budget.get()
    if budget is None:
        return send(request)
    request.extensions = {**request.extensions, "timeout": dict.fromkeys(_PHASES, max(budget.left, _LEAST))}
    started = monotonic()
    try:
        return send(request)
    finally:
        budget.left -= monotonic() - started
