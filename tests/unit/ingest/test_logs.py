"""Lines for people, or one JSON object a line whatever is printed by whom."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

_PROGRAM = """
import logging, os, subprocess, sys, warnings
from ingest.logs import configure

print("before", file=sys.stderr)
with configure(sys.argv[1]):
    logging.getLogger("ingest.job").info("%d rows", 3, extra={"event": "rows", "rows": 3})
    logging.getLogger("ingest.job").info("columns na\\x1b[31mme, na\\nme, \\u2028")
    logging.getLogger("library").warning("odd \\ud800 <b>")
    logging.getLogger("library").info("chatter")
    warnings.warn("careful", stacklevel=1)
    print("printed")
    print("half\\rwhole", file=sys.stderr)
    os.write(1, b"native \\xff\\n")
    os.write(2, b"x" * 100_000 + b"\\n")
    subprocess.run([sys.executable, "-c", "import sys; print('a worker', file=sys.stderr)"], check=True)
    # One that outlives the job, and holds its stderr open.
    late = subprocess.Popen(["sleep", "60"])
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("failed")
print(late.pid)
late.kill()
late.wait()
print("after", file=sys.stderr)
"""


def _run(log: str) -> tuple[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, log],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.splitlines()


def test_every_line_is_an_event() -> None:
    stdout, (before, *lines, after) = _run("json")
    assert stdout.strip().isdigit()  # nothing of the job, and what came after it is where it belongs
    assert (before, after) == ("before", "after")
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert all({"time", "level", "logger", "event", "message"} <= set(event) for event in events)
    assert {"event": "rows", "level": "INFO", "logger": "ingest.job", "message": "3 rows", "rows": 3}.items() <= events[
        0
    ].items()
    by_logger = {event["logger"]: event for event in events}
    assert by_logger["library"]["message"] == "odd \ud800 <b>"
    assert "careful" in by_logger["py.warnings"]["message"]
    assert "ZeroDivisionError" in by_logger["root"]["exc_info"]
    printed = [event["message"] for event in events if event["event"] == "output"]
    assert printed[:3] == ["printed", "whole", "native \\xff"]
    assert "".join(printed[3:-1]) == "x" * 100_000
    assert printed[-1] == "a worker"


def test_text_is_the_time_and_the_message() -> None:
    stdout, lines = _run("text")
    assert "printed" in stdout
    logged = dict(
        line.split(" ", 1)[::-1] for line in lines if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} ", line)
    )
    assert set(logged) == {"3 rows", r"columns na\x1b[31mme, na\nme, \u2028", "odd \\ud800 <b>", "failed"}
    assert {"before", "after"} <= set(lines)


@pytest.mark.parametrize("log", ["json", "text"])
def test_a_reader_that_went_away_stops_nothing(log: str) -> None:
    program = (
        "import logging, sys\nfrom ingest.logs import configure\n"
        "with configure(sys.argv[1]):\n"
        "    [logging.getLogger('ingest').info('x' * 1000) for _ in range(2000)]\n"
        "print('done')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, log], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as job:
        assert job.stdout is not None
        assert job.stderr is not None
        job.stderr.close()
        assert job.stdout.read() == "done\n"
