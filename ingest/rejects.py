"""Rows, or parts of rows, that were not indexed: data, kept beside the index with their reasons."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from catalog import picture_format
from ingest.lines_file import LinesFile
from schemas import Rejection, StoreLensError

_MAX_TEXT = 10_000
_MAX_ROW = 10_000_000
"""Characters of a row that is kept whole: as long as the longest line that a reader takes."""


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
        id=None if id is None else _unicode(id),
        field=None if error.field is None else _unicode(error.field),
        code=error.code,
        reason=_unicode(error.message),
        degraded=degraded,
        content=_content(content),
    )


class RejectsFile(LinesFile):
    """JSON Lines of rejections, counted by their codes.

    Args:
        root: Where the rows' relative picture paths lead: written with each, so that they still mean what they
            meant when the file is tried again, wherever it lies by then.
    """

    def __init__(self, folder: Path, root: str) -> None:
        super().__init__(folder, "rejects")
        self._root = root

    def write(self, rejected: Rejection) -> None:
        self.write_line(json.dumps(rejected.model_dump() | {"root": self._root}, ensure_ascii=False), rejected.code)


def _content(row: Any) -> JsonValue:
    """A row as JSON, whole, so that it can be tried again; what could not be parsed as text, cut short."""
    if isinstance(row, bytes):
        return row[: 4 * _MAX_TEXT].decode("utf-8", "backslashreplace").rstrip("\r\n")[:_MAX_TEXT]
    try:
        text = json.dumps(row, ensure_ascii=False, allow_nan=False, default=_data_uri)
    except (TypeError, ValueError, RecursionError):  # NaN, dates and the like, nested too deep
        return _unicode(repr(row)[:_MAX_TEXT])
    if len(text) > _MAX_ROW or _unicode(text) != text:
        return _unicode(text[:_MAX_TEXT])
    content: JsonValue = json.loads(text)
    return content


def _data_uri(value: object) -> str:
    """Bytes, a picture's most likely, as JSON can hold them."""
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return f"data:{picture_format(value) or 'application/octet-stream'};base64,{b64encode(value).decode('ascii')}"


def _unicode(text: str) -> str:
    """Text without lone surrogates, which JSON can escape and UTF-8 cannot write."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
