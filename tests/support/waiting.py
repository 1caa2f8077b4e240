"""Waiting for what no event tells, as of other processes: asked again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic


def within(seconds: float, holds: Callable[[], object]) -> bool:
    """Whether it holds by then."""
    deadline, never = monotonic() + seconds, threading.Event()
    while not (held := bool(holds())) and monotonic() < deadline:
        never.wait(0.02)
    return held
