"""Which hosts may be asked, how many requests each gets at once, and which hosts are given up on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import httpx
from cachetools import LRUCache

from images.fetch.network import Deadline
from schemas import ImageHostGivenUp, ImageHostRefused, ImageUnreachable

FAILURES = 20
"""Attempts in a row after which a host is given up on: rare where half of them fail, quick where all do."""
PAUSE = 60.0
"""Seconds until one more attempt is made with a host that was given up on."""
MAX_HOSTS = 10_000
"""That are remembered."""


class Hosts:
    """What is known of every host. Threads may call at once.

    Args:
        allowed: Names, or ``*.`` and what a name ends with; none allows all.
        connections: How many may be asked of one host at once.
        pause: Seconds until a host that was given up on is tried again, by ``clock``.
    """

    def __init__(
        self,
        allowed: Sequence[str],
        connections: int,
        pause: float = PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names = {_as_sent(name) for name in allowed if not name.startswith("*.")}
        self._endings = tuple("." + _as_sent(name[2:]) for name in allowed if name.startswith("*."))
        self._connections = connections
        self._pause = pause
        self._clock = clock
        self._states: LRUCache[str, _State] = LRUCache(MAX_HOSTS)
        self._lock = threading.Lock()

    def check(self, host: str) -> None:
        """Args: ``host`` as it is sent, ASCII. Raises ImageHostRefused where the settings do not allow it."""
        name = host.removesuffix(".")
        if (self._names or self._endings) and name not in self._names and not name.endswith(self._endings):
            raise ImageHostRefused(
                f"the host {host} is not one of STORELENS_PICTURE_HOSTS that images may come from", field="image"
            )

    @contextmanager
    def turn(self, host: str, deadline: Deadline, patient: bool) -> Iterator[None]:
        """One question to a host, once fewer than ``connections`` are being asked.

        What leaves the context as ImageUnreachable is a failure of the host; anything else says that it lives.

        Args:
            patient: Waiting for the turn is not counted: an image is not late because of those before it.

        Raises:
            ImageHostGivenUp: it failed too often.
            ImageUnreachable: no turn before the deadline.
        """
        state = self._state(host)
        state.check(host)
        started = time.monotonic()
        if not state.slots.acquire(timeout=None if patient else max(deadline.left(), 0)):
            raise ImageUnreachable(f"{host} is busy with other images; try again later", field="image")
        try:
            if patient:
                deadline.postpone(time.monotonic() - started)
            state.check(host, self._pause)  # it may have been given up on in the meantime
            try:
                yield
            except ImageUnreachable:
                state.failed(self._pause)
                raise
            except Exception:
                state.lives()
                raise
            state.lives()
        finally:
            state.slots.release()

    def _state(self, host: str) -> _State:
        with self._lock:
            state = self._states.get(host)
            if state is None:
                state = self._states[host] = _State(self._connections, self._clock)
            return state


class _State:
    """Of one host."""

    def __init__(self, connections: int, clock: Callable[[], float]) -> None:
        self.slots = threading.BoundedSemaphore(connections)
        self._clock = clock
        self._failures = 0
        self._closed_until = 0.0
        self._lock = threading.Lock()

    def check(self, host: str, pause: float | None = None) -> None:
        """Raises ImageHostGivenUp. With ``pause``, whoever comes through after one makes the others wait another."""
        with self._lock:
            if self._failures < FAILURES:
                return
            now = self._clock()
            if now < self._closed_until:
                raise ImageHostGivenUp(
                    f"{host} failed {FAILURES} times in a row and was given up on for now; run the job again when "
                    "it is well",
                    field="image",
                )
            if pause is not None:
                self._closed_until = now + pause

    def failed(self, pause: float) -> None:
        with self._lock:
            self._failures += 1
            self._closed_until = self._clock() + pause

    def lives(self) -> None:
        with self._lock:
            self._failures = 0


def _as_sent(name: str) -> str:
    """A host name in lower case and ASCII, as URLs carry it."""
    return httpx.URL(f"http://{name.removesuffix('.')}/").raw_host.decode("ascii")
