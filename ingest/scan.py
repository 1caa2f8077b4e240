"""The first reading of a catalog: what must be known before the first product is written."""

from __future__ import annotations

from dataclasses import dataclass

from catalog import STANDARD_FIELDS, kinds_of, words
from ingest.intake import Entry, Intake
from ingest.readers import Reader
from schemas import FieldKind, widen_kind


@dataclass(frozen=True, slots=True)
class Scan:
    """``fields`` are the filterable ones and the narrowest kind that holds all their values."""

    rows: int
    products: int
    fields: dict[str, FieldKind]
    average_words: float


def scan(reader: Reader) -> Scan:
    """Raises CatalogError when the catalog cannot be read to its end."""
    fields = dict(STANDARD_FIELDS)
    rows = words_seen = 0
    intake = Intake(reader)
    for entry in intake:
        rows += 1
        if isinstance(entry, Entry):
            for name, kind in kinds_of(entry.product).items():
                fields[name] = widen_kind(fields.get(name), kind)
            words_seen += len(words(entry.product).split())
    return Scan(rows, intake.products, fields, average_words=max(1.0, words_seen / max(1, intake.products)))
