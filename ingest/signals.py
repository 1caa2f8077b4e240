"""How a job answers Ctrl-C and SIGTERM. It imports next to nothing: what takes its time to import comes after it."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # all that is needed of `signal`, without its classes of numbers
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def answer(handler: Any) -> None:
    """Answer both with ``handler`` from here on. What the caller has ignored, as `nohup` and `&` do, stays ignored."""
    for number in (_signal.SIGINT, _signal.SIGTERM):
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, handler)


def end_at_once(*_: object) -> None:
    """For as long as nothing has begun: no traceback out of the middle of an import."""
    os.write(2, b"python -m ingest: interrupted\n")
    os._exit(130)


def leave_to_python() -> None:
    """For when nothing is left but Python's own end, which has tracebacks of its own."""
    answer(_signal.SIG_DFL)
