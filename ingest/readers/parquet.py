"""Parquet, read a batch of rows at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from ingest.readers.reader import MAX_ROW_BYTES, FileReader, Row
from ingest.readers.source import Source
from ingest.rejects import rejection
from schemas import CatalogError, Rejection, RowUnreadable, clean_code

_BATCH = 4_096
_BATCH_BYTES = 16 * 2**20
"""Rows are read so many at a time as are likely to be of this size: rows may hold images."""
_BUFFER = 2**20


class ParquetReader(FileReader):
    """Nulls and NaN are absent values; dates and times become ISO 8601 text, decimals and seconds of time numbers.

    Bytes that are text in UTF-8 are text, as some writers have it.
    """

    needs_id = True

    def __init__(self, source: Source, root: str) -> None:
        super().__init__(source, root)
        with _Opened(source) as opened:
            schema = opened.file.schema_arrow
            names = [clean_code(name) for name in schema.names]
            with_bytes = [field.name for field in schema if _has_bytes(field.type) and not opened.is_text(field)]
            self.with_bytes = set(map(clean_code, with_bytes))
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise CatalogError(f"{self.name} has more than one column named {', '.join(twice)}; rename them")
        self.header = names

    def rows(self) -> Iterator[Row | Rejection]:
        return self._rows(self.header)

    def look(self) -> Iterator[Row | Rejection]:
        """Without columns of bytes, images most likely, in whose place an empty one stands."""
        wanted = [name for name in self.header if name not in self.with_bytes]
        return self._rows(wanted, dict.fromkeys(self.with_bytes, b""))

    def _rows(self, wanted: Sequence[str], more: dict[str, Any] | None = None) -> Iterator[Row | Rejection]:
        with _Opened(self.source) as opened:
            written = [name for name in opened.file.schema_arrow.names if clean_code(name) in wanted]
            for batch in _batches(opened.file, written):
                names = [clean_code(name) for name in batch.schema.names]
                columns = [_read(column) for column in batch.columns]
                size = batch.nbytes // max(1, batch.num_rows)
                for row in zip(*columns, strict=True):
                    opened.rows += 1
                    values = {name: value for name, value in zip(names, row, strict=True) if value is not None}
                    if batch.nbytes > MAX_ROW_BYTES and _text_size(values) > MAX_ROW_BYTES:
                        too_long = RowUnreadable(f"the row has more than {MAX_ROW_BYTES:,} characters")
                        yield rejection(opened.rows, too_long, values)
                        continue
                    yield Row(opened.rows, values | more if more else values, size=size)


class _Opened:
    """A Parquet file while it is read; what goes wrong meanwhile is a CatalogError."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.rows = 0

    def __enter__(self) -> _Opened:
        from pyarrow import parquet  # slow to import, and only this format needs it

        self._stream = self._source.open()
        try:
            # Pages are read as they are needed: a row group of images may be larger than memory.
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

    def is_text(self, field: Any) -> bool:
        """Whether a column of bytes begins with text."""
        import pyarrow as pa

        if pa.types.is_nested(field.type):
            return False
        for batch in self.file.iter_batches(batch_size=8, columns=[field.name]):
            if values := [value for value in _values(batch.columns[0]) if value]:
                return all(_text(value) is not None for value in values)
        return True

    def _raise(self, error: BaseException) -> None:
        import pyarrow as pa

        if isinstance(error, pa.ArrowException | OSError | UnicodeDecodeError):
            said = f"cannot read {self._source.name} as Parquet, after {self.rows:,} rows: {error}"
            raise CatalogError(said) from error


def _text_size(values: dict[str, Any]) -> int:
    return sum(len(value) for value in values.values() if isinstance(value, str))


def _has_bytes(kind: Any) -> bool:
    import pyarrow as pa

    nested = [kind.field(at).type for at in range(kind.num_fields)]
    return any(map(_has_bytes, nested)) or bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    )


def _batches(file: Any, columns: Sequence[str]) -> Iterator[Any]:
    for group in range(file.metadata.num_row_groups):
        described = file.metadata.row_group(group)
        a_row = described.total_byte_size // max(1, described.num_rows) + 1
        size = max(1, min(_BATCH, _BATCH_BYTES // a_row))
        yield from file.iter_batches(batch_size=size, row_groups=[group], columns=list(columns))


def _read(column: Any) -> list[Any]:
    """A column's values, with text for bytes that are text."""
    values = _values(column)
    texts = ((_text(value) if isinstance(value, bytes) else None) for value in values)
    return [value if text is None else text for value, text in zip(values, texts, strict=True)]


def _values(column: Any) -> list[Any]:
    """A column's values as JSON would have them; what JSON has no word for, such as bytes, stays what it is."""
    import pyarrow as pa

    if (kind := _readable(column.type)) != column.type:
        column = column.cast(kind, safe=False)
    if pa.types.is_string(kind) or pa.types.is_binary(kind) or (pa.types.is_boolean(kind) and not column.null_count):
        values: list[Any] = column.to_numpy(zero_copy_only=False).tolist()  # several times as fast as to_pylist
        return values
    if pa.types.is_integer(kind) and not column.null_count:
        return column.to_numpy(zero_copy_only=False).tolist()  # type: ignore[no-any-return]
    if pa.types.is_floating(kind):
        return [None if value is None or value != value else value for value in column.to_pylist()]
    try:
        values = column.to_pylist()
    except (ValueError, OverflowError):  # somewhere a day that Python's calendar does not have
        values = [_readable_value(value) for value in column]
    return [_plain(value) for value in values]


def _readable(kind: Any) -> Any:
    """The type with microseconds for nanoseconds, which Python's times do not have."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return pa.time64("us")
    if pa.types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_readable(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_readable(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_readable(kind.value_type)))
    return kind


def _readable_value(value: Any) -> Any:
    """None for a day beyond the calendar."""
    try:
        return value.as_py()
    except (ValueError, OverflowError):
        return None


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value
