"""Images alone as a catalog: a product an image, titled by the name of its file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import PurePosixPath

from ingest.readers.formats import format_of, is_hidden, is_image
from ingest.readers.reader import Reader, Row
from schemas import CatalogError, Rejection


class ImagesReader(Reader):
    """Images of a folder, an archive or a prefix, in the order of their paths; hidden ones are left out.

    The id is the path inside: ``shoes/red-shoe_02.jpg``, titled ``red shoe 02``.

    Args:
        paths: Of all files there. They are listed once: an image that is gone later is rejected.
    """

    mapped = False

    def __init__(self, name: str, root: str, paths: Collection[str], check: Callable[[], None] = lambda: None) -> None:
        super().__init__(name, root)
        self._check = check
        self._images = sorted(path for path in paths if is_image(path))
        if not self._images:
            tables = sorted(path for path in paths if format_of(path) and not is_hidden(path))
            hint = f"; to read {', '.join(tables[:5])} in it, name the file" if tables else ""
            raise CatalogError(f"there is no file `catalog` in {name}, and no images{hint}")

    def rows(self) -> Iterator[Row | Rejection]:
        for number, path in enumerate(self._images, start=1):
            yield Row(number, {"id": path, "title": _title(path), "image": path})

    def check_unchanged(self) -> None:
        self._check()


def _title(path: str) -> str:
    stem = PurePosixPath(path).stem
    return " ".join(re.split(r"[\W_]+", stem)).strip() or stem
