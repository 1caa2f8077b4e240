"""What a job says on stderr: lines for people, or one JSON object a line for programs; and results on stdout."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Literal, TextIO
from uuid import uuid4

from pythonjsonlogger.json import JsonFormatter

Log = Literal["text", "json"]

_PIPE_BYTES = 2**20
_LONGEST_LINE = 2**16

output = logging.getLogger("ingest.output")
"""What libraries and other processes of the job print, where every line has to be an object."""


@contextmanager
def configure(log: Log) -> Iterator[None]:
    """Logging of the process while the job runs.

    As ``json`` a line is ``{"time", "level", "logger", "event", "message"}`` and what else belongs to the
    event; ``event`` is ``log`` where there is no better name. Warnings become events too, and so does, as
    ``output``, whatever else arrives at stderr: libraries print, native code and worker processes as well.
    """
    logging.getLogger("ingest").setLevel(logging.INFO)
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it also raises what it complains of
    if log == "text":
        logging.basicConfig(stream=sys.stderr)
        for handler in logging.getLogger().handlers:
            handler.setFormatter(_Lines("%(asctime)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"))
        yield
        return
    with _descriptors_kept() as stderr, _logged_as_json(stderr), _output_as_events():
        yield


class _Lines(logging.Formatter):
    """A message is one line, and nothing that a catalog says in it moves a terminal's cursor."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return super().formatMessage(record).translate(_CONTROLS)


_CONTROLS = {code: ascii(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}


@contextmanager
def _logged_as_json(stderr: TextIO) -> Iterator[None]:
    handler = logging.StreamHandler(stderr)
    handler.setFormatter(
        JsonFormatter(
            ["levelname", "name", "message"],
            rename_fields={"levelname": "level", "name": "logger"},
            defaults={"event": "log"},
            timestamp="time",
        )
    )
    root = logging.getLogger()
    root.addHandler(handler)
    logging.captureWarnings(True)
    # What logging says of an event it cannot write would itself become an event, without end.
    complains, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        yield
    finally:
        logging.raiseExceptions = complains
        logging.captureWarnings(False)
        root.removeHandler(handler)


@contextmanager
def _descriptors_kept() -> Iterator[TextIO]:
    """The stderr of the process; it and stdout lead to where they led before when this is over."""
    stdout, stderr = os.dup(1), os.dup(2)
    file = os.fdopen(stderr, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    try:
        yield file
    finally:
        with suppress(OSError):  # nobody reads any more: no reason for a job to fail
            file.close()
        for kept, descriptor in ((stdout, 1), (stderr, 2)):
            os.dup2(kept, descriptor)
            os.close(kept)


@contextmanager
def _output_as_events() -> Iterator[None]:
    """What the process prints, to stdout too, goes to a thread that logs each line."""
    _flush()
    read_end, write_end = os.pipe()
    with suppress(AttributeError, OSError):  # Linux: room for native code that writes while it holds the GIL
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    for descriptor in (1, 2):
        os.dup2(write_end, descriptor)
    # Processes that live on hold the pipe open: its end is said, not seen.
    end = uuid4().hex.encode()
    reader = threading.Thread(target=_log_lines, args=(read_end, end), name="output", daemon=True)
    reader.start()
    try:
        with _printed_at_once():
            yield
    finally:
        _flush()
        os.write(write_end, b"\n" + end + b"\n")
        reader.join()
        os.close(write_end)


@contextmanager
def _printed_at_once() -> Iterator[None]:
    """Into a pipe Python prints block by block: an event would have the time of the last line in its block."""
    stdout = sys.stdout
    if not isinstance(stdout, TextIOWrapper):
        yield
        return
    line_buffering = stdout.line_buffering
    stdout.reconfigure(line_buffering=True)
    try:
        yield
    finally:
        stdout.reconfigure(line_buffering=line_buffering)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _log_lines(read_end: int, end: bytes) -> None:
    with os.fdopen(read_end, "rb") as lines:
        while (line := lines.readline(_LONGEST_LINE).rstrip(b"\r\n")) != end:
            # Of a line that was drawn over, what is to be seen in the end.
            if shown := line.rpartition(b"\r")[2].decode("utf-8", "backslashreplace").strip():
                output.info("%s", shown, extra={"event": "output"})


def print_lines(lines: Iterable[str]) -> None:
    """Lines of results on stdout, for as long as somebody reads them."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; what Python would flush at its end goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
