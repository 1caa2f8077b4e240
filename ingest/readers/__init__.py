"""Catalogs of every format, from everywhere, as rows."""

from ingest.readers.opening import open_reader
from ingest.readers.reader import Reader, Row

__all__ = ["Reader", "Row", "open_reader"]
