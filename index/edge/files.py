"""Copies, links and replacements of files that are whole or absent, even if the process dies meanwhile."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from schemas import fsync, replace_file

_ZEROS = bytes(1 << 16)


def replace_text(path: Path, text: str) -> None:
    """Give a file new content in one step, for the one writer that an index has: what a killed one leaves is used."""
    replace_file(path, text.encode(), aside=path.with_name(path.name + ".new"))


def copy_tree(source: Path, target: Path) -> None:
    """A durable copy that stays as sparse as the original.

    Qdrant preallocates: a small shard is 170 MB of file sizes and 20 MB of data.
    """
    shutil.copytree(source, target, copy_function=_copy)
    # All is written before any of it is waited for: of a copy of 900 MB that took 1.7 s instead of 4.2.
    for path in (target, *target.rglob("*")):
        fsync(path)


def disk_usage(folder: Path) -> int:
    """Bytes that the files in a folder occupy, holes left out."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


def link_tree(source: Path, target: Path) -> None:
    """A shard directory of one's own that shares the files of ``source``, for reading only.

    Edge locks a shard by its ``wal``: every reader has its own, empty. A committed generation is
    flushed, so nothing is replayed, and nothing is written into the shared files.
    """

    def without_wal(folder: str, names: list[str]) -> list[str]:
        return ["wal"] if Path(folder) == source and "wal" in names else []

    shutil.copytree(source, target, copy_function=_link, ignore=without_wal)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # no hard links here, or too many
        _copy(source, target)


def _copy(source: str, target: str) -> None:
    """Only what the file system says is there is read: of a small shard's 170 MB, a tenth."""
    with Path(source).open("rb") as reader, Path(target).open("wb") as writer:
        for begin, end in _written(reader.fileno()):
            reader.seek(begin)
            writer.seek(begin)
            while chunk := reader.read(min(len(_ZEROS), end - reader.tell())):
                if chunk == _ZEROS:
                    writer.seek(len(chunk), os.SEEK_CUR)
                else:
                    writer.write(chunk)
        writer.truncate(os.fstat(reader.fileno()).st_size)


def _written(file: int) -> Iterator[tuple[int, int]]:
    """Where a file has been written to, from and to; where a file system does not keep record of it, everywhere."""
    at = 0
    while True:
        try:
            begin = os.lseek(file, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing is written after that
                return
            raise
        at = os.lseek(file, begin, os.SEEK_HOLE)
        yield begin, at
