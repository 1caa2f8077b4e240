"""Locks that end with their process: advisory locks on files, which the kernel releases.

Not filelock's: it waits by polling, where the kernel wakes the next in line.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas import IndexLocked

log = logging.getLogger(__name__)

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


_LOOKED_EVERY = 0.2


@contextmanager
def writer_lock(path: Path, wait: float = 0.0) -> Iterator[str]:
    """The right to write, with the holder's name in the file. Raises IndexLocked when it is taken for ``wait`` seconds.

    Yields a token that every holder of this file has in turn, and nobody else. Its folder must be there.
    """
    file = os.open(path, _FLAGS, 0o644)
    try:
        _lock(file, path, wait)
        token = str(_holder(path).get("token") or secrets.token_hex(16))
        since = datetime.now(UTC).isoformat(" ", "seconds")
        holder = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since, "token": token})
        # In this order the token is there to read whenever this process dies.
        os.pwrite(file, holder.encode(), 0)
        os.ftruncate(file, len(holder))
        yield token
    finally:
        # The file stays: removing it would let two jobs hold two different files of one name.
        os.close(file)


def _lock(file: int, path: Path, wait: float) -> None:
    end = time.monotonic() + wait
    told = False
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _name(_holder(path))
        if time.monotonic() >= end:
            raise IndexLocked(f"another job is writing to this index ({holder}); wait until it has ended")
        if not told:
            log.warning("another job holds this index (%s); waiting up to %.0f s", holder, wait)
            told = True
        time.sleep(_LOOKED_EVERY)


def _holder(path: Path) -> dict[str, Any]:
    """What a lock file says; nothing where it cannot be read."""
    try:
        holder, _ = json.JSONDecoder().raw_decode(path.read_text())
    except (OSError, ValueError):
        return {}
    return holder if isinstance(holder, dict) else {}


def _name(holder: dict[str, Any]) -> str:
    try:
        return f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except KeyError:
        return "it has not said who it is"


@contextmanager
def waiting_lock(path: Path) -> Iterator[None]:
    """A lock for moments: waits for whoever holds it."""
    file = os.open(path, _FLAGS, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def claim(path: Path) -> int | None:
    """Hold a file for as long as the returned descriptor is open; None where somebody else does."""
    file = os.open(path, _FLAGS, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file
