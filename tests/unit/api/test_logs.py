"""A line a matter, with its time; what libraries chatter is not in it."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api.logs import NotAgain

ROOT = Path(__file__).parents[3]

_PROGRAM = """
import logging
from api import logs

logs.configure()
logging.getLogger("httpx").info("HTTP Request: GET http://qdrant:6333/collections/products")
logging.getLogger("storelens.api").info("serving")
logging.getLogger("index.server.retries").warning("away")
for number in range(100):
    logging.getLogger("storelens.api").error("index-unavailable: it does not answer")
logging.getLogger("uvicorn.error").error("something else")
"""


def test_lines() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    lines = [line.partition(" ") for line in done.stderr.splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", time) for time, _, _ in lines)
    assert [said for _, _, said in lines] == [
        "INFO storelens.api: serving",
        "WARNING index.server.retries: away",
        "ERROR storelens.api: index-unavailable: it does not answer",
        "ERROR uvicorn.error: something else",
    ]


@pytest.mark.parametrize(("message", "heard"), [("the same", False), ("another", True)])
def test_the_same_is_said_again_after_a_while(message: str, heard: bool) -> None:
    def record(message: str) -> logging.LogRecord:
        return logging.LogRecord("storelens.api", logging.ERROR, "", 0, message, (), None)

    said = NotAgain(seconds=3_600)
    assert said.filter(record("the same"))
    assert said.filter(record(message)) is heard
    forgetful = NotAgain(seconds=0)
    assert forgetful.filter(record("the same"))
    assert forgetful.filter(record("the same"))
