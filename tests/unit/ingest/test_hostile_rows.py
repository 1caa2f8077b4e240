"""Rows that were made to hurt: each is a product or a reject that can be tried again, and no other row notices."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from catalog import product_from_row
from ingest.catalog import Catalog, open_catalog
from ingest.readers import Row
from ingest.readers.lines import BLANK, numbered_lines
from ingest.readers.reader import MAX_ROW_BYTES
from ingest.readers.source import FileSource
from ingest.rejects import RejectsFile, rejection
from ingest.settings import IngestSettings
from schemas import CatalogError, Rejection, RowError
from tests.unit.ingest.test_readers import read, written


def _nested(depth: int, inner: str) -> str:
    return "[" * depth + inner + "]" * depth if depth % 2 else '{"a":' * depth + inner + "}" * depth


def _object(pairs: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{name}:{value}" for name, value in pairs) + "}"


# JSON as text: what no writer of JSON would give, but a file may hold.
_scalar = st.one_of(
    st.sampled_from(["1e400", "-1e999", "NaN", "-Infinity", "9" * 400, "9" * 4300, "9" * 5000, "1e-400", "-0", "null"]),
    st.sampled_from(['"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u001b[31m"', '"\\u2028"', '"\\ud83d\\ude00"']),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.text().map(json.dumps),
    st.integers(0, 1_200).map(lambda depth: _nested(depth, "1")),
)
_name = st.one_of(
    st.sampled_from(['""', '" "', '"\\ud800"', '"not"', '"__proto__"', '"a.b"', f'"{"n" * 300}"', '"id"', '"images"']),
    st.sampled_from(['"title"', '"price"', '"color"', '"tags"', '"in_stock"', '"group_id"', '"image"', '"category"']),
    st.text(max_size=5).map(json.dumps),
)
_value = st.recursive(
    _scalar,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]"),
        st.lists(st.tuples(_name, inner), max_size=4).map(_object),
    ),
    max_leaves=6,
)


_line = st.lists(st.tuples(_name, _value), max_size=6).map(_object)


def _tried(catalog: Catalog, rejects: Path) -> tuple[set[str], list[Rejection]]:
    """Ids of the products, and the rejects, which are in a file of this folder as well."""
    products: set[str] = set()
    found: list[Rejection] = []
    with catalog, RejectsFile(rejects, catalog.root) as file:
        for item in catalog.rows():
            rejected = item
            if isinstance(item, Row):
                try:
                    products.add(product_from_row(item.values, item.unusable).product.id)
                    continue
                except RowError as error:
                    rejected = rejection(item.line, error, item.values)
            assert isinstance(rejected, Rejection)
            file.write(rejected)
            found.append(rejected)
    return products, found


def _open(path: Path) -> Catalog:
    return open_catalog(IngestSettings(catalog=str(path)))


@given(lines=st.lists(_line, max_size=4))
def test_any_line_is_a_product_or_a_reject_that_can_be_tried_again(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("c")
    good = ['{"id":"first good","title":"x"}', '{"id":"last good","title":"x"}']
    path = written(folder, "c.jsonl", "\n".join([good[0], *lines, good[1]]))
    products, rejected = _tried(_open(path), folder / "first")
    assert {"first good", "last good"} <= products
    assert len({r.line for r in rejected}) == len(rejected)
    if rejected:
        (file,) = (folder / "first").iterdir()
        again, rejected_again = _tried(open_catalog(IngestSettings(rejects=file)), folder / "second")
        # A row that NaN made no JSON is one for a parser that knows it; others are what they were.
        assert len(again) + len(rejected_again) == len(rejected)
        assert [r.line for r in rejected_again] == sorted(r.line for r in rejected_again)


_cell = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(
        ["[" * 3_000, "[1" + ",[1" * 900 + "]" * 901, '"', '""', "\r", "\n\n", "1e999", "9" * 5_000, "=cmd"]
    ),
)


@given(rows=st.lists(st.lists(_cell, min_size=4, max_size=6), max_size=5), tail=st.binary(max_size=20))
def test_any_table_is_read_to_its_end(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], tail: bytes
) -> None:
    folder = tmp_path_factory.mktemp("c")
    table = io.StringIO()
    csv.writer(table).writerows([["id", "title", "tags", "price"], ["first good", "x", "", ""], *rows])
    # A quote that is left open goes on to the last line, so that one may be lost.
    path = written(folder, "c.csv", table.getvalue().encode() + tail)
    try:
        products, _ = _tried(_open(path), folder / "first")
    except CatalogError as error:
        assert any(said in error.message for said in ("carriage return", "breaks off", "--encoding NAME"))
    else:
        assert any("good" in id for id in products)


def test_a_row_of_a_million_names_that_come_twice_is_told_at_once(tmp_path: Path) -> None:
    names = ",".join(f'"{number}":1' for number in range(300_000))
    _, (rejected,) = read(written(tmp_path, "c.jsonl", f'{{{names},"299999":2}}'))
    assert (rejected.code, rejected.field) == ("row-unreadable", "299999")


def test_a_list_of_things_that_are_no_images_has_a_bounded_number_of_errors() -> None:
    parsed = product_from_row({"id": "a", "title": "x", "images": [1] * 1_000})
    assert len(parsed.image_errors) == 64


# Files that are made to take for ever


@pytest.mark.parametrize(
    ("name", "head", "row", "blank"),
    [
        ("c.jsonl", b"", b'{"id":"%d","title":"x"}\n', b"\n \t\r\n\f\n"),
        ("c.csv", b"id,title\n", b"%d,x\n", b"\n \t\r\n,\n , ,\r\n"),
        ("c.csv", b"id;title\n", b"%d;x\n", b"\n;\n"),
        ("c.tsv", b"id\ttitle\n", b"%d\tx\n", b"\t\n\n"),
    ],
)
def test_blank_lines_come_many_at_once_and_are_counted(
    tmp_path: Path, name: str, head: bytes, row: bytes, blank: bytes
) -> None:
    blank *= 200_000
    path = written(tmp_path, name, head + row % 1 + blank + row % 2 + blank)
    rows, rejected = read(path)
    assert not rejected
    before = head.count(b"\n")
    assert [(row.line, row.values["id"]) for row in rows] == [
        (before + 1, "1"),
        (before + 2 + blank.count(b"\n"), "2"),
    ]
    delimiter = b"" if name == "c.jsonl" else head[2:3]
    assert sum(1 for _ in numbered_lines(FileSource(path), blank=BLANK + delimiter)) < 1_000


def test_blank_lines_within_a_cell_are_the_cell_s(tmp_path: Path) -> None:
    blank = "\n,\n\n  \n" * 10_000
    rows, rejected = read(written(tmp_path, "c.csv", f'id,title\n1,"a{blank}b"\n{blank}2,x\n'))
    assert not rejected
    assert [row.values["title"] for row in rows] == [f"a{blank}b", "x"]


def test_a_line_that_begins_with_megabytes_of_blanks_is_too_long_and_not_blank(tmp_path: Path) -> None:
    rows, rejected = read(written(tmp_path, "c.jsonl", b'{"id":"b"}\n' + b" " * MAX_ROW_BYTES + b'{"id":"a"}'))
    assert [row.values["id"] for row in rows] == ["b"]
    assert [(r.line, r.code) for r in rejected] == [(2, "row-unreadable")]


def test_quotes_that_every_row_leaves_open_are_not_followed_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.readers.csv_table.READ_IN_VAIN", 10_000)
    path = written(tmp_path, "c.csv", "id,title\n1,x\n" + 'a","c\n' * 3_000 + '2,"y\ny"\n')
    rows, rejected = read(path)
    assert [row.values for row in rows] == [{"id": "1", "title": "x"}, {"id": "2", "title": "y\ny"}]
    assert len(rejected) == 3_000
    assert "neither are those of rows before it" in rejected[2_000].reason


def test_a_cell_of_more_lines_than_anybody_writes_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.readers.csv_table.MAX_ROW_LINES", 100)
    rows, (rejected,) = read(written(tmp_path, "c.csv", 'id,title\n1,"x\n' + "2,y\n" * 150))
    assert "100 lines" in rejected.reason
    assert len(rows) == 150


def _packed(folder: Path, name: str, content: bytes) -> Path:
    if name.endswith(".zip"):
        with ZipFile(folder / name, "w", ZIP_DEFLATED) as archive:
            archive.writestr("c.jsonl", content)
        return folder / name
    return written(folder, name, gzip.compress(content) if name.endswith(".gz") else zstd.compress(content))


@pytest.mark.parametrize("name", ["c.jsonl.gz", "c.jsonl.zst", "c.csv.gz", "c.zip"])
@pytest.mark.parametrize("filling", [b"\n", b" ", b"x", b"\0"])
def test_what_unpacks_to_far_more_than_a_catalog_does_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, filling: bytes
) -> None:
    for module in ("compression", "archives"):
        monkeypatch.setattr(f"images.{module}.MAX_ANYWAY", 2**20)
    head = b"id,title\n1,x\n" if "csv" in name else b'{"id": "1", "title": "x"}\n'
    rows, _ = read(_packed(tmp_path, name, head + filling * 2**19))  # small enough, whatever it is
    assert [row.values["id"] for row in rows] == ["1"]
    with pytest.raises(CatalogError, match="unpacks to more than 200 times its size"):
        read(_packed(tmp_path, name, head + filling * 2**23))
