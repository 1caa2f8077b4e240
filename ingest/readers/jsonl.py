"""JSON Lines: one object a line, UTF-8."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NoReturn

from catalog import with_clean_names
from ingest.mapping import ColumnMap
from ingest.readers.lines import numbered_lines, too_long
from ingest.readers.reader import MAX_ROW_BYTES, FileReader, Row
from ingest.readers.source import Source
from ingest.rejects import rejection
from schemas import CatalogError, Rejection, RowUnreadable

_LOOKED_AT = 100
"""Rows whose columns stand for those of the whole file, where none is asked for that they lack."""


class JsonLinesReader(FileReader):
    """Blank lines are nobody's row; every other line is a row or a rejection."""

    def __init__(self, source: Source, root: str, wanted: ColumnMap) -> None:
        super().__init__(source, root)
        self.columns = wanted.resolve(self._names(wanted.theirs), source.name, needs_id=False)

    def rows(self) -> Iterator[Row | Rejection]:
        apply = self.columns.apply if self.mapping else None
        for number, line in numbered_lines(self.source):
            try:
                values = _parse(line)
            except RowUnreadable as error:
                if not line.strip():
                    continue
                yield rejection(number, error, line)
            else:
                yield Row(number, values if apply is None else apply(values))

    def _names(self, wanted: Iterable[str]) -> list[str]:
        """The columns of the first rows, and those of as many more as it takes to see all that are wanted."""
        seen: dict[str, None] = {}
        missing = set(wanted)
        numbered = numbered_lines(self.source)
        first = next(numbered, None)
        if first is not None:
            if (line := first[1].strip()).startswith(b"[") and (line == b"[" or b"{" in line):
                one_array = f"{self.name} is one JSON array; write one object a line, as `jq -c '.[]'` does"
                raise CatalogError(one_array)
            if line == b"{":
                raise CatalogError(f"{self.name} has objects over several lines; write one a line, as `jq -c .` does")
            for values in _objects([first]):
                seen |= dict.fromkeys(values)
        for values in _objects(islice(numbered, _LOOKED_AT - 1)):
            seen |= dict.fromkeys(values)
        if missing - seen.keys():
            for values in _objects(numbered):
                seen |= dict.fromkeys(values)
                if not missing - seen.keys():
                    break
        return list(seen)


def _objects(lines: Iterable[tuple[int, bytes]]) -> Iterator[dict[str, Any]]:
    for _, line in lines:
        try:
            yield _parse(line)
        except RowUnreadable:
            continue


def _parse(line: bytes) -> dict[str, Any]:
    if too_long(line):
        raise RowUnreadable(f"the line is longer than {MAX_ROW_BYTES:,} bytes")
    try:
        values = json.loads(line.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise RowUnreadable(f"the line is not UTF-8: byte {error.start + 1} is {line[error.start]:#04x}") from error
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
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RowUnreadable(f"the key {twice!r} stands there twice", field=twice)
    return values


def _no_constant(name: str) -> NoReturn:
    raise RowUnreadable(f"{name} is not a JSON number; leave the column out where there is no value")
