"""Rows, or parts of rows, that were not indexed: written into a file beside the index, each with its reason."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self, TextIO

from pydantic import JsonValue

from images import image_format
from schemas import MAX_ID, MAX_NAME, Rejection, StoreLensError, describe_value

_MAX_TEXT = 10_000
_MAX_ROW = 10_000_000
"""Bytes of a row that is kept whole: as long as the longest line that a reader takes."""
_MAX_DEPTH = 64
"""Lists and objects in each other beyond which a row is kept as text: JSON parsers end at 200 or so."""

KEPT_FILES, KEPT_DAYS = 10, 30
_NAMED = "%Y%m%dT%H%M%S.%f.jsonl"

MAX_LINE = 2 * _MAX_ROW + 100_000
"""Bytes of a line of the file: a row that is kept as text has its quotes escaped."""


def rejection(
    line: int, error: StoreLensError, content: Any, *, id: str | None = None, degraded: bool = False
) -> Rejection:
    """The line of the rejects file about a row.

    Args:
        content: The row as it was read, of whatever types: bytes where it could not be parsed.
        degraded: The product is indexed all the same, without the part the error is about.
    """
    return Rejection(
        line=line,
        id=None if id is None else _text(id, MAX_ID),
        field=None if error.field is None else _text(error.field, MAX_NAME),
        code=error.code,
        reason=_text(error.message, _MAX_TEXT),
        degraded=degraded,
        content=_content(content),
    )


class JsonLinesFile:
    """What a run finds, each a line of JSON written as it comes into ``NAME-<time>.jsonl`` in a folder.

    There is no file while there are none. One that was written takes old ones of its name away.

    ``counts`` has how many there were of each kind.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._file: TextIO | None = None
        self.path: Path | None = None
        self.counts: Counter[str] = Counter()

    def write_line(self, line: str, kind: str) -> None:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self.path = self._folder / f"{self._name}-{datetime.now(UTC):{_NAMED}}"
            self._file = self.path.open("x", encoding="utf-8", buffering=1)  # a line survives the job's death
        self._file.write(line + "\n")
        self.counts[kind] += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            if error is None:  # a job that failed may have been told to try one of them again
                self._remove_old()

    def _remove_old(self) -> None:
        """The newest ten stay, and those of the last thirty days; a file of another name is somebody's own."""
        written = []
        for path in self._folder.glob(f"{self._name}-*"):
            with suppress(ValueError):
                begun = datetime.strptime(path.name.removeprefix(f"{self._name}-"), _NAMED).replace(tzinfo=UTC)
                written.append((begun, path))
        for begun, path in sorted(written)[:-KEPT_FILES]:
            if begun < datetime.now(UTC) - timedelta(days=KEPT_DAYS):
                with suppress(OSError):
                    path.unlink()


class RejectsFile(JsonLinesFile):
    """JSON Lines of rejections, counted by their codes.

    Args:
        root: Where the rows' relative image paths lead: written with each, so that they still mean what they
            meant when the file is tried again, wherever it lies by then.
    """

    def __init__(self, folder: Path, root: str) -> None:
        super().__init__(folder, "rejects")
        self._root = root

    def write(self, rejected: Rejection) -> None:
        self.write_line(json.dumps(rejected.model_dump() | {"root": self._root}, ensure_ascii=False), rejected.code)


def _content(row: Any) -> JsonValue:
    """A row so that it can be tried again: as JSON, or as text of JSON where other programs would not read that.

    What could not be parsed is its text, cut short, and so is a row that is too large.
    """
    if isinstance(row, bytes):
        return row[: 4 * _MAX_TEXT].decode("utf-8", "backslashreplace").rstrip("\r\n")[:_MAX_TEXT]
    try:
        text = json.dumps(row, ensure_ascii=False, default=_data_uri)
    except (TypeError, ValueError, RecursionError):  # no JSON at all, or nested beyond all bounds
        return _text(describe_value(row), _MAX_TEXT)
    plain = _unicode(text)
    if len(plain.encode()) > _MAX_ROW:
        return plain[:_MAX_TEXT]
    if plain != text or _is_deep(row):
        return plain
    try:
        content: JsonValue = json.loads(text, parse_constant=_no_number)
    except ValueError:  # NaN or infinite
        return plain
    return content


def _is_deep(value: Any) -> bool:
    """Whether lists and objects are nested too deep for a file that others read as well."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | tuple | dict)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _data_uri(value: object) -> str:
    """Bytes, an image's most likely, as JSON can hold them."""
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return f"data:{image_format(value) or 'application/octet-stream'};base64,{b64encode(value).decode('ascii')}"


def _text(text: str, most: int) -> str:
    """At most so many characters that UTF-8 can write."""
    return _unicode(text if len(text) <= most else text[: most - 1] + "…")[:most]


def _unicode(text: str) -> str:
    """Text without lone surrogates, which JSON can escape, as they come out of this too, and UTF-8 cannot write."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
