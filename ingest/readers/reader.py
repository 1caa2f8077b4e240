"""What every reader of catalogs does: give rows with their line numbers, and rejections for what is no row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from ingest.columns.numbers import Decimal
from ingest.readers.source import Source
from schemas import Rejection, ValueUnusable

MAX_ROW_BYTES = 10_000_000
"""A longer row of text is rejected without being held in memory."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, before anybody asked whether it is a product.

    ``line`` is where it starts in the file, from 1; in formats without lines the row's number. ``unusable`` are
    columns whose values are known to be of no use, once the whole catalog was looked at, and why. ``size`` is about
    how many bytes it takes in the file: rows of some megabytes are not held by the thousand.
    """

    line: int
    values: dict[str, Any]
    unusable: Mapping[str, ValueUnusable] | None = None
    size: int = field(default=0, compare=False)


class Reader(ABC):
    """A catalog that can be read from the start any number of times, until it is closed: columns under its own names,
    values as they stand there.

    ``name`` is what people call it; ``root`` is where its images' relative paths start, as
    ``catalog.open_root`` reads it.
    """

    typed = True
    """Whether the format tells text from numbers; where it does not, every value is text."""
    mapped = True
    """Whether columns may have other names than ours."""
    needs_id = False
    """Whether it is plain from the start that every row lacks an id."""
    header: Sequence[str] = ()
    """The columns in their order, where the format says which there are."""
    with_bytes: Collection[str] = ()
    """Columns that hold bytes: of use for images alone."""
    usual: Decimal | None = None
    """What decimals are most likely in a file written like this one."""
    known: Mapping[str, str] = {}
    """What a kind of catalog is known to call our columns."""

    def __init__(self, name: str, root: str) -> None:
        self.name = name
        self.root = root
        self.closing = ExitStack()
        """What is closed with the reader."""

    @abstractmethod
    def rows(self) -> Iterator[Row | Rejection]:
        """Rows in the order of the catalog. Raises CatalogError where reading cannot go on."""

    def look(self) -> Iterator[Row | Rejection]:
        """The same rows, for a look at their columns: what is too large to be read for that may be left out."""
        return self.rows()

    @abstractmethod
    def check_unchanged(self) -> None:
        """Raises CatalogError when the catalog is not the one it was when this reader was made.

        A catalog is read several times; what the first reading found out must hold for the next.
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
