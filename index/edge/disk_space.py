"""Checks for free disk space before Edge needs it, and turns errors of the disk into typed ones.

Edge writes into sparse files that are mapped into memory: when the disk is full, the kernel kills the process in the
middle of a write (SIGBUS), without a message.
"""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas import IndexDiskFull, IndexForbidden, ingest_command, reason

MARGIN = 32_000_000
"""Bytes left free by every check, for what is not foreseen and for what others write meanwhile."""

_OPENING = 4_000_000
_LOG = 1 << 25
"""Size of a file of Edge's log; it begins two."""

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG)
_FULL = ("no space left", "not enough space", "disk quota exceeded")


def make_folder(folder: Path) -> None:
    """Make the folder of an index where it is missing. Raises IndexForbidden where there can be none."""
    try:
        with told_when_full(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError as error:  # below /proc, or through a link that leads nowhere
        raise forbidden(error, folder) from error


def require(folder: Path, needed: int, what: str, margin: int = MARGIN) -> None:
    """Raises IndexDiskFull unless the disk of ``folder`` has ``needed`` bytes and the margin."""
    free = shutil.disk_usage(folder).free
    if free < needed + margin:
        wanted = _shown(needed + margin)
        raise _full(f"{what} needs about {wanted} free on the disk of {folder}, which has {_shown(free)}")


def require_to_open(shard: Path) -> None:
    """Raises IndexDiskFull unless a shard can be opened: for its log, and on some disks, for its holes."""
    require(shard, 0, "opening an index", _OPENING)
    if _reading_fills_holes(shard):
        holes = sum(max(0, file.st_size - file.st_blocks * 512) for file in map(Path.lstat, shard.rglob("*")))
        require(shard, holes + 2 * _LOG, "opening an index", _OPENING)


def has_room_to_close(shard: Path, written: bool) -> bool:
    """Closing writes what is not yet where it belongs; a little even where nothing was written."""
    return shutil.disk_usage(shard).free >= (MARGIN if written else _OPENING)


def _reading_fills_holes(folder: Path) -> bool:
    """Whether a hole that is mapped and read takes room from then on: a disk in memory (tmpfs) does that."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.truncate(mmap.PAGESIZE)
        with mmap.mmap(file.fileno(), mmap.PAGESIZE, access=mmap.ACCESS_READ) as page:
            page.read(1)
        return os.fstat(file.fileno()).st_blocks > 0


@contextmanager
def told_when_full(folder: Path) -> Iterator[None]:
    """Turns every way to say that a disk is full into IndexDiskFull; that it may not be used, into IndexForbidden."""
    try:
        yield
    except IndexDiskFull:
        raise
    except Exception as error:  # Edge raises nothing more precise, and shutil.Error has only texts
        number = error.errno if isinstance(error, OSError) else None
        if isinstance(error, OSError) and number in _FORBIDDEN:
            raise forbidden(error, folder) from error
        if number in (errno.ENOSPC, errno.EDQUOT) or any(words in str(error).lower() for words in _FULL):
            raise _full(f"the disk of {folder} is full ({error})") from error
        raise


def forbidden(error: OSError, folder: Path) -> IndexForbidden:
    """What is said where the system lets nobody, or not this user, use the folder of an index."""
    path = error.filename or folder
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        not_one = next((path for path in (folder, *folder.parents) if path.exists() and not path.is_dir()), path)
        return IndexForbidden(f"{not_one} is a file, and the index needs a folder: name another, or move the file away")
    if error.errno == errno.ENOENT:
        return IndexForbidden(f"{folder} cannot be made: {reason(error)}; name a folder on a disk, or one that exists")
    if error.errno == errno.EROFS:
        return IndexForbidden(
            f"{path} is on a disk or mount that is read-only; whoever opens the index in {folder} has a folder of its "
            "own in it, so mount it to be written to"
        )
    return IndexForbidden(f"{path} cannot be used: {reason(error)}")


def _full(what: str) -> IndexDiskFull:
    return IndexDiskFull(
        f"{what}; free some, by `{ingest_command()} generations remove` for one, and run the job again to go on where "
        "it was: what serves is untouched"
    )


def _shown(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
