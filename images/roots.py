"""Where the relative image paths of a catalog lead: a folder, an archive, or a prefix of object storage."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from images.archives import Archive, split_location, using_archive
from images.file_names import name_key, name_on_disk, other_names
from images.limits import ImageLimits, cut, locate_image, read_image, relative_path
from images.remote import RemoteRoot, is_remote
from schemas import CatalogError, ImageError, ImageNotFound

_SETTLED_NS = 2 * 10**9
"""A file written to less than this ago may be written to again under the same time of change: some file systems
count in steps of two seconds."""


class ImageRoot(Protocol):
    """The images that belong to one catalog. Any number of threads may call at once."""

    def version_tag(self, source: str) -> str | None:
        """Changes when the image may have changed, and costs no reading; None where that cannot be told."""
        ...

    def read(self, source: str) -> bytes:
        """At most ``limits.max_bytes`` bytes. Raises ImageError."""
        ...

    def close(self) -> None: ...


class FolderRoot:
    """A ``ImageRoot`` on a folder, and on those of ``folders`` that absolute paths and links may lead into."""

    def __init__(self, folder: Path, limits: ImageLimits, folders: Sequence[Path] = ()) -> None:
        self._folder = folder
        self._limits = limits
        self._folders = folders

    def version_tag(self, source: str) -> str | None:
        status = self._stat(source) or self._stat(name_on_disk(self._folder, source))
        if status is None:
            return None
        if status.st_mtime_ns > time.time_ns() - _SETTLED_NS:
            return None
        return f"{status.st_size}-{status.st_mtime_ns}"

    def read(self, source: str) -> bytes:
        try:
            path = locate_image(self._folder, source, self._folders)
        except ImageNotFound:
            named = name_on_disk(self._folder, source)
            if named == source:
                raise
            path = locate_image(self._folder, named, self._folders)
        return read_image(path, self._limits)

    def _stat(self, source: str) -> os.stat_result | None:
        try:
            return os.stat(os.path.join(self._folder, source))  # noqa: PTH116, PTH118 - four times as fast, for each image
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Nothing is held open."""


class ArchiveRoot:
    """A ``ImageRoot`` on a zip or tar, or a folder inside one, read in place.

    A tar that is compressed is unpacked, once, into a temporary file. One that is replaced is noticed.
    """

    def __init__(self, location: str, inside: str, limits: ImageLimits) -> None:
        self._location = location
        self._prefix = f"{inside}/" if inside else ""
        self._limits = limits
        self._lock = threading.Lock()
        self._held = ExitStack()
        self._holds: Archive | None = None
        self._names: tuple[Archive | None, dict[str, str]] = (None, {})

    def version_tag(self, source: str) -> str | None:
        try:
            with using_archive(self._location) as archive:
                self._hold(archive)
                return archive.version_tag(self._name(archive, source))
        except (CatalogError, ImageError):
            return None

    def read(self, source: str) -> bytes:
        try:
            with using_archive(self._location) as archive:
                self._hold(archive)
                return archive.read(self._name(archive, source), self._limits.max_bytes)
        except CatalogError as error:
            raise ImageNotFound(f"{cut(source)} cannot be read: {error.message}", field="image") from error

    def close(self) -> None:
        self._held.close()
        self._holds = None
        self._names = (None, {})

    def _name(self, archive: Archive, source: str) -> str:
        """What an image is called in the archive. Raises ImageError."""
        name = self._prefix + relative_path(source)
        if archive.version_tag(name) is not None:
            return name
        of, names = self._names
        if of is not archive:
            names = other_names(archive.names)
            self._names = archive, names
        return names.get(name_key(name), name)

    def _hold(self, archive: Archive) -> None:
        """Keep what is in use open between calls, and let go of what it took the place of."""
        if archive is not self._holds:
            with self._lock:
                before, self._held, self._holds = self._held, ExitStack(), archive
                self._held.enter_context(using_archive(self._location))
                before.close()


class _WithFolders:
    """A root whose sources may also be absolute paths into some folders."""

    def __init__(self, root: ImageRoot, folders: Sequence[Path], limits: ImageLimits) -> None:
        self._root = root
        self._folders = [folder.resolve() for folder in folders]
        self._limits = limits

    def version_tag(self, source: str) -> str | None:
        return (self._elsewhere(source) or (self._root, source))[0].version_tag(source)

    def read(self, source: str) -> bytes:
        root, path = self._elsewhere(source) or (self._root, source)
        return root.read(path)

    def close(self) -> None:
        self._root.close()

    def _elsewhere(self, source: str) -> tuple[ImageRoot, str] | None:
        """The folder that an absolute path is in, and its path there; links are resolved when it is read."""
        if source.startswith("/"):
            for folder in self._folders:
                if Path(source).is_relative_to(folder):
                    return FolderRoot(folder, self._limits), Path(source).relative_to(folder).as_posix()
        return None


def open_root(root: str, limits: ImageLimits, folders: Sequence[Path] = ()) -> ImageRoot:
    """The images of a catalog whose payloads have this ``root``.

    A folder; an archive, ``shop.zip`` or ``shop.zip!/folder/inside``; or a prefix as ``s3://bucket/shop``.
    Nothing is opened before it is asked for.

    Args:
        folders: Images may also be absolute paths into these.
    """
    opened: ImageRoot
    location = split_location(root)
    if location is not None and not os.path.isdir(root):  # noqa: PTH112
        opened = ArchiveRoot(location.archive, location.inside, limits)
    elif is_remote(root):
        opened = RemoteRoot(root, limits)
    else:
        return FolderRoot(Path(root), limits, folders)
    return _WithFolders(opened, folders, limits) if folders else opened
