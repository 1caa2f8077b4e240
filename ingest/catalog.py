"""A catalog as a job reads it: its rows under our names, each value as our columns have it.

Everything that depends on more than one row is decided before the first one is given, by a look at all of them and at
what the index remembers: which columns are ours under other names, what the decimals of prices and numbers are, and of
what kind each field is.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from catalog import STANDARD_FIELDS, is_attribute_name, point_id, readable_id
from index import IndexStore
from ingest.columns.kinds import Votes, decide, too_many, vote
from ingest.columns.mapping import ColumnMap, check_id, column_map, guessed, mapping_changes, remember
from ingest.columns.reading import RowReader, is_replaced
from ingest.columns.survey import Survey
from ingest.readers import Reader, Row, open_reader
from ingest.settings import IngestSettings
from schemas import (
    MAX_FIELDS,
    STANDARD_COLUMNS,
    Change,
    EmbeddingSpec,
    FieldKind,
    IndexRecord,
    Missing,
    Not,
    Rejection,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Before:
    """What the index knows of the catalogs that made it.

    ``others`` are the votes, on the kind of a field, of its products that stay though their points are not among
    those of the catalog.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, FieldKind] = field(default_factory=dict)
    others: Callable[[str, Collection[UUID]], Votes] = lambda name, points: Counter()


def remembered_by_index(
    settings: IngestSettings, store: IndexStore, served: IndexRecord | None, spec: EmbeddingSpec
) -> Before:
    """What the index that serves, whose record is ``served``, knows of the catalogs that made it."""
    if served is None:
        return Before()

    def others(name: str, points: Collection[UUID]) -> Votes:
        votes = Votes()
        if settings.prune or served.embedding.differences(spec):
            return votes  # they do not stay
        with closing(store.open()) as index:
            after: UUID | None = None
            while ids := index.scan(Not(Missing(name)), 1_000, after):
                after = ids[-1]
                stored = index.values([id for id in ids if id not in points], [name])
                votes.update(vote(values[name]) for values in stored.values() if name in values)
        return votes

    return Before(served.mapping, served.fields, others)


def open_catalog(settings: IngestSettings) -> Catalog:
    """The catalog that a job is told to read, looked through once; whoever asked closes it.

    Raises:
        CatalogError: there is nothing there, nothing that is read here, or a column that was asked for is missing.
        ConfigurationError: the file that maps columns cannot be read.
    """
    reader = open_reader(settings)
    try:
        return Catalog(reader, settings)
    except BaseException:
        reader.close()
        raise


class Catalog:
    """The rows of a reader as products are made of them, any number of times; closed with its reader.

    Raises CatalogError and ConfigurationError as ``open_catalog`` does.

    Attributes:
        mapping: The catalog's own names of columns -> the names that they are read under, where the two differ.
        remembered: Those of them that were guessed, with those of earlier catalogs.
        mapping_changes: Our columns that are filled from others than before.
        kinds: Of all fields of the catalog.
        fields_left_out: What would be fields, and is too many for an index.
        kind_changes: Fields that were of another kind before.
    """

    def __init__(self, reader: Reader, settings: IngestSettings, before: Before | None = None) -> None:
        before = before or Before()
        self._reader = reader
        self.name, self.root = reader.name, reader.root
        self.mapping: dict[str, str] = {}
        self._asked: Collection[str] = ()
        self.remembered = dict(before.mapping)
        self.mapping_changes: dict[str, Change] = {}
        asked = column_map(settings.map, settings.map_file)
        if reader.mapped:
            asked = asked.unless_asked(reader.known)
        self._survey = Survey(reader, asked.theirs if reader.mapped else {})
        if reader.mapped:
            self._map(asked, settings.guess)
        votes = self._votes()
        self._kinds = self._decide_kinds(votes, before)
        self.fields_left_out = too_many(votes, {*STANDARD_FIELDS, *before.kinds})
        left_out = set(self.fields_left_out)
        self.kinds = {name: kind for name, kind in self._kinds.items() if name not in left_out}
        self.kind_changes = {
            name: Change(before=before.kinds[name], after=kind)
            for name, kind in self.kinds.items()
            if name in before.kinds and before.kinds[name] != kind
        }
        self._rows = self._row_reader(self._kinds)
        self._say()

    @property
    def new_values(self) -> bool:
        """Whether a change of kinds may change what rows that did not change have in their fields."""
        return any({change.before, change.after} != {"integer", "float"} for change in self.kind_changes.values())

    def rows(self) -> Iterator[Row | Rejection]:
        """Rows in the order of the catalog. Raises CatalogError where reading cannot go on."""
        for item in self._reader.rows():
            yield self._rows.read(item) if isinstance(item, Row) else item

    def check_unchanged(self) -> None:
        """Raises CatalogError when the catalog is not the one it was when it was opened: it is read several times."""
        self._reader.check_unchanged()

    def close(self) -> None:
        self._reader.close()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _row_reader(self, kinds: Mapping[str, FieldKind]) -> RowReader:
        return RowReader(self._reader, self._survey, self.mapping, self._asked, kinds)

    def _map(self, asked: ColumnMap, guess: bool) -> None:
        columns, before = self._survey.columns, self.remembered
        asked.check(columns, self.name)
        found = guessed(columns, asked.theirs, before, ordered=bool(self._reader.header)) if guess else {}
        self.mapping = {**asked.theirs, **found}
        self._asked = set(asked.theirs)
        if self._reader.needs_id:
            check_id(columns, self.mapping, self.name)
        if guess:
            self.mapping_changes = mapping_changes(columns, self.mapping, before)
            self.remembered = remember(columns, found, before)

    def _votes(self) -> dict[str, Votes]:
        """What values say of all that may be fields besides our own."""
        votes: dict[str, Votes] = {}
        for name in self._survey.columns:
            ours = self.mapping.get(name, name)
            if is_replaced(name, self.mapping, self._asked) or not is_attribute_name(ours):
                continue
            for part, its_votes in self._survey.votes(name).items():
                full_name = ours + part.removeprefix(name)
                if is_attribute_name(full_name):
                    votes.setdefault(full_name, Counter()).update(its_votes)
        return votes

    def _decide_kinds(self, votes: Mapping[str, Votes], before: Before) -> dict[str, FieldKind]:
        kinds: dict[str, FieldKind] = dict(STANDARD_FIELDS)
        for name, its_votes in votes.items():
            earlier = before.kinds.get(name)
            kind = decide(its_votes, earlier)
            if earlier not in (None, kind) and (earlier, kind) != ("integer", "float"):
                kind = decide(its_votes + before.others(name, self._points), earlier)
            kinds[name] = kind
            self._mixed(name, kind, its_votes)
        return kinds

    def _mixed(self, name: str, kind: FieldKind, votes: Votes) -> None:
        numbers = votes["integer"] + votes["float"]
        if kind == "keyword" and 2 * numbers > votes.total():
            rest = votes.total() - numbers
            log.info("%s: %s is text: %d of its %d values are no numbers", self.name, name, rest, votes.total())

    @cached_property
    def _points(self) -> set[UUID]:
        """Of every row whose id can be read."""
        rows = self._row_reader({})
        ids = (readable_id(rows.read(item).values) for item in self._reader.rows() if isinstance(item, Row))
        return {point_id(id) for id in ids if id is not None}

    def _say(self) -> None:
        if found := {name: ours for name, ours in self.mapping.items() if name not in self._asked}:
            said = ", ".join(f"{ours}={name}" for name, ours in found.items())
            log.info(
                "%s: columns read by what their names mean: %s; --map OUR=THEIRS says otherwise, --no-guess lets it be",
                *(self.name, said),
            )
        for ours, change in self.mapping_changes.items():
            now = f"is read from {change.after}" if change.after else "is read from no column"
            log.warning("%s: %s %s; for this index it was %s", self.name, ours, now, change.before)
        for name, change in self.kind_changes.items():
            log.warning("%s: the field %s was %s, and is %s from now on", self.name, name, change.before, change.after)
        if self.fields_left_out:
            log.warning(
                "%s: an index has up to %d fields to filter by, those that most products have; %d more are kept and "
                "shown, and cannot be filtered by: %s",
                *(self.name, MAX_FIELDS, len(self.fields_left_out), ", ".join(self.fields_left_out[:20])),
            )
        commas = [name for name in self._survey.columns if self._comma(name)]
        if commas:
            log.info("%s: decimal commas in %s", self.name, ", ".join(commas[:20]))

    def _comma(self, name: str) -> bool:
        """Whether a column's numbers have decimal commas."""
        column, ours = self._survey.columns[name], self.mapping.get(name, name)
        if ours == "price":
            return self._survey.prices(name).decimal == ","
        if column.cells is None or ours in STANDARD_COLUMNS or self._kinds.get(ours) not in ("integer", "float"):
            return False
        return column.cells.decimal(self._survey.usual) == "," and column.cells.separated
