"""Zip and tar files read in place: a catalog's images without unpacking.

A member's name is only a key and never a path on disk, so no name can lead out of the archive. Names with ``..`` or
from ``/``, folders and other things that are no files are ignored; links and encrypted members are refused when they
are asked for.
"""

from __future__ import annotations

import os
import re
import stat
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, NamedTuple, Protocol

from images.compression import DAMAGED, MAX_ANYWAY, MAX_EXPANSION, compression_of, decompressed
from images.limits import cut, too_large
from images.spool import file_slice, spool
from schemas import CatalogError, ImageDamaged, ImageNotFound, ImageSourceUnsupported, Shared, reason

_ZIP, _TAR = re.compile(r"\.zip\Z", re.I), re.compile(r"\.(tar(\.(gz|zst|zstd))?|tgz|tzst)\Z", re.I)
_INSIDE = re.compile(r"(.+?\.(?:zip|tar(?:\.(?:gz|zst|zstd))?|tgz|tzst))!/?(.*)\Z", re.I | re.S)


class Location(NamedTuple):
    """An archive by its path or URL, and a path inside it, ``""`` for all of it."""

    archive: str
    inside: str


def split_location(text: str) -> Location | None:
    """``shop.zip!/feeds/a.csv`` in two; None for what names no archive."""
    if match := _INSIDE.match(text):
        return Location(match[1], match[2].strip("/"))
    return Location(text, "") if _ZIP.search(text) or _TAR.search(text) else None


class Archive(Protocol):
    """Any number of threads may call at once. ``open`` and ``read`` raise ImageError for their one member."""

    @property
    def names(self) -> Iterator[str]: ...

    def version_tag(self, name: str) -> str | None:
        """Another one where the member may be another; None where there is no such member."""
        ...

    def open(self, name: str) -> BinaryIO: ...

    def read(self, name: str, max_bytes: int) -> bytes: ...

    def close(self) -> None: ...


class ZipArchive:
    """Marks are checksum and size, so they hold for a file that was packed anew."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        try:
            # A file object of its own is never closed by zipfile, whose count of readers is not for threads.
            self._zip = zipfile.ZipFile(file_slice(file))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as error:
            raise CatalogError(f"it cannot be read as zip: {error}") from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            if not info.is_dir() and (name := _clean(info.filename)):
                self._members[name] = info

    @property
    def names(self) -> Iterator[str]:
        return iter(self._members)

    def version_tag(self, name: str) -> str | None:
        info = self._members.get(name)
        return None if info is None else f"{info.CRC:08x}-{info.file_size}"

    def open(self, name: str) -> BinaryIO:
        info = self._members.get(name)
        if info is None:
            raise _not_there(name)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _link(name)
        if info.flag_bits & 0x1:
            raise ImageSourceUnsupported(f"{cut(name)} is encrypted; pack it without a password", field="image")
        if info.file_size > max(MAX_ANYWAY, MAX_EXPANSION * info.compress_size):
            grows = f"it unpacks to more than {MAX_EXPANSION} times its size, which no catalog does"
            raise ImageDamaged(f"{cut(name)} cannot be unpacked: {grows}", field="image")
        try:
            return self._zip.open(info)  # type: ignore[return-value]
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
            raise ImageDamaged(f"{cut(name)} cannot be unpacked: {error}", field="image") from error

    def read(self, name: str, max_bytes: int) -> bytes:
        try:
            with self.open(name) as member:
                data = member.read(max_bytes + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            raise ImageDamaged(f"{cut(name)} cannot be unpacked: {error}", field="image") from error
        if len(data) > max_bytes:
            raise too_large(max_bytes)
        return data

    def close(self) -> None:
        self._zip.close()
        self._file.close()


class _Member(NamedTuple):
    at: int
    size: int
    mtime: float
    link: bool


class TarArchive:
    """Marks are size and time."""

    def __init__(self, file: IO[bytes], compression: str | None = None) -> None:
        self._file = file if compression is None else _unpacked(file, compression)
        try:
            self._members = dict(_tar_members(self._file))
        except (tarfile.TarError, ValueError, OSError, EOFError, OverflowError) as error:
            self._file.close()
            raise CatalogError(f"it cannot be read as tar: {error}") from error

    @property
    def names(self) -> Iterator[str]:
        return iter(self._members)

    def version_tag(self, name: str) -> str | None:
        member = self._members.get(name)
        return None if member is None else f"{member.size}-{member.mtime}"

    def open(self, name: str) -> BinaryIO:
        member = self._members.get(name)
        if member is None:
            raise _not_there(name)
        if member.link:
            raise _link(name)
        return file_slice(self._file, member.at, member.size)

    def read(self, name: str, max_bytes: int) -> bytes:
        with self.open(name) as member:
            if self._members[name].size > max_bytes:
                raise too_large(max_bytes)
            try:
                return member.read()
            except OSError as error:
                raise ImageNotFound(f"{cut(name)} cannot be read: {error.strerror}", field="image") from error

    def close(self) -> None:
        self._file.close()


def _tar_members(file: IO[bytes]) -> Iterator[tuple[str, _Member]]:
    with file_slice(file) as whole, tarfile.open(fileobj=whole, mode="r:") as tar:
        for info in tar:
            name = _clean(info.name)
            if name and (info.isreg() or info.issym() or info.islnk()) and not info.issparse():
                yield name, _Member(info.offset_data, info.size, info.mtime, not info.isreg())
            tar.members = []  # type: ignore[attr-defined] # or they are all kept, at a kilobyte each


def _unpacked(file: IO[bytes], compression: str) -> IO[bytes]:
    allowed = max(MAX_ANYWAY, MAX_EXPANSION * os.fstat(file.fileno()).st_size)
    try:
        with file_slice(file) as packed, decompressed(packed, compression) as stream:
            return spool(stream, allowed)
    except DAMAGED as error:
        raise CatalogError(f"it breaks off or is no {compression} file: {error}") from error
    except OverflowError as error:
        raise CatalogError(f"it unpacks to {error}, which no catalog does; unpack it yourself") from error
    except OSError as error:
        raise CatalogError(f"it cannot be unpacked into a temporary file: {error.strerror}") from error
    finally:
        file.close()


def _clean(name: str) -> str | None:
    """A member's name in one way of writing it; None for one that leads out of the archive."""
    parts = PurePosixPath(name).parts
    return None if not parts or parts[0] == "/" or ".." in parts else "/".join(parts)


def _not_there(name: str) -> ImageNotFound:
    return ImageNotFound(f"{cut(name)} is not in the archive", field="image")


def _link(name: str) -> ImageSourceUnsupported:
    return ImageSourceUnsupported(f"{cut(name)} is a link in the archive; pack the file itself", field="image")


# An archive that both a reader and a root use, or many requests, is opened and unpacked once.


_shared: dict[tuple[str, object], Shared[Archive]] = {}
_lock = threading.RLock()


@contextmanager
def using_archive(location: str) -> Iterator[Archive]:
    """The archive at a path or URL; closed when nobody uses it any more.

    Raises:
        CatalogError: it is not there, or is no archive.
    """
    with _lock:
        key = (location, _version(location))
        shared = _shared.get(key)
        if shared is not None:
            shared.acquire()
        else:
            archive = _open(location)
            shared = _shared[key] = Shared(archive, partial(_close, key, archive))
    try:
        yield shared.value
    finally:
        with _lock:  # so that nobody finds one that is being closed
            shared.release()


def _close(key: tuple[str, object], archive: Archive) -> None:
    del _shared[key]
    archive.close()


def _version(location: str) -> object:
    if "://" in location:
        return None
    try:
        status = os.stat(location)  # noqa: PTH116 - for each image
    except (OSError, ValueError) as error:
        raise CatalogError(f"cannot read {location}: {getattr(error, 'strerror', error)}") from error
    return status.st_ino, status.st_size, status.st_mtime_ns


def _open(location: str) -> Archive:
    if "://" in location:
        from images.remote import download

        file: IO[bytes] = download(location)
    else:
        try:
            file = Path(location).open("rb")  # noqa: SIM115 - the archive closes it
        except OSError as error:
            raise CatalogError(f"cannot read {location}: {reason(error)}") from error
    try:
        if _ZIP.search(location):
            return ZipArchive(file)
        name = location.lower()
        packed = {"tgz": "gzip", "tzst": "zstd"}.get(name.rpartition(".")[2]) or compression_of(name)
        return TarArchive(file, packed)
    except CatalogError as error:
        file.close()
        raise CatalogError(f"cannot read {location}: {error.message}") from error
