"""What every reader of catalogs does: give rows with their line numbers, and rejections for what is no row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from ingest.mapping import Columns, NoColumns
from ingest.readers.source import Source
from schemas import Rejection

MAX_ROW_BYTES = 10_000_000
"""A longer row of text is rejected without being held in memory."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, its columns under the names that StoreLens knows, before anybody asked whether it is a product.

    ``line`` is where it starts in the file, from 1; in formats without lines the row's number.
    """

    line: int
    values: dict[str, Any]


class Reader(ABC):
    """A catalog that can be read from the start any number of times, until it is closed.

    ``name`` is what people call it; ``root`` is where its pictures' relative paths start, as
    ``catalog.open_root`` reads it.
    """

    typed_ids = False
    """Whether the format has types of its own, so that a whole number is an id as good as text."""

    def __init__(self, name: str, root: str) -> None:
        self.name = name
        self.root = root
        self.columns: Columns = NoColumns()
        self.closing = ExitStack()
        """What is closed with the reader."""

    @property
    def mapping(self) -> dict[str, str]:
        """The catalog's own names of columns -> the names that they are read under, where the two differ."""
        return self.columns.mapping

    @abstractmethod
    def rows(self) -> Iterator[Row | Rejection]:
        """Rows in the order of the catalog. Raises CatalogError where reading cannot go on."""

    @abstractmethod
    def check_unchanged(self) -> None:
        """Raises CatalogError when the catalog is not the one it was when this reader was made.

        A catalog is read twice; what the first reading found out must hold for the second.
        """

    def close(self) -> None:
        self.closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FileReader(Reader):
    """A catalog that is one file."""

    def __init__(self, source: Source, root: str) -> None:
        super().__init__(source.name, root)
        self.source = source
        self.closing.callback(source.close)

    def check_unchanged(self) -> None:
        self.source.check_unchanged()
