"""Writing a catalog to an engine: the same for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from index.catalog_index import CatalogIndex, Point
from index.engine import Engine, RawVector, Row
from index.lexical import Lexical
from index.paths import CODE_PARTS, CODES, PICTURE_HASH, TITLE_KEY, field_path
from index.reader import Reader
from index.vectors import check_points
from schemas import FieldKind, IndexRecord, Missing, Not, Precision, PrecisionQuality, as_kind, stored_name, widen_kind

_BATCH = 500


class Writer:
    """The writes of an ``IndexBuild`` over an engine."""

    def __init__(self, engine: Engine, reader: Reader) -> None:
        self._engine = engine
        self._reader = reader
        self._record = reader.record
        self._lexical = Lexical(reader.record.average_words)
        self._widen(reader.record.fields)

    @property
    def index(self) -> CatalogIndex:
        return self._reader

    def upsert(self, points: Sequence[Point]) -> None:
        check_points(points, self._reader.record.embedding.dimension)
        self._engine.upsert([self._row(point) for point in points])

    def _row(self, point: Point) -> Row:
        row = Row(point.id, point.payload, {name: cast(RawVector, v.tolist()) for name, v in point.vectors.items()})
        if words := self._lexical.document(point.words, point.codes):
            row.vectors["lexical"] = words
        return row

    def set_payload(self, payloads: Mapping[UUID, dict[str, Any]]) -> None:
        self._engine.overwrite_payload(payloads)

    def delete(self, ids: Sequence[UUID]) -> None:
        self._engine.delete(ids)

    def made_with(self, precision: Precision, quality: PrecisionQuality | None) -> None:
        embedding = self._record.embedding.model_copy(update={"precision": precision})
        self._record = self._record.model_copy(update={"embedding": embedding, "precision_quality": quality})

    def _widen(self, fields: Mapping[str, FieldKind]) -> None:
        """Give every field its payload index, and values of fields that became text their new form first.

        The index of the old kind is the sign that a field is yet to be done: it goes last, so that
        a process that dies in between leaves nothing but work to repeat.
        """
        # Engines quote paths as they please, and no stored name has quotes.
        indexed = {path.replace('"', ""): kind for path, kind in self._engine.payload_indexes().items()}
        for path in (TITLE_KEY, CODES, CODE_PARTS, PICTURE_HASH):
            if path not in indexed:
                self._engine.index_payload(path, "keyword")
        for field, kind in fields.items():
            before = indexed.get(f"fields.{stored_name(field)}")
            if before == kind:
                continue
            if before and kind == "keyword":
                self._to_text(field)
            self._engine.index_payload(field_path(field), kind)

    def _to_text(self, field: str) -> None:
        name, after = stored_name(field), None
        while ids := self._reader.scan(Not(Missing(field)), _BATCH, after):
            rows = self._engine.retrieve(ids, True)
            for row in rows:
                row.payload["fields"][name] = as_kind(row.payload["fields"][name], "keyword")
            self._engine.overwrite_payload({row.id: row.payload for row in rows})
            after = ids[-1]


def continued(base: IndexRecord, record: IndexRecord) -> IndexRecord:
    """The record of a build that goes on with what ``base`` describes.

    Fields only ever widen, since older products keep theirs, and what the vectors there were made with stays.
    """
    fields = {**base.fields, **{name: widen_kind(base.fields.get(name), kind) for name, kind in record.fields.items()}}
    embedding = record.embedding.model_copy(update={"precision": base.embedding.precision})
    stays = {name: getattr(base, name) for name in ("average_words", "precision_quality", "created")}
    return record.model_copy(update={"fields": fields, "embedding": embedding, **stays})


def described(base: IndexRecord, record: IndexRecord) -> IndexRecord:
    """The record of the same build before it begins, when what is stored still has the format of ``base``."""
    return continued(base, record).model_copy(update={"format": base.format})
