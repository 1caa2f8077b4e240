"""What the page of a run shows of its rejects file and of its list of same-looking images."""

from __future__ import annotations

import base64
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from images import MEDIA_TYPE, Thumbnails
from schemas import StoreLensError

ReadImage = Callable[[str | None, str], bytes | None]
"""The bytes of an image by the root of its catalog, None for the one of this run, and its source.

None or an error where it cannot be had.
"""

MAX_TILES = 100
"""Rejected rows with images, and pairs of same-looking ones, that are shown."""

_EXAMPLES = 5
_MAX_SOURCES = 4
_LONGEST = 400

_BUDGET = 30.0
"""Seconds for reading images again: a page is not to wait for an image server that stalls."""

_IMAGE_NAME = re.compile(r"(?s:.+)\.(?:jpe?g|png|webp|gif|avif|bmp|tiff?)\Z|data:image/", re.IGNORECASE)
_URL = re.compile(r"https?:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reject:
    """A line of the rejects file. ``image`` is a data URI, of the first of ``sources`` that can be shown."""

    line: int | None
    id: str
    field: str
    code: str
    reason: str
    degraded: bool
    sources: tuple[str, ...]
    image: str | None = None


@dataclass(slots=True)
class Cause:
    code: str
    count: int
    examples: list[Reject] = field(default_factory=list)


@dataclass(slots=True)
class Rejects:
    """``tiles`` of ``with_images`` rejects that name images; the causes are the most frequent first."""

    causes: list[Cause] = field(default_factory=list)
    tiles: list[Reject] = field(default_factory=list)
    with_images: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    id: str
    source: str
    image: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    kind: str
    a: Side
    b: Side
    cosine: float | None
    difference: float | None


@dataclass(slots=True)
class Duplicates:
    """``counts`` are pairs by kind, of which ``pairs`` are shown."""

    counts: Counter[str] = field(default_factory=Counter)
    pairs: list[Pair] = field(default_factory=list)


class Gallery:
    """Images as data URIs, each made once, within a budget of time."""

    def __init__(self, read: ReadImage, thumbnails: Thumbnails) -> None:
        self._read = read
        self._thumbnails = thumbnails
        self._made: dict[tuple[str | None, str], str | None] = {}
        self._until = time.monotonic() + _BUDGET

    def show(self, root: str | None, source: str) -> str | None:
        if (root, source) not in self._made:
            self._made[root, source] = self._make(root, source) if time.monotonic() < self._until else None
        return self._made[root, source]

    def _make(self, root: str | None, source: str) -> str | None:
        try:
            data = self._read(root, source)
        except (StoreLensError, OSError, ValueError):
            return None
        small = self._thumbnails(data) if data else None
        return f"data:{MEDIA_TYPE};base64,{base64.b64encode(small).decode()}" if small else None


def read_rejects(file: Path | None, counts: Mapping[str, int], gallery: Gallery) -> Rejects:
    """Examples of each cause and tiles of rejects with images, no cause taking the place of the others.

    Args:
        counts: Rejects by code, of the report.
    """
    causes = {code: Cause(code, count) for code, count in sorted(counts.items(), key=lambda item: -item[1])}
    rejects = Rejects(list(causes.values()))
    of_each = max(_EXAMPLES, MAX_TILES // max(1, len(causes)))
    tiles: Counter[str] = Counter()
    for line in _lines(file):
        reject = _reject(line)
        cause = causes.get(reject.code)
        if cause and len(cause.examples) < _EXAMPLES:
            cause.examples.append(reject)
        if not reject.sources:
            continue
        rejects.with_images += 1
        if tiles[reject.code] < of_each and len(rejects.tiles) < MAX_TILES:
            tiles[reject.code] += 1
            rejects.tiles.append(_shown(reject, _optional_text(line.get("root")), gallery))
    return rejects


def read_duplicates(file: Path | None, gallery: Gallery) -> Duplicates:
    duplicates = Duplicates()
    for line in _lines(file):
        kind = _text(line.get("kind"))
        duplicates.counts[kind] += 1
        if len(duplicates.pairs) < MAX_TILES:
            a, b = (_side(line.get(side), gallery) for side in ("one", "other"))
            duplicates.pairs.append(Pair(kind, a, b, _number(line.get("cosine")), _number(line.get("difference"))))
    return duplicates


def _lines(file: Path | None) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file; what is none, such as a line half written, is passed over."""
    if file is None or not file.is_file():
        return
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                yield value


def _reject(line: Mapping[str, Any]) -> Reject:
    number = line.get("line")
    return Reject(
        line=number if isinstance(number, int) else None,
        id=_text(line.get("id")),
        field=_text(line.get("field")),
        code=_text(line.get("code")),
        reason=_text(line.get("reason")),
        degraded=line.get("degraded") is True,
        sources=tuple(_sources(line.get("content"))),
    )


def _sources(content: Any) -> list[str]:
    """What looks like an image's source in a row: a column may have any name before it is mapped."""
    if not isinstance(content, dict):
        return []
    named = [value for key in ("image", "images") for value in _strings(content.get(key))]
    others = [text for value in content.values() for text in _strings(value) if _IMAGE_NAME.match(text)]
    return list(dict.fromkeys([*named, *others]))[:_MAX_SOURCES]


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str) and text]


def _shown(reject: Reject, root: str | None, gallery: Gallery) -> Reject:
    about_image = reject.field in ("image", "images")
    for source in reject.sources:
        # A server that would not give it has been asked long enough.
        if not (about_image and _URL.match(source)) and (image := gallery.show(root, source)):
            return replace(reject, image=image)
    return reject


def _side(value: Any, gallery: Gallery) -> Side:
    side = value if isinstance(value, dict) else {}
    source = side.get("source")
    image = gallery.show(_optional_text(side.get("root")), source) if isinstance(source, str) else None
    return Side(_text(side.get("product")), _text(source), image)


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _optional_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
