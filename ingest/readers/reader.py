"""What every reader of catalogs does: give rows with their line numbers, and rejections for what is no row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from schemas import CatalogError, Rejection

MAX_ROW_BYTES = 10_000_000
"""A longer row is rejected without being held in memory."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was written, before anybody asked whether it is a product.

    ``line`` is where it starts in the file, from 1; in formats without lines the row's number.
    """

    line: int
    values: dict[str, Any]


class Reader(ABC):
    """A catalog that can be read from the start any number of times.

    ``root`` is the folder that pictures are relative to.
    """

    typed_ids: ClassVar[bool] = False
    """Whether the format has types of its own, so that a whole number is an id as good as text."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        self._version = self._stat()

    @abstractmethod
    def rows(self) -> Iterator[Row | Rejection]:
        """Rows in the order of the catalog. Raises CatalogError where reading cannot go on."""

    def check_unchanged(self) -> None:
        """Raises CatalogError when the file is not the one it was when this reader was made.

        A catalog is read twice; what the first reading found out must hold for the second.
        """
        if self._stat() != self._version:
            raise CatalogError(f"{self.path} changed while it was read; run the job again once it is complete")

    def _stat(self) -> tuple[int, int, int]:
        try:
            stat = self.path.stat()
        except OSError as error:
            raise CatalogError(f"cannot read {self.path}: {error.strerror}") from error
        return stat.st_ino, stat.st_size, stat.st_mtime_ns
