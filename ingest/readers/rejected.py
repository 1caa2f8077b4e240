"""The rejects file of an earlier run as a catalog: its rows again, as they are now or as somebody mended them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue, ValidationError

from ingest.readers.lines import numbered_lines
from ingest.readers.reader import FileReader, Row
from ingest.readers.source import FileSource, Source
from schemas import CatalogError, Rejection, RowRepeated


class RejectsReader(FileReader):
    """Pictures are where the catalog had them: every line says where that was.

    A row keeps its line in the catalog. One that was refused for its id is refused again as long as it has that
    id: the row that came first holds it. Text that could not be parsed is tried as a row of JSON, which it may have
    been mended to.

    Raises:
        CatalogError: it is no rejects file, or one put together of several catalogs' rows.
    """

    mapped = False  # columns have our names by now

    def __init__(self, path: Path) -> None:
        source = FileSource(path)
        roots = {rejected.root or "" for _, rejected in _lines(source, path)}
        if len(roots) > 1:
            source.close()
            raise CatalogError(f"{path} has rows of catalogs in {len(roots)} places; try them one place at a time")
        super().__init__(source, roots.pop() if roots else "")
        self._path = path

    def rows(self) -> Iterator[Row | Rejection]:
        for _, rejected in _lines(self.source, self._path):
            values = _values(rejected.content)
            if values is None or (rejected.code == RowRepeated.code and values.get("id") == rejected.id):
                yield rejected
            else:
                yield Row(rejected.line, values)


def _lines(source: Source, path: Path) -> Iterator[tuple[int, Rejection]]:
    for number, line in numbered_lines(source):
        if not line.strip():
            continue
        try:
            rejected = Rejection.model_validate_json(line)
        except ValidationError as error:
            wrong = error.errors()[0]
            raise CatalogError(
                f"{path} is no rejects file: line {number}: {wrong['msg']}; it is the one that a run names at its end"
            ) from error
        if rejected.root is None:
            raise CatalogError(f"{path} does not say where its pictures are: it is of an older version; ingest again")
        yield number, rejected


def _values(content: JsonValue) -> dict[str, JsonValue] | None:
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return None
    return content if isinstance(content, dict) else None
