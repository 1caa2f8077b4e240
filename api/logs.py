"""What the API writes to stderr: a line a matter, with its time."""

from __future__ import annotations

import logging
import sys
from threading import Lock

from cachetools import TTLCache

REPEATED_SECONDS = 60.0
_REMEMBERED = 256


class NotAgain(logging.Filter):
    """Lets a message through once a minute: while a server is away, each search would say the same."""

    def __init__(self, seconds: float = REPEATED_SECONDS) -> None:
        super().__init__()
        self._said: TTLCache[tuple[str, str], bool] = TTLCache(_REMEMBERED, seconds)
        self._lock = Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info:
            return True
        said = record.name, record.getMessage()
        with self._lock:
            if said in self._said:
                return False
            self._said[said] = True
        return True


def configure() -> None:
    """Everything from warnings on, and what the service itself has to say: not what libraries do."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    handler.addFilter(NotAgain())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("storelens").setLevel(logging.INFO)
