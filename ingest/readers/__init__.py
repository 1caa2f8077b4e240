"""Catalogs of every format, as rows."""

from __future__ import annotations

import stat
from pathlib import Path

from ingest.readers.csv_table import CsvReader
from ingest.readers.folder import FolderReader
from ingest.readers.jsonl import JsonLinesReader
from ingest.readers.parquet import ParquetReader
from ingest.readers.reader import Reader, Row
from schemas import CatalogError

__all__ = ["Reader", "Row", "open_catalog"]

_READERS: dict[str, type[Reader]] = {
    ".jsonl": JsonLinesReader,
    ".ndjson": JsonLinesReader,
    ".json": JsonLinesReader,
    ".csv": CsvReader,
    ".parquet": ParquetReader,
}


def open_catalog(path: Path) -> Reader:
    """The reader of a catalog file, chosen by its suffix, or of a folder of pictures.

    Raises:
        CatalogError: there is nothing there, or nothing that is read here.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # not there, not allowed, no possible name
        reason = error.strerror if isinstance(error, OSError) else error
        raise CatalogError(f"there is no catalog at {path}: {reason}") from error
    if stat.S_ISDIR(mode):
        return FolderReader(path, root=path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise CatalogError(f"{path} is none of {', '.join(_READERS)}, nor a folder of pictures")
    if not stat.S_ISREG(mode):
        raise CatalogError(f"{path} is not a regular file; a catalog is read more than once")
    return reader(path, root=path.parent)
