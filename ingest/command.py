"""One job, from its arguments to its exit status; or another command that the first argument names."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TextIO

from ingest.calibration import calibrate_if_due
from ingest.job import run
from ingest.logs import configure
from ingest.settings import parse
from ingest.signals import answer
from schemas import StoreLensError, ingest_command, reason

log = logging.getLogger("ingest")

_NOT_PERMITTED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)

DONE, FAILED, REJECTED, INTERRUPTED = 0, 1, 3, 130


COMMANDS = {
    "documents": "ingest.commands.documents",
    "generations": "ingest.commands.generations",
    "label": "ingest.commands.label",
    "moderate": "ingest.commands.moderate",
    "same": "ingest.commands.same",
    "synonyms": "ingest.commands.synonyms",
    "tidy": "ingest.commands.tidy",
}
"""What the first argument may be besides a catalog, and whose ``main`` it is; a file of such a name is ``./tidy``."""


def main(arguments: Sequence[str]) -> int:
    try:
        answer(signal.default_int_handler)
        if arguments and arguments[0] in COMMANDS:
            return _command(*arguments)
        return _job(arguments)
    except KeyboardInterrupt:
        print(f"{ingest_command()}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _command(name: str, *arguments: str) -> int:
    """One that is no job. It is imported only here, so that a job does not wait for it."""
    try:
        status: int = import_module(COMMANDS[name]).main(arguments)
        return status
    except StoreLensError as error:
        said = error.message
    except OSError as error:
        said, _ = _what_failed(error)
    print(f"{ingest_command()} {name}: {said}", file=sys.stderr)
    return FAILED


def _job(arguments: Sequence[str]) -> int:
    _open_closed_streams()
    settings = parse(arguments)
    with _standard_output_kept() as stdout, configure(settings.log):
        try:
            report = calibrate_if_due(settings, run(settings))
        except StoreLensError as error:
            return _failed(error.message, error.code)
        except KeyboardInterrupt:
            log.error(
                f"{ingest_command()}: interrupted; run it again to go on where it was", extra={"event": "interrupted"}
            )
            return INTERRUPTED
        except OSError as error:
            return _failed(*_what_failed(error))
        except Exception as error:
            return _failed(f"{type(error).__name__}: {error}; set STORELENS_DEBUG=1 to see where", "unexpected")
        try:
            print(report.model_dump_json(), file=stdout, flush=True)
        except OSError as error:
            return _failed(f"the job is done, but stdout does not take its report: {error.strerror}", "report-lost")
    return REJECTED if settings.strict and report.rejected else DONE


def _what_failed(error: OSError) -> tuple[str, str]:
    """What the system refused, and its code."""
    if error.errno in _NOT_PERMITTED:
        return f"{error.filename or 'a file'} cannot be used: {reason(error)}", "not-permitted"
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return f"{error}; set STORELENS_DEBUG=1 to see where", "unexpected"
    where = f" ({error.filename})" if error.filename else ""
    return f"the disk is full{where}; make room and run it again: it goes on where it was", "disk-full"


def _failed(message: str, code: str) -> int:
    if os.environ.get("STORELENS_DEBUG"):
        log.exception("the job failed")
    log.error(f"{ingest_command()}: {' '.join(message.split())}", extra={"event": "failed", "code": code})
    return FAILED


@contextmanager
def _standard_output_kept() -> Iterator[TextIO]:
    """Standard output for the report alone; whatever libraries print, native ones too, goes to stderr."""
    sys.stdout.flush()
    stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        yield stdout
    finally:
        with suppress(OSError):  # what could not be printed was said when it was printed
            stdout.close()


def _open_closed_streams() -> None:
    """A stream that the caller closed leads nowhere, and not into the first file that the job opens."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != descriptor:
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r"))
