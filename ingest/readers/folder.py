"""A folder of pictures as a catalog: a product a picture, titled by the name of its file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from ingest.readers.reader import Reader, Row
from schemas import CatalogError, Rejection

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})


class FolderReader(Reader):
    """Pictures of a folder and those inside it, in the order of their paths; hidden files are left out.

    The id is the path inside the folder: ``shoes/red-shoe_02.jpg``, titled ``red shoe 02``.
    """

    def rows(self) -> Iterator[Row | Rejection]:
        for number, source in enumerate(self._pictures, start=1):
            yield Row(number, {"id": source, "title": _title(source), "image": source})

    def check_unchanged(self) -> None:
        """Nothing to check: the folder is listed once, and a picture that is gone is rejected."""

    @cached_property
    def _pictures(self) -> list[str]:
        found = []
        for folder, inside, files in os.walk(self.path, onerror=_unreadable):
            inside[:] = [name for name in inside if not name.startswith(".")]
            for name in files:
                if not name.startswith(".") and Path(name).suffix.lower() in _SUFFIXES:
                    found.append(Path(folder, name).relative_to(self.path).as_posix())
        if not found:
            raise CatalogError(f"no pictures in {self.path}: looked for {', '.join(sorted(_SUFFIXES))}")
        return sorted(found)


def _title(source: str) -> str:
    return " ".join(re.split(r"[\W_]+", Path(source).stem)).strip() or Path(source).stem


def _unreadable(error: OSError) -> None:
    raise CatalogError(f"cannot read {error.filename}: {error.strerror}") from error
