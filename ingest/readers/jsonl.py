"""JSON Lines: one object a line, UTF-8."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from ingest.readers.lines import numbered_lines, too_long
from ingest.readers.reader import MAX_ROW_BYTES, Reader, Row
from ingest.rejects import rejection
from schemas import CatalogError, Rejection, RowUnreadable


class JsonLinesReader(Reader):
    """Blank lines are nobody's row; every other line is a row or a rejection."""

    def rows(self) -> Iterator[Row | Rejection]:
        for number, line in numbered_lines(self.path):
            if not line.strip():
                continue
            if number == 1 and self.path.suffix.lower() == ".json" and line.lstrip().startswith(b"["):
                raise CatalogError(f"{self.path} is one JSON array; write one object a line, as `jq -c '.[]'` does")
            try:
                yield Row(number, _parse(line))
            except RowUnreadable as error:
                yield rejection(number, error, line)


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
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RowUnreadable(f"the key {twice!r} stands there twice", field=twice)
    return values


def _no_constant(name: str) -> NoReturn:
    raise RowUnreadable(f"{name} is not a JSON number; leave the column out where there is no value")
