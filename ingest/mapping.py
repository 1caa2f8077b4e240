"""Another's names of columns, and ways of writing values, as ours."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ingest.numbers import parse_bool, parse_price
from ingest.synonyms import guess
from schemas import RESERVED, STANDARD_COLUMNS, CatalogError, ConfigurationError, reason

log = logging.getLogger(__name__)

_MANY = "images"
"""The column of ours that may be several of theirs."""
_BETWEEN = re.compile(
    r"[,;]\s*(?=https?://)|(?:(?<=\.jpg|\.png|\.gif|\.bmp|\.tif)|(?<=\.jpeg|\.webp|\.avif|\.tiff))[,;]\s*|\s*[|\r\n]\s*",
    re.I,
)


class Columns(Protocol):
    """How the columns of one catalog are read."""

    @property
    def mapping(self) -> dict[str, str]: ...

    def apply(self, values: dict[str, Any]) -> dict[str, Any]: ...


class NoColumns:
    """Every column under its own name."""

    mapping: dict[str, str] = {}  # noqa: RUF012 - nobody writes to it

    def apply(self, values: dict[str, Any]) -> dict[str, Any]:
        return values


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What was asked for: our column -> theirs; several of theirs for ``images`` alone."""

    asked: Mapping[str, Sequence[str]]

    @property
    def theirs(self) -> list[str]:
        return [name for names in self.asked.values() for name in names]

    def unless_asked(self, known: Mapping[str, str]) -> ColumnMap:
        """The same with what a kind of catalog is known to call its columns, where nothing else was asked for."""
        taken = set(self.theirs)
        added = {ours: (name,) for ours, name in known.items() if ours not in self.asked and name not in taken}
        return ColumnMap({**added, **self.asked})

    def resolve(self, columns: Sequence[str], catalog: str, *, needs_id: bool = True) -> Columns:
        """How a catalog with these columns is read: as was asked for, and as is plain for the rest.

        Raises:
            CatalogError: a column that was asked for is not there; or none is the id.
        """
        for ours, theirs in self.asked.items():
            for name in theirs:
                if name not in columns:
                    there = ", ".join(columns[:50])
                    raise CatalogError(f"{catalog} has no column {name!r} to read as {ours}; its columns are {there}")
        mapping = {name: ours for ours, names in self.asked.items() for name in names}
        guessed = _guessed(columns, mapping)
        if guessed:
            said = ", ".join(f"{ours}={name}" for name, ours in guessed.items())
            log.info("%s: columns read by what their names mean: %s; --map OUR=THEIRS says otherwise", catalog, said)
        mapping |= guessed
        if needs_id and "id" not in mapping.values() and "id" not in columns:
            raise CatalogError(f"{catalog} has no column `id`{_hint(columns)}; its columns are {list(columns[:20])}")
        return _Mapped(mapping) if mapping else NoColumns()


class _Mapped:
    def __init__(self, mapping: dict[str, str]) -> None:
        self.mapping = mapping
        # In the order they were named, which is the order of a product's pictures.
        self._order = list(mapping)

    def apply(self, values: dict[str, Any]) -> dict[str, Any]:
        """A row under our names; a column whose place another takes is dropped."""
        mapping = self.mapping
        row = {name: value for name, value in values.items() if name not in mapping}
        many: list[Any] = []
        for name in self._order:
            if (value := values.get(name)) is None:
                continue
            ours = mapping[name]
            if ours == _MANY:
                many += _many(value)
            else:
                row[ours] = _ADAPTED[ours](value) if ours in _ADAPTED else value
        if many:
            row[_MANY] = many
        if isinstance(price := row.get("price"), str) and (amount := parse_price(price)) is not None:
            row["price"] = amount.value
            if amount.currency and "currency" not in row:
                row["currency"] = amount.currency
        return row


def split_pictures(text: str) -> list[str]:
    """Pictures of one text, between ``|``, or commas where a URL follows or a file's name ends; a data: URI is one."""
    return [text] if text.startswith("data:") else [part for part in _BETWEEN.split(text.strip()) if part]


def _many(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return split_pictures(value) if isinstance(value, str) else [value]


def _text_id(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _tags(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return [tag for part in re.split(r"[|,]", value) if (tag := part.strip())] if isinstance(value, str) else value


def _image(value: Any) -> Any:
    """The first of a list that may well be one picture."""
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


_ADAPTED = {"id": _text_id, "group_id": _text_id, "in_stock": parse_bool, "tags": _tags, "image": _image}


def _guessed(columns: Sequence[str], asked: Mapping[str, str]) -> dict[str, str]:
    taken = set(asked)
    guessed: dict[str, str] = {}
    for ours in STANDARD_COLUMNS:
        if ours in columns or ours in asked.values():
            continue
        found = guess(ours, [name for name in columns if name not in taken and name not in STANDARD_COLUMNS])
        if len(found) == 1 or (ours == _MANY and found):
            guessed |= dict.fromkeys(found, ours)
            taken.update(found)
    return guessed


def _hint(columns: Sequence[str]) -> str:
    found = guess("id", columns)
    return f" (--map id={found[0]} says that {found[0]} is it; {', '.join(found)} could be)" if found else ""


def parse_map(items: Iterable[str]) -> dict[str, list[str]]:
    """``title=name`` for each item; ``images`` may come more than once. Raises ValueError."""
    asked: dict[str, list[str]] = {}
    for item in items:
        ours, equals, theirs = item.partition("=")
        if not equals or not ours.strip() or not theirs.strip():
            raise ValueError(f"{item!r} is no mapping; write OUR=THEIRS, as title=name")
        _add(asked, ours.strip(), [theirs.strip()])
    return asked


def column_map(items: Iterable[str], file: Path | None) -> ColumnMap:
    """What the options ask for; an option goes before the file.

    Raises:
        ConfigurationError: the file cannot be read, or is no mapping.
    """
    asked = parse_map(items)
    if file is not None:
        asked = _from_file(file) | asked
    for name in {name for names in asked.values() for name in names}:
        if sum(name in names for names in asked.values()) > 1:
            raise ConfigurationError(f"the column {name!r} is mapped to more than one of ours; each has one place")
    return ColumnMap(asked)


def _from_file(path: Path) -> dict[str, list[str]]:
    import yaml

    try:
        content = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"cannot read the mapping {path}: {reason(error)}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the mapping {path} is no YAML: {' '.join(str(error).split())}") from error
    wrong = f"the mapping {path} must hold lines `OUR: THEIRS`, as `title: name`, and `images: [first, second]`"
    if not isinstance(content, dict):
        raise ConfigurationError(wrong)
    asked: dict[str, list[str]] = {}
    for ours, theirs in content.items():
        names = theirs if isinstance(theirs, list) else [theirs]
        if not isinstance(ours, str) or not names or not all(isinstance(name, str) and name.strip() for name in names):
            raise ConfigurationError(f"{wrong}; {ours!r} is not so")
        try:
            _add(asked, ours.strip(), [name.strip() for name in names])
        except ValueError as error:
            raise ConfigurationError(f"the mapping {path}: {error}") from error
    return asked


def _add(asked: dict[str, list[str]], ours: str, theirs: list[str]) -> None:
    if ours in RESERVED:
        raise ValueError(f"{ours!r} is a word of the filter language; no column can have this name")
    names = asked.setdefault(ours, [])
    names += theirs
    if len(names) > 1 and ours != _MANY:
        raise ValueError(f"{ours} can be one column only, not {', '.join(names)}; images may be several")
