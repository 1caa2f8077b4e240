"""``python -m ingest``: one job, from its arguments to its exit status."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from ingest import generations_command, same_command
from ingest.job import run
from ingest.logs import configure
from ingest.settings import PROGRAM, parse
from schemas import StoreLensError

log = logging.getLogger("ingest")

DONE, FAILED, REJECTED, INTERRUPTED = 0, 1, 3, 130


COMMANDS = {"generations": generations_command.main, "same": same_command.main}
"""What the first argument may be besides a catalog; a file of such a name is ``./generations``."""


def main(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]](arguments[1:])
    settings = parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _standard_output_kept() as stdout, configure(settings.log):
        try:
            report = run(settings)
        except StoreLensError as error:
            return _failed(error.message, error.code)
        except KeyboardInterrupt:
            log.error(f"{PROGRAM}: interrupted; run it again to go on where it was", extra={"event": "interrupted"})
            return INTERRUPTED
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                return _failed(f"{error}; set STORELENS_DEBUG=1 to see where", "unexpected")
            where = f" ({error.filename})" if error.filename else ""
            return _failed(f"the disk is full{where}; make room and run it again: it goes on where it was", "disk-full")
        except Exception as error:
            return _failed(f"{type(error).__name__}: {error}; set STORELENS_DEBUG=1 to see where", "unexpected")
        print(report.model_dump_json(), file=stdout, flush=True)
    return REJECTED if settings.strict and report.rejected else DONE


def _failed(message: str, code: str) -> int:
    if os.environ.get("STORELENS_DEBUG"):
        log.exception("the job failed")
    log.error(f"{PROGRAM}: {' '.join(message.split())}", extra={"event": "failed", "code": code})
    return FAILED


@contextmanager
def _standard_output_kept() -> Iterator[TextIO]:
    """Standard output for the report alone; whatever libraries print, native ones too, goes to stderr."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(kept, "w", encoding="utf-8") as stdout:
        yield stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
