"""Every format's reader: good rows come out, broken ones become rejections, and reading goes on."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from ingest.catalog import Catalog
from ingest.catalog import open_catalog as open_told
from ingest.readers import Row
from ingest.readers.reader import MAX_ROW_BYTES
from ingest.settings import IngestSettings
from schemas import CatalogError, Rejection, clean_code


def open_catalog(path: Path | str, **options: Any) -> Catalog:
    return open_told(IngestSettings(catalog=str(path), **options))


def read(path: Path | str, **options: Any) -> tuple[list[Row], list[Rejection]]:
    with open_catalog(path, **options) as reader:
        items = list(reader.rows())
    return [i for i in items if isinstance(i, Row)], [i for i in items if isinstance(i, Rejection)]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# JSON Lines


BROKEN_LINES: dict[str, bytes] = {
    "not JSON": b'{"id": "b", "title": ',
    "not UTF-8": b'{"id": "b", "title": "caf\xe9"}',
    "NUL": b'{"id": "b\x00"}',
    "nested too deep": b'{"id": "b", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "NaN": b'{"id": "b", "price": NaN}',
    "infinite": b'{"id": "b", "price": -Infinity}',
    "list": b'["b"]',
    "number": b"7",
    "key twice": b'{"id": "b", "title": "x", "title": "y"}',
    "key twice inside": b'{"id": "b", "size": {"w": 1, "w": 2}}',
    "digits without end": b'{"id": "b", "price": ' + b"9" * 5000 + b"}",
    "too long": b'{"id": "b", "title": "' + b"x" * MAX_ROW_BYTES + b'"}',
    "half a line": b'{"id": "b", "ti',
}


@pytest.mark.parametrize("broken", BROKEN_LINES.values(), ids=BROKEN_LINES.keys())
def test_a_broken_line_costs_no_other_line(tmp_path: Path, broken: bytes) -> None:
    path = written(tmp_path, "c.jsonl", b'{"id": "a"}\n' + broken + b'\n{"id": "c"}')
    rows, rejected = read(path)
    assert [(row.line, row.values["id"]) for row in rows] == [(1, "a"), (3, "c")]
    assert [(r.line, r.code) for r in rejected] == [(2, "row-unreadable")]
    assert isinstance(rejected[0].content, str)
    assert len(rejected[0].content) <= 10_000


def test_marks_blank_lines_and_line_ends_of_any_kind(tmp_path: Path) -> None:
    path = written(tmp_path, "c.ndjson", b'\xef\xbb\xbf{"id": "a"}\r\n\r\n  \n{"id": "b"}')
    rows, rejected = read(path)
    assert [(row.line, row.values["id"]) for row in rows] == [(1, "a"), (4, "b")]
    assert not rejected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_read(tmp_path: Path, encoding: str) -> None:
    rows, rejected = read(written(tmp_path, "c.jsonl", '{"id": "a", "title": "Größe"}\n'.encode(encoding)))
    assert [row.values for row in rows] == [{"id": "a", "title": "Größe"}]
    assert not rejected


def test_a_json_file_of_lines_is_read_and_one_array_is_refused(tmp_path: Path) -> None:
    rows, _ = read(written(tmp_path, "lines.json", '{"id": "a"}\n{"id": "b"}\n'))
    assert len(rows) == 2
    with pytest.raises(CatalogError, match="one object a line"):
        read(written(tmp_path, "array.json", '[{"id": "a"}]'))


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


_names = st.text().map(lambda name: clean_code(f"x{name}"))  # no synonym of ours begins so


@given(rows=st.lists(st.dictionaries(_names, _values, max_size=5), max_size=5))
def test_whatever_json_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    got, rejected = read(written(tmp_path_factory.mktemp("c"), "c.jsonl", lines))
    assert [row.values for row in got] == rows
    assert not rejected


@given(garbage=st.binary(max_size=200), name=st.sampled_from(["c.jsonl", "c.csv", "c.json", "c.parquet"]))
def test_no_bytes_break_a_reader(tmp_path_factory: pytest.TempPathFactory, garbage: bytes, name: str) -> None:
    header = b"id,title,weight\n" if name == "c.csv" else b""
    path = written(tmp_path_factory.mktemp("c"), name, header + garbage)
    try:
        with open_catalog(path) as reader:
            for item in reader.rows():
                assert isinstance(item, Row | Rejection)
    except CatalogError:
        pass


# CSV


def test_csv_cells_get_the_types_of_the_contract(tmp_path: Path) -> None:
    rows, rejected = read(
        written(
            tmp_path,
            "c.csv",
            "\ufeffid,title,price,in_stock,images,tags,color,brand\r\n"
            '1,"a, ""b""",9.50,yes,a.jpg|b.jpg,"[""x"", ""y""]",red | blue,007\r\n'
            "2,,,0,,,,\r\n"
            "3,x,cheap,perhaps,,,,\r\n",
        )
    )
    assert not rejected
    assert [row.values for row in rows] == [
        {
            "id": "1",
            "title": 'a, "b"',
            "price": 9.5,
            "in_stock": True,
            "images": ["a.jpg", "b.jpg"],
            "tags": ["x", "y"],
            "color": ["red", "blue"],
            "brand": "007",
        },
        {"id": "2", "in_stock": False},
        {"id": "3", "title": "x", "price": "cheap", "in_stock": "perhaps"},
    ]
    assert [row.line for row in rows] == [2, 3, 4]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-20", ""], [1, -20, None]),
        (["1", "2.5", "3.0"], [1, 2.5, 3]),
        (["1", "2.5", "1e-3"], ["1", "2.5", "1e-3"]),
        (["1.50", "2.25"], [1.5, 2.25]),
        (["90.750", "2.5"], ["90.750", "2.5"]),
        (["+1", "2"], ["+1", "2"]),
        (["S", "42", "42.0"], ["S", "42", 42]),
        ([*map(str, range(20)), "heavy"], [*range(20), "heavy"]),
        ([*map(str, range(20)), "n/a", "NULL"], [*range(20), None, None]),
        (["true", "FALSE"], [True, False]),
        (["1", "x"], ["1", "x"]),
        (["007", "12"], ["007", "12"]),
        (["1", "true"], ["1", "true"]),
        (["yes", "no"], ["yes", "no"]),
        (["nan", "inf"], ["nan", "inf"]),
        (["1_000", "2"], ["1_000", "2"]),
        (["9" * 30, "2"], ["9" * 30, "2"]),
    ],
)
def test_a_free_csv_column_has_one_type(tmp_path: Path, cells: list[str], values: list[Any]) -> None:
    table = "id,size\n" + "".join(f"p{i},{cell}\n" for i, cell in enumerate(cells))
    rows, _ = read(written(tmp_path, "c.csv", table))
    got = [row.values.get("size") for row in rows]
    assert got == values
    assert [type(value) for value in got] == [type(value) for value in values]


BROKEN_RECORDS: dict[str, bytes] = {
    "too many cells": b"2,b,c\n",
    "too few cells": b"2\n",
    "not UTF-8": b"2,caf\xff\xfe\n",
    "NUL": b"2,b\x00\n",
    "quote never closed": b'2,"b\n',
    "quote in the middle": b'2,"b"b\n',
}


@pytest.mark.parametrize("broken", BROKEN_RECORDS.values(), ids=BROKEN_RECORDS.keys())
def test_a_broken_record_costs_no_other_record(tmp_path: Path, broken: bytes) -> None:
    path = written(tmp_path, "c.csv", b"id,title\n1,a\n" + broken + b'3,"c"\n\n4,"d\nd"\n5,e')
    rows, rejected = read(path)
    assert [(row.line, row.values["id"]) for row in rows] == [(2, "1"), (4, "3"), (6, "4"), (8, "5")]
    assert [(r.line, r.code) for r in rejected] == [(3, "row-unreadable")]


def test_a_quote_that_swallows_everything_is_bounded(tmp_path: Path) -> None:
    lines = b"2,bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n" * (MAX_ROW_BYTES // 50)
    rows, rejected = read(written(tmp_path, "c.csv", b'id,title\n1,"a\n' + lines))
    assert len(rows) == MAX_ROW_BYTES // 50
    assert [r.line for r in rejected] == [2]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("name,title\n1,a\n", "no column `id`"),
        ("a;title\n1;a\n", "'a', 'title'"),
        ('id,"title\n1,2\n', "first row"),
    ],
)
def test_a_csv_without_a_usable_header_is_refused(tmp_path: Path, table: str, says: str) -> None:
    with pytest.raises(CatalogError, match=says):
        read(written(tmp_path, "c.csv", table))


def test_columns_of_one_name_are_told_apart_and_images_among_them_are_all_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = "id,size,size,size_2,additional_image_link,additional_image_link,,\n1,S,M,L,a.png,b.png,x,y\n"
    rows, rejected = read(written(tmp_path, "c.csv", table))
    assert not rejected
    (row,) = rows
    assert row.values == {"id": "1", "size": "S", "size_3": "M", "size_2": "L", "images": ["a.png", "b.png"]}
    assert "size_3, additional_image_link_2" in caplog.text


_cell = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(cells=st.lists(_cell, min_size=1, max_size=6))
def test_whatever_csv_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    table = io.StringIO()
    writer = csv.writer(table, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "title"])
    writer.writerows([f"p{i}", cell] for i, cell in enumerate(cells))
    rows, rejected = read(written(tmp_path_factory.mktemp("c"), "c.csv", table.getvalue()))
    assert not rejected
    assert [row.values.get("title") for row in rows] == [cell if cell.strip() else None for cell in cells]


# Parquet


def test_parquet_values_become_json_values(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "title": ["a", None],
            "price": [1.5, float("nan")],
            "cost": [Decimal("2.50"), None],
            "since": [date(2024, 1, 2), None],
            "tags": [["x", "y"], None],
            "size": [{"w": 1}, None],
        }
    )
    parquet.write_table(table, tmp_path / "c.parquet")
    rows, rejected = read(tmp_path / "c.parquet")
    assert not rejected
    assert rows == [
        Row(
            1,
            {
                "id": "1",
                "title": "a",
                "price": 1.5,
                "cost": 2.5,
                "since": "2024-01-02",
                "tags": ["x", "y"],
                "size": {"w": 1},
            },
        ),
        Row(2, {"id": "2"}),
    ]


def test_parquet_is_read_over_many_row_groups(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"id": [str(i) for i in range(5000)]}), tmp_path / "c.parquet", row_group_size=700)
    rows, _ = read(tmp_path / "c.parquet")
    assert [row.line for row in rows] == list(range(1, 5001))
    assert [row.values["id"] for row in rows] == [str(i) for i in range(5000)]


def test_parquet_without_ids_or_cut_short_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"name": ["a"]}), tmp_path / "names.parquet")
    with pytest.raises(CatalogError, match="no column `id`"):
        read(tmp_path / "names.parquet")
    parquet.write_table(pa.table({"id": [str(i) for i in range(5000)]}), tmp_path / "c.parquet")
    whole = (tmp_path / "c.parquet").read_bytes()
    with pytest.raises(CatalogError, match="Parquet"):
        read(written(tmp_path, "half.parquet", whole[: len(whole) // 2]))
    damaged = whole[:100] + bytes(200) + whole[300:]
    with pytest.raises(CatalogError, match="Parquet"):
        read(written(tmp_path, "damaged.parquet", damaged))


def test_parquet_times_that_python_does_not_have(tmp_path: Path) -> None:
    stamps = pa.list_(pa.timestamp("ns"))
    table = pa.table(
        {
            "id": ["a", "b"],
            "made": pa.array([1_700_000_000_000_000_001, None], pa.timestamp("ns")),
            "seen": pa.array([[1], None], stamps),
            "last": pa.array([{"on": 1}, None], pa.struct([("on", pa.timestamp("ns"))])),
            "until": pa.array([10**7, 0], pa.date32()),
            "warranty": pa.array([90, None], pa.duration("s")),
        }
    )
    parquet.write_table(table, tmp_path / "c.parquet")
    rows, rejected = read(tmp_path / "c.parquet")
    assert not rejected
    assert [row.values for row in rows] == [
        {
            "id": "a",
            "made": "2023-11-14T22:13:20",
            "seen": ["1970-01-01T00:00:00"],
            "last": {"on": "1970-01-01T00:00:00"},
            "warranty": 90.0,
        },
        {"id": "b", "until": "1970-01-01"},
    ]


def test_bytes_in_parquet_are_images_or_text_or_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    image = b"\xff\xd8\xff image"
    table = pa.table({"id": [b"a"], "name": [b"Caf\xc3\xa9"], "image_bytes": [image], "thumb": [image]})
    parquet.write_table(table, tmp_path / "c.parquet")
    rows, rejected = read(tmp_path / "c.parquet")
    assert not rejected
    assert rows == [Row(1, {"id": "a", "title": "Café", "image": image})]
    assert "the column thumb holds bytes" in caplog.text


# Names that are wrong


def test_what_is_compressed_under_another_name_is_read(tmp_path: Path) -> None:
    rows, rejected = read(written(tmp_path, "c.csv", gzip.compress(b"id,title\na,Tee\n")))
    assert not rejected
    assert rows == [Row(2, {"id": "a", "title": "Tee"})]


def test_what_is_another_format_is_refused_and_not_read_as_rows(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"id": ["a"]}), tmp_path / "c.jsonl")
    with pytest.raises(CatalogError, match="--format parquet"):
        read(tmp_path / "c.jsonl")
    with pytest.raises(CatalogError, match="workbook"):
        read(written(tmp_path, "c.csv", b"PK\x03\x04 and so on"))
    with pytest.raises(CatalogError, match="over several lines"):
        read(written(tmp_path, "c.json", json.dumps({"id": "a"}, indent=1)))


def test_a_text_file_is_a_table(tmp_path: Path) -> None:
    rows, _ = read(written(tmp_path, "feed.txt", "id\ttitle\na\tTee, blue\n"))
    assert rows == [Row(2, {"id": "a", "title": "Tee, blue"})]


# A folder of images


def test_a_folder_of_images_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b/red-shoe_02.JPG", "a.png", ".hidden.png", ".git/x.png", "notes.txt", "b/___.webp"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    rows, rejected = read(tmp_path)
    assert not rejected
    assert [(row.line, row.values) for row in rows] == [
        (1, {"id": "a.png", "title": "a", "image": "a.png"}),
        (2, {"id": "b/___.webp", "title": "___", "image": "b/___.webp"}),
        (3, {"id": "b/red-shoe_02.JPG", "title": "red shoe 02", "image": "b/red-shoe_02.JPG"}),
    ]


def test_a_table_that_is_not_read_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    written(tmp_path, "shop.csv", "id,title\na,Tee\n")
    with pytest.raises(CatalogError, match=r"shop\.csv in it, name the file"):
        read(tmp_path)
    written(tmp_path, "a.png", b"")
    rows, _ = read(tmp_path)
    assert [row.values["id"] for row in rows] == ["a.png"]
    assert "to read shop.csv in it, name the file" in caplog.text


# What is no catalog


def test_what_is_no_catalog_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CatalogError, match="no images"):
        read(tmp_path / "empty")
    with pytest.raises(CatalogError, match="there is no catalog"):
        read(tmp_path / "missing.jsonl")
    with pytest.raises(CatalogError, match=r"none of \.jsonl"):
        read(written(tmp_path, "c.xlsx", "x"))
    with pytest.raises(CatalogError, match="not a regular file"):
        (tmp_path / "null.csv").symlink_to("/dev/null")
        read(tmp_path / "null.csv")


def test_a_file_that_changes_between_readings_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path, "c.jsonl", '{"id": "a"}\n')
    reader = open_catalog(path)
    reader.check_unchanged()
    path.write_text('{"id": "a"}\n{"id": "b"}\n')
    with pytest.raises(CatalogError, match="changed while it was read"):
        reader.check_unchanged()
