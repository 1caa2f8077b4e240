"""Another's names of columns as ours: as asked for, and as names and values say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.columns.synonyms import guess
from schemas import RESERVED, STANDARD_COLUMNS, CatalogError, Change, ConfigurationError, clean_code, reason

if TYPE_CHECKING:
    from ingest.columns.survey import Column

_MANY = "images"
"""The column of ours that may be several of theirs."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What was asked for: our column -> theirs; several of theirs for ``images`` alone."""

    asked: Mapping[str, Sequence[str]]

    @property
    def theirs(self) -> dict[str, str]:
        """Their column -> ours, in the order in which they were named."""
        return {name: ours for ours, names in self.asked.items() for name in names}

    def unless_asked(self, known: Mapping[str, str]) -> ColumnMap:
        """The same with what a kind of catalog is known to call its columns, where nothing else was asked for."""
        taken = set(self.theirs)
        added = {ours: (name,) for ours, name in known.items() if ours not in self.asked and name not in taken}
        return ColumnMap({**added, **self.asked})

    def check(self, columns: Mapping[str, Column], catalog: str) -> None:
        """Raises CatalogError where a column that was asked for is not there."""
        for name, ours in self.theirs.items():
            if name not in columns:
                there = ", ".join(list(columns)[:50])
                raise CatalogError(f"{catalog} has no column {name!r} to read as {ours}; its columns are {there}")


def check_id(columns: Mapping[str, Column], mapping: Mapping[str, str], catalog: str) -> None:
    """Raises CatalogError where no column is the id."""
    if "id" not in mapping.values() and "id" not in columns:
        found = guess("id", list(columns))
        hint = f" (--map id={found[0]} says that {found[0]} is it; {', '.join(found)} could be)" if found else ""
        raise CatalogError(f"{catalog} has no column `id`{hint}; its columns are {list(columns)[:20]}")


def guessed(
    columns: Mapping[str, Column], asked: Mapping[str, str], remembered: Mapping[str, str], *, ordered: bool
) -> dict[str, str]:
    """The columns that are ours under other names: where one alone can be meant, and its values fit.

    What was guessed before stays as long as at least half of the values fit. A column that has no more than a tenth of
    another's values is as good as not there: a few odd rows decide nothing.

    Args:
        columns: Of the whole catalog.
        asked: Their column -> ours, as it was asked for.
        remembered: The same as it was guessed for this index before.
        ordered: Columns have an order of their own, as those of a table have.
    """
    names = [name for name in columns if name not in asked and name not in STANDARD_COLUMNS]
    mapping: dict[str, str] = {}
    for ours in STANDARD_COLUMNS:
        if ours in asked.values():
            continue
        may_be = [name for name in names if columns[name].may_be == ours]
        fit = [
            name
            for name in (may_be if ordered else sorted(may_be))
            if columns[name].fits or (remembered.get(name) == ours and columns[name].mostly_fits)
        ]
        most = max((columns[name].present for name in fit), default=0)
        if ours in columns and 10 * columns[ours].present > most:
            continue
        fit = [name for name in fit if 10 * columns[name].present >= most]
        known = [name for name in fit if remembered.get(name) == ours]
        found = guess(ours, fit)
        if ours != _MANY and len(known) == 1:
            found = known
        if len(found) == 1 or ours == _MANY:
            mapping |= dict.fromkeys(found, ours)
    return mapping


def remember(
    columns: Mapping[str, Column], mapping: Mapping[str, str], remembered: Mapping[str, str]
) -> dict[str, str]:
    """What an index remembers of guesses from now on: also those of columns that this catalog does not have."""
    return {name: ours for name, ours in remembered.items() if name not in columns} | dict(mapping)


def mapping_changes(
    columns: Mapping[str, Column], mapping: Mapping[str, str], remembered: Mapping[str, str]
) -> dict[str, Change]:
    """Our columns that are filled from others than before, or from none.

    Args:
        mapping: All of tonight's, asked for or guessed.
    """
    changes = {}
    for ours in STANDARD_COLUMNS:
        before = sorted(name for name, target in remembered.items() if target == ours)
        now = sorted(name for name, target in mapping.items() if target == ours) or [ours] * (ours in columns)
        if before and not (now and set(now) <= set(before)):
            changes[ours] = Change(before=", ".join(before), after=", ".join(now) or None)
    return changes


def parse_map(items: Iterable[str]) -> dict[str, list[str]]:
    """``title=name`` for each item; ``images`` may come more than once. Raises ValueError."""
    asked: dict[str, list[str]] = {}
    for item in items:
        ours, equals, theirs = item.partition("=")
        if not equals or not ours.strip() or not theirs.strip():
            raise ValueError(f"{item!r} is no mapping; write OUR=THEIRS, as title=name")
        _add(asked, clean_code(ours), [clean_code(theirs)])
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
            _add(asked, clean_code(ours), [clean_code(name) for name in names])
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
