"""Parquet, read a batch of rows at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar

from ingest.readers.reader import Reader, Row
from schemas import CatalogError, Rejection

_BATCH = 1024


class ParquetReader(Reader):
    """Nulls and NaN are absent values; dates and times become ISO 8601 text, decimals numbers."""

    typed_ids: ClassVar[bool] = True

    def rows(self) -> Iterator[Row | Rejection]:
        import pyarrow as pa  # slow to import, and only this format needs it
        from pyarrow import parquet

        number = 0
        try:
            with parquet.ParquetFile(self.path) as file:
                columns: list[str] = file.schema_arrow.names
                if "id" not in columns:
                    raise CatalogError(f"{self.path} has no column `id`; its columns are {columns[:20]}")
                twice = sorted({name for name in columns if columns.count(name) > 1})
                if twice:
                    raise CatalogError(f"{self.path} has more than one column named {', '.join(twice)}; rename them")
                for batch in file.iter_batches(batch_size=_BATCH):
                    for row in batch.to_pylist():
                        number += 1
                        values = {name: _plain(value) for name, value in row.items()}
                        yield Row(number, {name: value for name, value in values.items() if value is not None})
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise CatalogError(f"cannot read {self.path} as Parquet, after {number:,} rows: {error}") from error


def _plain(value: Any) -> Any:
    """A value as JSON would have it; what JSON has no word for, such as bytes, stays what it is."""
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value
