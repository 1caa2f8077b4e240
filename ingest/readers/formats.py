"""Formats of catalogs: told by a name, by the first bytes, and found among many files."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import PurePosixPath

from images import compression_of
from ingest.settings import Format
from schemas import CatalogError

_FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_IMAGES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})
KNOWN = (
    ".jsonl, .ndjson, .json, .csv, .tsv, .txt (each perhaps with .gz or .zst), .parquet, .zip, .tar, .tar.gz, .tar.zst"
)


def format_of(name: str) -> Format | None:
    """The format of a file by its name, compressed or not; Parquet has a compression of its own."""
    packed = compression_of(name) is not None
    found = _FORMATS.get(_suffix(name))
    return None if packed and found == "parquet" else found


def is_text(name: str) -> bool:
    """Whether a file is called text, as feeds for Google are. It is a table if it is a catalog; not every one is."""
    return _suffix(name) == ".txt"


def _suffix(name: str) -> str:
    path = PurePosixPath(name.lower())
    return path.suffix if compression_of(name) is None else path.with_suffix("").suffix


def format_of_bytes(head: bytes) -> Format:
    """The format of unpacked bytes; what is nothing else is CSV."""
    if head.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")) else "csv"


def is_packed(head: bytes) -> bool:
    """Whether the first bytes are of a zip or tar."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or head[257:262] == b"ustar"


def is_image(path: str) -> bool:
    return PurePosixPath(path.lower()).suffix in _IMAGES and not is_hidden(path)


def is_hidden(path: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(path).parts)


def find_catalog(paths: Collection[str], where: str, *, named: bool = False) -> list[str]:
    """The catalog among the files of a folder or an archive: one file, or the parts of one; none for images alone.

    It is the file of a known format nearest the top, one named ``catalog`` first; several Parquet files
    in one folder are parts.

    Args:
        named: Only one named ``catalog``, or parts, will do: other files may well lie beside images.

    Raises:
        CatalogError: there are several.
    """
    found = sorted(path for path in paths if format_of(path) and not is_hidden(path))
    by_name = [path for path in found if re.match(r"catalog\.", PurePosixPath(path).name, re.I)]
    for candidates in (by_name, found):
        if not candidates:
            continue
        top = min(path.count("/") for path in candidates)
        nearest = [path for path in candidates if path.count("/") == top]
        folders = {PurePosixPath(path).parent for path in nearest}
        if all(format_of(path) == "parquet" for path in nearest) and len(folders) == 1:
            return nearest
        if named and candidates is found:
            return []
        if len(nearest) == 1:
            return nearest
        shown = ", ".join(nearest[:10])
        raise CatalogError(f"{where} has {len(nearest)} files that could be the catalog: {shown}; name one of them")
    return []
