"""Files that readers see whole, the old one or the new, whenever their writer dies."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, content: bytes, *, aside: Path | None = None, durable: bool = True) -> None:
    """Give a file new content in one step.

    Any number of processes may do it at once: the last one wins.

    Args:
        aside: Where the content is written first, on the same file system: what a killed writer leaves. Left out, a
            hidden file of a random name beside ``path``.
        durable: Whether it is on the disk on return, which takes milliseconds. A power cut may leave a short or empty
            file otherwise, for readers that know the right content when they see it.

    Raises:
        OSError: as on a full disk, or where the folder is not there; nothing of the new content is left then.
    """
    aside = aside or path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with aside.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    if durable:
        fsync(path.parent)


def fsync(path: Path) -> None:
    """Make the content of a file, or the names in a folder, durable."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
