"""Parquet, read a batch of rows at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from ingest.mapping import ColumnMap
from ingest.readers.reader import FileReader, Row
from ingest.readers.source import Source
from schemas import CatalogError, Rejection

_BATCH = 4_096
_BATCH_BYTES = 16 * 2**20
"""Rows are read so many at a time as are likely to be of this size: rows may hold pictures."""
_BUFFER = 2**20


class ParquetReader(FileReader):
    """Nulls and NaN are absent values; dates and times become ISO 8601 text, decimals numbers."""

    typed_ids = True

    def __init__(self, source: Source, root: str, wanted: ColumnMap) -> None:
        super().__init__(source, root)
        with _Opened(source) as opened:
            names: list[str] = opened.file.schema_arrow.names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise CatalogError(f"{self.name} has more than one column named {', '.join(twice)}; rename them")
        self.columns = wanted.resolve(names, self.name)

    def rows(self) -> Iterator[Row | Rejection]:
        apply = self.columns.apply if self.mapping else None
        with _Opened(self.source) as opened:
            for batch in _batches(opened.file):
                names = batch.schema.names
                columns = [_values(column) for column in batch.columns]
                for row in zip(*columns, strict=True):
                    opened.rows += 1
                    values = {name: value for name, value in zip(names, row, strict=True) if value is not None}
                    yield Row(opened.rows, values if apply is None else apply(values))


class _Opened:
    """A Parquet file while it is read; what goes wrong meanwhile is a CatalogError."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.rows = 0

    def __enter__(self) -> _Opened:
        from pyarrow import parquet  # slow to import, and only this format needs it

        self._stream = self._source.open()
        try:
            # Pages are read as they are needed: a row group of pictures may be larger than memory.
            self.file = parquet.ParquetFile(self._stream, pre_buffer=False, buffer_size=_BUFFER)
        except BaseException as error:
            self._stream.close()
            self._raise(error)
            raise
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.file.close()
        self._stream.close()
        if error is not None:
            self._raise(error)

    def _raise(self, error: BaseException) -> None:
        import pyarrow as pa

        if isinstance(error, pa.ArrowException | OSError | UnicodeDecodeError):
            said = f"cannot read {self._source.name} as Parquet, after {self.rows:,} rows: {error}"
            raise CatalogError(said) from error


def _batches(file: Any) -> Iterator[Any]:
    for group in range(file.metadata.num_row_groups):
        described = file.metadata.row_group(group)
        a_row = described.total_byte_size // max(1, described.num_rows) + 1
        size = max(1, min(_BATCH, _BATCH_BYTES // a_row))
        yield from file.iter_batches(batch_size=size, row_groups=[group])


def _values(column: Any) -> list[Any]:
    """A column's values as JSON would have them; what JSON has no word for, such as bytes, stays what it is."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_binary(kind) or (pa.types.is_boolean(kind) and not column.null_count):
        values: list[Any] = column.to_numpy(zero_copy_only=False).tolist()  # several times as fast as to_pylist
        return values
    if pa.types.is_integer(kind) and not column.null_count:
        return column.to_numpy(zero_copy_only=False).tolist()  # type: ignore[no-any-return]
    if pa.types.is_floating(kind):
        return [None if value is None or value != value else value for value in column.to_pylist()]
    return [_plain(value) for value in column.to_pylist()]


def _plain(value: Any) -> Any:
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
