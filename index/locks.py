"""Locks that die with their holder: advisory locks on files, which the kernel lets go of."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from schemas import IndexLocked

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """The right to write, with the holder's name in the file. Raises IndexLocked at once when it is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, _FLAGS, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise IndexLocked(
                f"another job is writing to this index ({_holder(path)}); wait until it has ended"
            ) from None
        since = datetime.now(UTC).isoformat(" ", "seconds")
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(holder).encode(), 0)
        yield
    finally:
        # The file stays: removing it would let two jobs hold two different files of one name.
        os.close(file)


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text())
        return f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
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
