"""JSON Lines: one object a line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from catalog import with_clean_names
from ingest.readers.encoding import line_encoding
from ingest.readers.lines import decoded, numbered_lines, too_long
from ingest.readers.reader import MAX_ROW_BYTES, FileReader, Row
from ingest.readers.source import Source
from ingest.rejects import rejection
from schemas import CatalogError, Rejection, RowUnreadable


class JsonLinesReader(FileReader):
    """Blank lines are nobody's row; every other line is a row or a rejection."""

    def __init__(self, source: Source, root: str, encoding: str | None = None) -> None:
        super().__init__(source, root)
        self._encoding = line_encoding(source, encoding)
        first = next(numbered_lines(source, self._encoding), None)
        if first is None:
            return
        if (line := first[1].strip()).startswith(b"[") and (line == b"[" or b"{" in line):
            raise CatalogError(f"{self.name} is one JSON array; write one object a line, as `jq -c '.[]'` does")
        if line == b"{":
            raise CatalogError(f"{self.name} has objects over several lines; write one a line, as `jq -c .` does")

    def rows(self) -> Iterator[Row | Rejection]:
        for number, line in numbered_lines(self.source, self._encoding):
            try:
                yield Row(number, parse_row(line), size=len(line))
            except RowUnreadable as error:
                if not line.strip():
                    continue
                yield rejection(number, error, line)


def parse_row(line: bytes, *, strict: bool = True) -> dict[str, Any]:
    """The columns of a line. Raises RowUnreadable for what is no one object of JSON, or says something twice.

    Args:
        strict: False takes what Python writes for numbers that JSON has not: NaN, Infinity.
    """
    if too_long(line):
        raise RowUnreadable(f"the line is longer than {MAX_ROW_BYTES:,} bytes")
    try:
        values = json.loads(decoded(line), object_pairs_hook=_object, parse_constant=_no_constant if strict else float)
    except json.JSONDecodeError as error:
        raise RowUnreadable(f"the line is not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise RowUnreadable("the line is nested too deep") from error
    except ValueError as error:  # a whole number of more digits than Python converts
        raise RowUnreadable(f"the line holds a value that cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise RowUnreadable("the line is JSON but not an object of columns")
    return dict(with_clean_names(values))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise RowUnreadable(f"the key {twice!r} stands there twice", field=twice)
    return values


def _no_constant(name: str) -> NoReturn:
    raise RowUnreadable(f"{name} is not a JSON number; leave the column out where there is no value")
