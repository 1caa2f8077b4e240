"""Stores images as files that are named by the hash of their content, each once.

Images that were fetched or came inside a catalog are here, so that they can be shown and embedded again without their
source. No file is changed once it is there, so any number of processes may read and write.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Container
from contextlib import suppress
from pathlib import Path

from images.fingerprint import hash_bytes
from schemas import replace_file

_HASH = re.compile(r"[0-9a-f]{32}")
_ABANDONED_SECONDS = 3_600.0
"""Seconds after which a file that is still being written belongs to nobody."""


class ImageStore:
    """Files ``ab/abcdef…`` in ``folder``, which is made when something is put into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._remove_abandoned()

    def put(self, data: bytes) -> str:
        """Keep ``data``; its hash, as ``hash_bytes`` makes it. Raises OSError, as on a full disk."""
        hash = hash_bytes(data)
        if self.get(hash) is None:
            self.write(self._path(hash), data)
        else:
            with suppress(OSError):  # of another user, or on a disk that is read-only
                os.utime(self._path(hash))  # somebody needs it from now on: see `remove_unused`
        return hash

    def get(self, hash: str) -> bytes | None:
        """The bytes of that hash; None where they are not kept, or are no longer what they were."""
        if not _HASH.fullmatch(hash):
            return None
        try:
            data = self._path(hash).read_bytes()
        except OSError:
            return None
        # A file is not flushed to the disk before it gets its name: a power cut may leave it short or blank.
        return data if hash_bytes(data) == hash else None

    def has(self, hash: str) -> bool:
        """Whether there is a file of that hash: one look, no reading."""
        return bool(_HASH.fullmatch(hash)) and os.access(self._path(hash), os.R_OK)

    def remove_unused(self, used: Container[str], before: float, *, dry_run: bool = False) -> tuple[int, int]:
        """Remove images that nobody needs.

        Args:
            used: The hashes of those that are needed.
            before: Seconds since 1970; what was put here later stays, as nobody may have had time to say that it is
                needed.

        Returns:
            How many were removed, or would be, and their bytes.
        """
        count = size = 0
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            if _HASH.fullmatch(path.name) and path.name not in used:
                with suppress(FileNotFoundError):
                    status = path.stat()
                    if status.st_mtime < before:
                        if not dry_run:
                            path.unlink()
                        count, size = count + 1, size + status.st_size
        return count, size

    def write(self, path: Path, data: bytes) -> None:
        """Give the file ``path``, somewhere in ``folder``, this content in one step. Raises OSError."""
        aside = self._new / secrets.token_hex(16)
        try:
            replace_file(path, data, aside=aside, durable=False)
        except FileNotFoundError:  # folders are made when they are missed: to look before each file costs more
            for folder in (aside.parent, path.parent):
                folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, data, aside=aside, durable=False)

    @property
    def _new(self) -> Path:
        return self.folder / "new"

    def _path(self, hash: str) -> Path:
        return Path(f"{self.folder}/{hash[:2]}/{hash}")  # in one step: for a million images it counts

    def _remove_abandoned(self) -> None:
        """What processes that were killed had begun to write."""
        with suppress(OSError):
            for path in self._new.iterdir():
                if path.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                    path.unlink()
