"""A clock that tests turn."""

from __future__ import annotations


class Clock:
    """Seconds; whoever sleeps by it turns it on."""

    def __init__(self) -> None:
        self.now = 1.7e9

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
