"""A catalog in several files, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ingest.readers.reader import FileReader, Reader, Row
from ingest.readers.source import Source
from schemas import Rejection


class PartsReader(Reader):
    """Rows are numbered through all parts, each of which is opened when its turn comes, and closed after it."""

    def __init__(
        self, name: str, root: str, parts: Sequence[Callable[[], Source]], read: Callable[[Source], FileReader]
    ) -> None:
        super().__init__(name, root)
        self._parts = parts
        self._read = read
        self._under_way: Reader | None = None
        with self._read(parts[0]()) as first:
            self.typed, self.needs_id, self.usual = first.typed, first.needs_id, first.usual
            self.with_bytes = first.with_bytes

    def rows(self) -> Iterator[Row | Rejection]:
        return self._through(lambda reader: reader.rows())

    def look(self) -> Iterator[Row | Rejection]:
        return self._through(lambda reader: reader.look())

    def _through(self, read: Callable[[FileReader], Iterator[Row | Rejection]]) -> Iterator[Row | Rejection]:
        number = 0
        for part in self._parts:
            with self._read(part()) as reader:
                self._under_way = reader
                for item in read(reader):
                    number += 1
                    yield Row(number, item.values, size=item.size) if isinstance(item, Row) else item
                reader.check_unchanged()
        self._under_way = None

    def check_unchanged(self) -> None:
        if self._under_way is not None:
            self._under_way.check_unchanged()
