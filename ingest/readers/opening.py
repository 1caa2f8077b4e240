"""From what a job is told to the reader of its catalog."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from images import (
    Archive,
    compression_of,
    compression_of_bytes,
    decompressed,
    download,
    filesystem,
    is_remote,
    split_location,
    spool,
    using_archive,
)
from ingest.readers.csv_table import CsvReader
from ingest.readers.formats import KNOWN, find_catalog, format_of, format_of_bytes, is_packed, is_text
from ingest.readers.hub import dataset_files, is_dataset
from ingest.readers.images import ImagesReader
from ingest.readers.jsonl import JsonLinesReader
from ingest.readers.parquet import ParquetReader
from ingest.readers.parts import PartsReader
from ingest.readers.reader import FileReader, Reader
from ingest.readers.rejected import RejectsReader
from ingest.readers.source import (
    CopySource,
    FileSource,
    MemberSource,
    SeekableSource,
    Source,
    UnpackedSource,
    unreadable,
)
from ingest.settings import Format, IngestSettings
from schemas import CatalogError, ingest_command, reason

log = logging.getLogger(__name__)

_HEAD = 4_096


def open_reader(settings: IngestSettings) -> Reader:
    """The reader of what a job is told to read, as it stands there; whoever asked closes it.

    Raises CatalogError where there is nothing, or nothing that is read here.
    """
    if settings.rejects:
        return RejectsReader(settings.rejects)
    opening = _Opening(settings.format, settings.encoding)
    location = settings.catalog or ""
    if location == "-":
        return opening.standard_input()
    if location.lower().startswith(("http://", "https://")):
        raise CatalogError(
            f"catalogs are not read from the web; fetch it first: curl {location} | {ingest_command()} -"
        )
    if location.lower().startswith("file:"):
        location = unquote(urlsplit(location).path)
    if is_dataset(location):
        return opening.dataset(location)
    archive = split_location(location)
    if is_remote(location):
        return opening.archive(archive.archive, archive.inside) if archive else opening.remote(location)
    mode = _mode(Path(archive.archive if archive else location))
    if stat.S_ISDIR(mode):
        return opening.folder(Path(location))
    if not stat.S_ISREG(mode):
        raise CatalogError(f"{location} is not a regular file; a catalog is read more than once (- reads a pipe)")
    return opening.archive(archive.archive, archive.inside) if archive else opening.file(Path(location))


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (OSError, ValueError) as error:  # not there, not allowed, no possible name
        why = reason(error) if isinstance(error, OSError) else error
        raise CatalogError(f"there is no catalog at {path}: {why}") from error


class _Opening:
    """Opens one catalog, wherever it is, with the format and the encoding that were asked for."""

    def __init__(self, format: Format | None, encoding: str | None) -> None:
        self._format = format
        self._encoding = encoding

    def file(self, path: Path) -> Reader:
        return self._reader(FileSource(path), root=str(path.resolve().parent))

    def folder(self, path: Path) -> Reader:
        """One file named ``catalog``, or parts in Parquet; otherwise images."""
        files = _files(path)
        found = find_catalog(files, str(path), named=True)
        if len(found) == 1:
            return self.file(path / found[0])
        if found:
            root = str((path / found[0]).resolve().parent)
            return self._parts(str(path), root, [partial(FileSource, path / part) for part in found])
        images = ImagesReader(str(path), str(path.resolve()), files)
        if tables := sorted(name for name in files if format_of(name)):
            shown = ", ".join(tables[:5])
            log.warning("%s is read as a folder of images; to read %s in it, name the file", path, shown)
        return images

    def standard_input(self) -> Reader:
        """Kept in a temporary file, as a catalog is read more than once; images are beside the working directory."""
        if sys.stdin.isatty():
            raise CatalogError("standard input is a terminal; pipe a catalog into it")
        name = "standard input"
        with ExitStack() as undo, unreadable(name):
            source: Source = CopySource(name, "-", spool(sys.stdin.buffer))
            undo.callback(source.close)
            with source.open() as file:
                head = file.read(_HEAD)
            if packed := compression_of_bytes(head):
                with source.open() as file:
                    head = decompressed(file, packed).read(_HEAD)
                source = UnpackedSource(source, packed)
            if is_packed(head):
                raise CatalogError("standard input is an archive, whose images are read in place; save it to a file")
            reader = self._reader(source, str(Path.cwd()), self._format or format_of_bytes(head))
            undo.pop_all()
        return reader

    def remote(self, url: str) -> Reader:
        """An object, or what is under a prefix as in a folder."""
        fs, path = filesystem(url)
        if self._format or format_of(url):
            source = CopySource(url, PurePosixPath(path).name, download(url))
            return self._reader(source, root=url.rpartition("/")[0])
        with unreadable(url):
            found = [name.removeprefix(path).lstrip("/") for name in _listing(fs, path, url)]
        catalog = find_catalog(found, url, named=True)
        url = url.rstrip("/")
        if len(catalog) == 1:
            return self.remote(f"{url}/{catalog[0]}")
        if catalog:
            parts = [partial(_fetched, f"{url}/{part}") for part in catalog]
            return self._parts(url, f"{url}/{catalog[0]}".rpartition("/")[0], parts)
        return ImagesReader(url, url, found)

    def dataset(self, location: str) -> Reader:
        root, files = dataset_files(location)
        return self._parts(location, root, [partial(FileSource, file) for file in files])

    def archive(self, location: str, inside: str) -> Reader:
        """One catalog, or images alone, in a zip or tar or in a folder of it."""
        place = location if is_remote(location) else str(Path(location).resolve())
        shown = f"{location}!/{inside}" if inside else location
        with ExitStack() as undo:
            archive = undo.enter_context(using_archive(place))
            check = (lambda: None) if is_remote(location) else FileSource(Path(place)).check_unchanged
            reader = self._in_archive(archive, place, inside, shown, check)
            reader.closing.push(undo.pop_all())
        return reader

    def _in_archive(self, archive: Archive, place: str, inside: str, shown: str, check: Callable[[], None]) -> Reader:
        names = list(archive.names)
        if inside in names:
            found, start = [inside], ""
        else:
            start = f"{inside}/" if inside else ""
            under = [name.removeprefix(start) for name in names if name.startswith(start)]
            if not under:
                raise CatalogError(f"there is no {inside} in {place}" if inside else f"{place} holds no files")
            found = [start + name for name in find_catalog(under, shown)]
            if not found:
                return ImagesReader(shown, f"{place}!/{inside}" if inside else place, under, check)
        folder = found[0].rpartition("/")[0]
        root = f"{place}!/{folder}" if folder else place
        parts = [partial(MemberSource, f"{place}!/{name}", archive, name, check) for name in found]
        return self._reader(parts[0](), root) if len(parts) == 1 else self._parts(shown, root, parts)

    def _parts(self, name: str, root: str, parts: Collection[Callable[[], Source]]) -> Reader:
        parts = list(parts)
        if len(parts) == 1:
            return self._reader(parts[0](), root)
        return PartsReader(name, root, parts, lambda source: self._reader(source, root))

    def _reader(self, source: Source, root: str, format: Format | None = None) -> FileReader:
        """Closes the source where it cannot be read."""
        with ExitStack() as undo:
            undo.callback(source.close)
            format = format or self._format or format_of(source.file_name)
            if format is None and is_text(source.file_name):
                format = "csv"
            if format is None:
                raise CatalogError(f"{source.name} is none of {KNOWN}, nor a folder; --format says what it is")
            if packed := compression_of(source.file_name) or (format != "parquet" and _packed_by(source)):
                source = UnpackedSource(source, packed)
            reader: FileReader
            if format == "jsonl":
                reader = JsonLinesReader(source, root, self._encoding)
            elif format == "parquet":
                if self._encoding:
                    log.warning("%s: --encoding is for text; Parquet says itself what it is", source.name)
                seekable = source if source.seekable else SeekableSource(source)
                undo.callback(seekable.close)
                reader = ParquetReader(seekable, root)
            else:
                reader = CsvReader(source, root, "\t" if format == "tsv" else None, self._encoding)
            undo.pop_all()
        return reader


def _files(folder: Path) -> list[str]:
    """Paths of the files of a folder and those inside it, less what is hidden."""
    found = []
    for inside, folders, files in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(inside, name).relative_to(folder).as_posix() for name in files if not name.startswith(".")]
    return found


def _unreadable(error: OSError) -> None:
    raise CatalogError(f"cannot read {error.filename}: {reason(error)}") from error


def _packed_by(source: Source) -> str | None:
    """How a table or lines of text are compressed though their name does not say so.

    Raises CatalogError where they are no text at all.
    """
    with source.open() as file, unreadable(source.name):
        head = file.read(_HEAD)
    if format_of_bytes(head) == "parquet":
        raise CatalogError(f"{source.name} is Parquet, whatever its name says; --format parquet reads it")
    if is_packed(head):
        raise CatalogError(f"{source.name} is an archive or a workbook, whatever its name says; give it its own ending")
    return compression_of_bytes(head)


def _fetched(url: str) -> Source:
    return CopySource(url, url.rpartition("/")[2], download(url))


def _listing(fs: object, path: str, url: str) -> list[str]:
    try:
        found: list[str] = fs.find(path)  # type: ignore[attr-defined]
    except Exception as error:  # each storage has errors of its own
        raise CatalogError(f"cannot list {url}: {type(error).__name__}: {error}") from error
    if not found:
        raise CatalogError(f"there is nothing at {url}")
    return found
