"""Things that several use at once, and that the last of them closes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Shared(Generic[Value]):
    """Something open that counts its users, whoever made it first of all: the last release closes it.

    Threads may call at once. Who looks it up where others may release it does so, and acquires it, under one lock.
    """

    def __init__(self, value: Value, close: Callable[[], object]) -> None:
        self.value = value
        self._close = close
        self._users = 1
        self._lock = threading.Lock()

    def acquire(self) -> None:
        with self._lock:
            self._users += 1

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            last = not self._users
        if last:
            self._close()

    @contextmanager
    def used(self) -> Iterator[Value]:
        """The value, which stays open until the context ends."""
        self.acquire()
        try:
            yield self.value
        finally:
            self.release()
