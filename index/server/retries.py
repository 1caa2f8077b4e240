"""Retries of requests to a Qdrant server: while it is away, for a job; while a collection is not ready, for all."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
from qdrant_client.http.exceptions import ResponseHandlingException
from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result, stop_after_delay
from tenacity.wait import wait_exponential_jitter

log = logging.getLogger(__name__)

AWAY_SECONDS = 300.0
"""That a job waits for a server: it may be started anew meanwhile."""
ACTIVATION_SECONDS = 10.0
_LONGEST_PAUSE = 15.0
_NOT_ACTIVE = b"0 of 0 read operations failed"
_BACKOFF = wait_exponential_jitter(multiplier=0.1, max=_LONGEST_PAUSE, jitter=0.1)
_ACTIVATION = wait_exponential_jitter(multiplier=0.02, max=0.5, jitter=0.02)


class Retries:
    """A middleware of qdrant-client that asks again where a server may yet answer: no connection, no answer in
    time, 429 and 5xx. What it refuses, 4xx, is final.

    Only inside of ``waiting``: a search that must wait is better told so at once. All that a job asks may be
    asked twice: ids are the products' own, and what is there already is written the same.

    Outside of it, what a collection is (a GET) is asked for again while the server says that no copy of it is
    active yet: so it answers for a moment after another node has created the collection.
    """

    def __init__(self, url: str, seconds: float = AWAY_SECONDS) -> None:
        self._url = url
        self._seconds = seconds
        self._waiting = False
        self._away_since: float | None = None
        self._lock = threading.Lock()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False

    def __call__(self, request: httpx.Request, send: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
        if not self._waiting:
            return _once_active(request, send) if request.method == "GET" else send(request)
        asking = Retrying(
            stop=stop_after_delay(self._seconds),
            wait=_pause,
            retry=retry_if_exception(_is_away) | retry_if_result(_is_overloaded),
            before_sleep=self._went,
            retry_error_callback=_last_answer,
        )
        response: httpx.Response = asking(send, request)
        if not _is_overloaded(response):
            self._came_back()
        return response

    def _went(self, state: RetryCallState) -> None:
        answer = state.outcome
        if answer and not answer.failed and _is_not_active(answer.result()):
            return  # it is there
        with self._lock:
            if self._away_since is not None:
                return
            self._away_since = time.monotonic()
        reason = (answer.exception() or f"status {answer.result().status_code}") if answer else "no answer"
        log.warning("the Qdrant server at %s is away (%s); waiting up to %.0f s", self._url, reason, self._seconds)

    def _came_back(self) -> None:
        with self._lock:
            since, self._away_since = self._away_since, None
        if since is not None:
            log.warning("the Qdrant server at %s is back after %.0f s", self._url, time.monotonic() - since)


def _once_active(request: httpx.Request, send: Callable[[httpx.Request], httpx.Response]) -> httpx.Response:
    asking = Retrying(
        stop=stop_after_delay(ACTIVATION_SECONDS),
        wait=_ACTIVATION,
        retry=retry_if_result(_is_not_active),
        retry_error_callback=_last_answer,
    )
    response: httpx.Response = asking(send, request)
    return response


def _is_away(error: BaseException) -> bool:
    return isinstance(error, ResponseHandlingException) and isinstance(error.source, httpx.TransportError)


def _is_overloaded(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error


def _is_not_active(response: httpx.Response) -> bool:
    return response.is_server_error and _NOT_ACTIVE in response.content


def _pause(state: RetryCallState) -> float:
    """Longer every time; not shorter than the server asks for."""
    asked = ""
    if state.outcome and not state.outcome.failed:
        asked = state.outcome.result().headers.get("Retry-After", "")
    return max(_BACKOFF(state), min(float(asked), _LONGEST_PAUSE) if asked.isdecimal() else 0.0)


def _last_answer(state: RetryCallState) -> httpx.Response:
    """What came of the last try: an answer, or its exception."""
    assert state.outcome is not None
    response: httpx.Response = state.outcome.result()
    return response
