"""Writing a catalog to an engine: the same for both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from index.engine import Engine, EnginePoint, RawVector
from index.lexical import Lexical
from index.paths import ACTION, CODE_PARTS, CODES, DECISION, IMAGE_HASH, SUBJECT_TERMS, TERMS, TITLE_KEY, field_path
from index.protocols import CatalogIndex, Point
from index.reader import IndexReader
from index.tokenizer import terms
from index.validation import check_points
from schemas import (
    RECORD_FORMAT,
    FieldKind,
    IndexRecord,
    Precision,
    PrecisionQuality,
    fit,
    stored_fields,
    stored_name,
)

_BATCH = 500
OWN_PATHS: dict[str, FieldKind] = dict.fromkeys(
    (TITLE_KEY, CODES, CODE_PARTS, IMAGE_HASH, TERMS, SUBJECT_TERMS, ACTION), "keyword"
)
"""What has a payload index besides the fields."""


def indexed_terms(words: str, subject: str) -> dict[str, list[str]]:
    """What of a payload tells which words a product has: all of them, and those that say what it is.

    Args:
        words: What the ``lexical`` vector is made of.
        subject: Its title and what is said of it in short.
    """
    return {TERMS: terms(words), SUBJECT_TERMS: terms(subject)}


class Writer:
    """The writes of an ``IndexBuild`` over an engine.

    Args:
        base: What the build goes on with; None where it starts empty.
    """

    def __init__(self, engine: Engine, reader: IndexReader, base: IndexRecord | None) -> None:
        self._engine = engine
        self._reader = reader
        self._record = reader.record
        self._lexical = Lexical(reader.record.average_words)
        self._fit(base, reader.record.fields)

    @property
    def index(self) -> CatalogIndex:
        return self._reader

    def upsert(self, points: Sequence[Point]) -> None:
        check_points(points, self._reader.record.embedding.dimension)
        self._engine.upsert([self._row(point) for point in points])

    def _row(self, point: Point) -> EnginePoint:
        row = EnginePoint(
            point.id, point.payload, {name: cast(RawVector, v.tolist()) for name, v in point.vectors.items()}
        )
        if words := self._lexical.document(point.words, point.codes):
            row.vectors["lexical"] = words
        return row

    def set_payload(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        self._engine.overwrite_payload(payloads)

    def decide(self, decisions: Mapping[UUID, dict[str, Any] | None]) -> None:
        self._engine.merge_payload({id: {DECISION: made} for id, made in decisions.items() if made is not None})
        self._engine.drop_payload([id for id, made in decisions.items() if made is None], DECISION)

    def annotate(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        self._engine.merge_payload(payloads)

    def delete(self, ids: Sequence[UUID]) -> None:
        self._engine.delete(ids)

    def made_with(self, precision: Precision, quality: PrecisionQuality | None) -> None:
        embedding = self._record.embedding.model_copy(update={"precision": precision})
        self._record = self._record.model_copy(update={"embedding": embedding, "precision_quality": quality})

    def _fit(self, base: IndexRecord | None, fields: Mapping[str, FieldKind]) -> None:
        """Give every field its payload index, and values of fields that changed their kind their new form first.

        The index of the old kind is the sign that a field is yet to be done: it goes last, so that
        a process that dies in between leaves nothing but work to repeat.
        """
        # Engines quote paths as they please, and no stored name has quotes.
        indexed = {path.replace('"', ""): kind for path, kind in self._engine.payload_indexes().items()}
        for path, kind in OWN_PATHS.items():
            if path not in indexed:
                self._engine.index_payload(path, kind)
        found = {field: indexed.get(f"fields.{stored_name(field)}") for field in fields}
        if base is not None:
            old = base.format < RECORD_FORMAT
            changed = [
                field
                for field, kind in fields.items()
                if old or not {found[field], base.fields.get(field), kind} - {None} <= {kind, _as_it_is.get(kind)}
            ]
            if changed:
                self._make_anew(changed, fields)
        for field, kind in fields.items():
            if found[field] != kind:
                self._engine.index_payload(field_path(field), kind)

    def _make_anew(self, changed: Sequence[str], kinds: Mapping[str, FieldKind]) -> None:
        """Make the values of some fields of all points again: of what the product has, which loses nothing."""
        after = None
        while ids := self._reader.scan(None, _BATCH, after):
            payloads = {}
            for row in self._engine.retrieve(ids, True):
                before = row.payload.get("fields", {})
                made, fields = stored_fields(row.payload.get("product", {}), kinds), dict(before)
                for field in changed:
                    name = stored_name(field)
                    value = made.get(name)
                    if value is None and name in before:
                        value = fit(before[name], kinds[field]).value
                    fields[name] = value
                fields = {name: value for name, value in fields.items() if value is not None}
                if json.dumps(fields) != json.dumps(before):  # 42 and 42.0 are equal, and not the same to an engine
                    payloads[row.id] = row.payload | {"fields": fields}
            if payloads:
                self._engine.overwrite_payload(payloads)
            after = ids[-1]


_as_it_is: dict[FieldKind, FieldKind] = {"float": "integer"}
"""Whose values a field of this kind takes as they are."""


def field_paths(record: IndexRecord) -> dict[str, FieldKind]:
    """Where the fields of a generation lie: no point of it has a value of any other."""
    return {field_path(field): kind for field, kind in record.fields.items()}


def continued(base: IndexRecord, record: IndexRecord) -> IndexRecord:
    """The record of a build that goes on with what ``base`` describes.

    Fields that the catalog no longer has stay, since older products keep theirs, and what the vectors there were made
    with stays.
    """
    embedding = record.embedding.model_copy(update={"precision": base.embedding.precision})
    stays = {name: getattr(base, name) for name in ("average_words", "precision_quality", "created")}
    return record.model_copy(update={"fields": {**base.fields, **record.fields}, "embedding": embedding, **stays})


def described(base: IndexRecord, record: IndexRecord) -> IndexRecord:
    """The record of the same build before it begins, when what is stored still has the format of ``base``."""
    return continued(base, record).model_copy(update={"format": base.format})
