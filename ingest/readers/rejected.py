"""The rejects file of an earlier run as a catalog: its rows again, as they are now or as somebody mended them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue, ValidationError

from ingest.readers.jsonl import parse_row
from ingest.readers.lines import numbered_lines
from ingest.readers.reader import FileReader, Row
from ingest.readers.source import FileSource, Source
from ingest.rejects import MAX_LINE, rejection
from schemas import CatalogError, Rejection, RowRepeated, RowUnreadable


class RejectsReader(FileReader):
    """Images are where the catalog had them: every line says where that was.

    A row keeps its line in the catalog. One that was refused for its id is refused again as long as it has that
    id: the row that came first holds it. Text that could not be parsed is tried as a row of JSON, which it may have
    been mended to.

    Raises:
        CatalogError: it is no rejects file, or one put together of several catalogs' rows.
    """

    mapped = False  # columns have our names by now

    def __init__(self, path: Path) -> None:
        source = FileSource(path)
        roots = {rejected.root or "" for rejected in _rejections(source, path)}
        if len(roots) > 1:
            source.close()
            raise CatalogError(f"{path} has rows of catalogs in {len(roots)} places; try them one place at a time")
        super().__init__(source, roots.pop() if roots else "")
        self._path = path

    def rows(self) -> Iterator[Row | Rejection]:
        for rejected in _rejections(self.source, self._path, broken=True):
            values = _values(rejected)
            if values is None or (rejected.code == RowRepeated.code and values.get("id") == rejected.id):
                yield rejected.model_copy(update={"degraded": False})  # of a product too large to be kept whole
            else:
                yield Row(rejected.line, values)


def _rejections(source: Source, path: Path, *, broken: bool = False) -> Iterator[Rejection]:
    """What the lines of a file say. Raises CatalogError where the first one is no rejection: then none is.

    Args:
        broken: Also a rejection of each line that is none, such as one half written when a job was killed.
    """
    first = True
    for number, line in numbered_lines(source, longest=MAX_LINE):
        if not line.strip():
            continue
        try:
            rejected = Rejection.model_validate_json(line)
        except ValidationError as error:
            wrong = error.errors(include_input=False)[0]["msg"]
            if first:
                raise CatalogError(
                    f"{path} is no rejects file: line {number}: {wrong}; it is the one that a run names at its end"
                ) from error
            if broken:
                yield rejection(number, RowUnreadable(f"line {number} of {path} is no rejection: {wrong}"), line)
            continue
        if rejected.root is None:
            raise CatalogError(f"{path} does not say where its images are: it is of an older version; ingest again")
        first = False
        yield rejected


def _values(rejected: Rejection) -> dict[str, JsonValue] | None:
    """The row that a line is about; None where it is none, still."""
    content = rejected.content
    if isinstance(content, str):
        try:
            return parse_row(content.encode(), strict=rejected.code == RowUnreadable.code)
        except RowUnreadable:
            return None
    return content if isinstance(content, dict) else None
