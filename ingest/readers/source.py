"""Bytes from anywhere, read from the start any number of times: a file, standard input, part of an archive."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from images import DAMAGED, Archive, decompressed, file_slice, spool
from schemas import CatalogError, ImageError, reason


@contextmanager
def unreadable(name: str) -> Iterator[None]:
    """What goes wrong in reading as a CatalogError."""
    try:
        yield
    except DAMAGED as error:
        raise CatalogError(f"{name} breaks off or is damaged: {error or type(error).__name__}") from error
    except OSError as error:
        raise CatalogError(f"cannot read {name}: {reason(error)}") from error


class Source(ABC):
    """``name`` is what people call it; the end of ``file_name`` says what is in it."""

    seekable = True

    def __init__(self, name: str, file_name: str) -> None:
        self.name = name
        self.file_name = file_name

    @abstractmethod
    def open(self) -> BinaryIO:
        """A reader of its own at the start. Raises CatalogError."""

    def check_unchanged(self) -> None:  # noqa: B027 - a copy of our own never changes
        """Raises CatalogError where it is known to be another than it was."""

    def close(self) -> None:  # noqa: B027
        """Lets go of what is held."""


class FileSource(Source):
    """A file on disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), path.name)
        self.path = path
        self._version = self._stat()

    def open(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise CatalogError(f"cannot read {self.path}: {reason(error)}") from error

    def check_unchanged(self) -> None:
        if self._stat() != self._version:
            raise CatalogError(f"{self.path} changed while it was read; run the job again once it is complete")

    def _stat(self) -> tuple[int, int, int]:
        try:
            stat = self.path.stat()
        except OSError as error:
            raise CatalogError(f"cannot read {self.path}: {reason(error)}") from error
        return stat.st_ino, stat.st_size, stat.st_mtime_ns


class CopySource(Source):
    """A temporary file of ours: of what can be read only once, or is elsewhere."""

    def __init__(self, name: str, file_name: str, copy: IO[bytes]) -> None:
        super().__init__(name, file_name)
        self._copy = copy

    def open(self) -> BinaryIO:
        return file_slice(self._copy)

    def close(self) -> None:
        self._copy.close()


class MemberSource(Source):
    """A file in an archive, which others hold open."""

    seekable = False

    def __init__(self, name: str, archive: Archive, member: str, check: Callable[[], None]) -> None:
        super().__init__(name, member.rpartition("/")[2])
        self._archive = archive
        self._member = member
        self._check = check

    def open(self) -> BinaryIO:
        try:
            member = self._archive.open(self._member)
            return cast(BinaryIO, io.BufferedReader(member, 2**16))
        except ImageError as error:
            raise CatalogError(f"cannot read {self.name}: {error.message}") from error

    def check_unchanged(self) -> None:
        self._check()


class UnpackedSource(Source):
    """What a compressed source holds."""

    seekable = False

    def __init__(self, source: Source, compression: str) -> None:
        super().__init__(source.name, source.file_name.rpartition(".")[0] or source.file_name)
        self._source = source
        self._compression = compression

    def open(self) -> BinaryIO:
        return decompressed(self._source.open(), self._compression, bounded=True)

    def check_unchanged(self) -> None:
        self._source.check_unchanged()

    def close(self) -> None:
        self._source.close()


class SeekableSource(Source):
    """A source that is copied into a temporary file when it is first opened, for formats that jump about."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.name, source.file_name)
        self._source = source
        self._copy: CopySource | None = None
        self._held = ExitStack()

    def open(self) -> BinaryIO:
        if self._copy is None:
            with self._source.open() as stream, unreadable(self.name):
                self._copy = CopySource(self.name, self.file_name, spool(stream))
            self._held.callback(self._copy.close)
        return self._copy.open()

    def check_unchanged(self) -> None:
        self._source.check_unchanged()

    def close(self) -> None:
        self._held.close()
        self._source.close()
