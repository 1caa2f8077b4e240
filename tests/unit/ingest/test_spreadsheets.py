"""CSV as spreadsheets and shops write it."""

from __future__ import annotations

import logging
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalog import open_catalog
from ingest.columns.prices import Prices
from ingest.columns.stock import parse_stock
from ingest.readers import Row
from ingest.settings import IngestSettings
from schemas import CatalogError, Rejection


def read(path: Path, content: str | bytes, **options: Any) -> tuple[list[dict[str, Any]], list[Rejection]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with open_catalog(IngestSettings(catalog=str(path), **options)) as reader:
        items = list(reader.rows())
    return [item.values for item in items if isinstance(item, Row)], [i for i in items if isinstance(i, Rejection)]


GERMAN = """\
id;title;price;weight;in_stock;note
1;Übergröße Café;1.234,56 €;1,5;ja;a,b
2;Straße;12,50 €;0,25;nein;c
3;Œuvre «10 °C»;9,00 €;2;;
"""
PRODUCTS = [
    {
        "id": "1",
        "title": "Übergröße Café",
        "price": 1234.56,
        "currency": "EUR",
        "weight": 1.5,
        "in_stock": True,
        "note": "a,b",
    },
    {"id": "2", "title": "Straße", "price": 12.5, "currency": "EUR", "weight": 0.25, "in_stock": False, "note": "c"},
    {"id": "3", "title": "Œuvre «10 °C»", "price": 9.0, "currency": "EUR", "weight": 2.0},
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep={}\r\n"])
def test_a_spreadsheet_in_any_encoding(tmp_path: Path, encoding: str, delimiter: str, first: str) -> None:
    text = first.format(delimiter) + GERMAN.replace(";", delimiter).replace("\n", "\r\n")
    if encoding in ("utf-16-le", "utf-16-be"):
        text = "\ufeff" + text
    rows, rejected = read(tmp_path / "c.csv", text.encode(encoding))
    assert rows == PRODUCTS
    assert not rejected


def test_what_was_decided_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        path = tmp_path / "c.csv"
        path.write_bytes(GERMAN.encode("cp1252"))
        with open_catalog(IngestSettings(catalog=str(path))) as reader:
            list(reader.rows())
            list(reader.rows())
    said = [message for message in map(logging.LogRecord.getMessage, caplog.records) if str(path) in message]
    assert said[-2:] == [f"{path}: CSV, Windows-1252, ';' between columns", f"{path}: decimal commas in price, weight"]
    assert "it could be Windows-1252 ('Œuvre') or Windows-1250 ('Śuvre')" in caplog.text


def test_one_broken_line_among_many_of_utf8_is_rejected(tmp_path: Path) -> None:
    rows, rejected = read(tmp_path / "c.csv", "id,title\n1,é\n2,ü\n".encode() + b"3,caf\xe9\n4,d\n")
    assert [row["id"] for row in rows] == ["1", "2", "4"]
    assert [(r.line, r.code) for r in rejected] == [(4, "row-unreadable")]


def test_utf_16_that_breaks_costs_a_line(tmp_path: Path) -> None:
    broken = "\ufeffid,title\n1,a\n2,".encode("utf-16-le") + b"\x00\xdc" + "\n3,c\n".encode("utf-16-le")
    rows, rejected = read(tmp_path / "c.csv", broken)
    assert [row["id"] for row in rows] == ["1", "3"]
    assert [r.line for r in rejected] == [3]


@pytest.mark.parametrize(
    ("delimiter", "cells", "values"),
    [
        (",", ["1.234,56", "7"], [1234.56, 7.0]),
        (",", ["1,234.56", "7"], [1234.56, 7.0]),
        (",", ["1,299", "2,000,000"], [1299.0, 2000000.0]),
        (",", ["1,299", "5"], [1299.0, 5.0]),
        (";", ["1,299", "5"], [1.299, 5.0]),
        (",", ["1.299", "5"], [1.299, 5.0]),
        (";", ["1.299", "5"], [1299.0, 5.0]),
        (";", ["1.5", "2.25"], [1.5, 2.25]),
        (",", ["1,5", "2.5"], ["1,5", "2.5"]),
        (",", ["1,5", "x"], ["1,5", "x"]),
        (",", ["01,5", "2,5"], ["01,5", "2,5"]),
        (",", ["12,34,56", "2"], ["12,34,56", "2"]),
        (";", ["1.2.3", "2"], ["1.2.3", "2"]),
    ],
)
def test_a_free_column_has_decimal_commas_where_all_its_cells_agree(
    tmp_path: Path, delimiter: str, cells: list[str], values: list[Any]
) -> None:
    table = f"id{delimiter}size\n" + "".join(f'{i}{delimiter}"{cell}"\n' for i, cell in enumerate(cells))
    rows, _ = read(tmp_path / "c.csv", table)
    assert [row["size"] for row in rows] == values


def test_other_columns_say_what_a_column_leaves_open(tmp_path: Path) -> None:
    rows, _ = read(tmp_path / "c.csv", 'id,a,b,price\n1,"1.234","0,5","2.000"\n2,"5.678","1,5","3.000"\n')
    assert [(row["a"], row["b"], row["price"]) for row in rows] == [(1234.0, 0.5, 2000.0), (5678.0, 1.5, 3000.0)]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["$1,299.00", "$5"], [(1299.0, "USD"), (5.0, "USD")]),
        (["12.50 USD", "EUR 3"], [(12.5, "USD"), (3.0, "EUR")]),
        (["12,50 €", "€ 3,00"], [(12.5, "EUR"), (3.0, "EUR")]),
        (["12,50 €", "$12.50"], [(12.5, "EUR"), (12.5, "USD")]),
        (["1 299,00 kr", "5,-"], [(1299.0, None), (5.0, None)]),
        (["CHF 1'299.50", "CHF 5.-"], [(1299.5, "CHF"), (5.0, "CHF")]),
        (["9.50", "1e3"], [(9.5, None), (1000.0, None)]),
        (["cheap", "12 PCS"], [("cheap", None), ("12 PCS", None)]),
    ],
)
def test_prices(tmp_path: Path, cells: list[str], values: list[Any]) -> None:
    rows, _ = read(tmp_path / "c.csv", "id,price\n" + "".join(f'{i},"{cell}"\n' for i, cell in enumerate(cells)))
    assert [(row["price"], row.get("currency")) for row in rows] == values
    rows, _ = read(
        tmp_path / "c.csv", "id,price,currency\n" + "".join(f'{i},"{cell}",X\n' for i, cell in enumerate(cells))
    )
    assert [(row["price"], row["currency"]) for row in rows] == [(price, "X") for price, _ in values]


@given(number=st.decimals(0, 10**9, places=2), code=st.sampled_from(["", "EUR", "€", "$", "CHF"]), before=st.booleans())
def test_a_price_is_read_back_however_it_is_written(number: Any, code: str, before: bool) -> None:
    english, swiss = f"{number:,}", f"{number:,}".replace(",", "'")
    german = english.replace(",", "_").replace(".", ",").replace("_", ".")
    for text in (str(number), english, german, swiss, english.replace(",", "\u202f")):
        amount = Prices().read(f"{code} {text}" if before else f"{text}\u00a0{code}")
        assert amount.value == float(number)
        assert bool(amount.currency) == bool(code)


@given(st.text(max_size=80))
def test_any_text_is_a_price_or_none_and_a_bool_or_itself(text: str) -> None:
    prices = Prices()
    if prices.see(text):
        with suppress(ValueError):
            assert isinstance(prices.read(text).value, float)
    assert parse_stock(text) in (True, False, None)


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("in stock|in_stock|In Stock|yes|JA|wahr|VRAI|1|7|https://schema.org/InStock|available|instock", True),
        (
            "schema.org/InStock|http://schema.org/LimitedAvailability|schema:OnlineOnly|12.0|100.0000|+5",
            True,
        ),
        ("10+|>10|12 in stock|In stock (3)|continue|limited availability|en stock|op voorraad|skladem|på lager", True),
        ("sí|tak|да|в наличии|evet|はい|在庫あり|有货|예|VERFÜGBAR|verfu\u0308gbar", True),
        ("out of stock|out_of_stock|preorder|backorder|no|nein|FALSCH|0|sold out|http://schema.org/OutOfStock", False),
        ("onbackorder|on-backorder|outofstock|https://schema.org/SoldOut|schema.org/PreOrder|Discontinued", False),
        (
            "https://schema.org/BackOrder|https://schema.org/PreSale|MadeToOrder|Reserved|available for order|-2|-2.0",
            False,
        ),
        ("0.0000|0 in stock|épuisé|ausverkauft|agotado|нет|stokta yok|品切れ|缺货|품절|slutsåld|není skladem", False),
        ("perhaps|n/a|ships in 3 days|deny|2024-01-01||in stock from May", None),
    ],
)
def test_words_for_in_stock(words: str, meaning: bool | None) -> None:
    assert {word: parse_stock(word) for word in words.split("|")} == dict.fromkeys(words.split("|"), meaning)


@pytest.mark.parametrize(
    ("value", "meaning"), [(True, True), (False, False), (3, True), (0, False), (-2, False), (0.5, True), ([], None)]
)
def test_numbers_for_in_stock(value: Any, meaning: bool | None) -> None:
    assert parse_stock(value) is meaning


def test_a_delimiter_inside_quotes_and_texts_is_none(tmp_path: Path) -> None:
    table = 'id;title;"size, cm"\n1;a, b, c, d;2\n2;"e; ""f""\ng";3\n'
    assert read(tmp_path / "c.csv", table)[0] == [
        {"id": "1", "title": "a, b, c, d", "size, cm": 2},
        {"id": "2", "title": 'e; "f"\ng', "size, cm": 3},
    ]
    assert read(tmp_path / "c.csv", "id\n1\n2\n")[0] == [{"id": "1"}, {"id": "2"}]
    assert read(tmp_path / "c.tsv", "id\ttitle, long, short\n1\ta,b,c\n")[0] == [
        {"id": "1", "title, long, short": "a,b,c"}
    ]


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    _, rejected = read(tmp_path / "c.csv", "sep=;\nid;title\n1;a\n2\n")
    assert [r.line for r in rejected] == [4]
    with pytest.raises(CatalogError, match="is empty"):
        read(tmp_path / "c.csv", "sep=;\n")


_cell = st.text(st.characters(codec="cp1252", exclude_characters='\0\r\n"'), max_size=12)


@given(rows=st.lists(st.tuples(_cell, _cell), max_size=5), delimiter=st.sampled_from(";\t|,"))
def test_every_western_table_is_read_or_its_rows_rejected(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    lines = [
        f"id{delimiter}title{delimiter}note",
        *(f'{i}{delimiter}"{a}"{delimiter}"{b}"' for i, (a, b) in enumerate(rows)),
    ]
    table = "\n".join(lines).encode("cp1252")
    found, rejected = read(tmp_path_factory.mktemp("c") / "c.csv", table, encoding="cp1252")
    assert len(found) + len(rejected) == len(rows)


def test_emptied_rows_and_columns_are_nobody_s(tmp_path: Path) -> None:
    table = "id;title;;\n1;a;;\n2;b\n;;;\n3;c;;;;\n4\n5;d;;;x\n"
    rows, rejected = read(tmp_path / "c.csv", table)
    assert rows == [{"id": "1", "title": "a"}, {"id": "2", "title": "b"}, {"id": "3", "title": "c"}]
    assert [item.line for item in rejected] == [6, 7]


@pytest.mark.parametrize("nothing", ["NULL", "n/a", "#N/A", "NaN", "None", "-", "\\N"])
def test_what_says_that_there_is_no_number_is_no_number(tmp_path: Path, nothing: str) -> None:
    table = f"id,price,in_stock,weight,brand\n1,{nothing},{nothing},{nothing},{nothing}\n2,1.5,yes,3,x\n"
    rows, rejected = read(tmp_path / "c.csv", table)
    assert not rejected
    assert rows == [
        {"id": "1", "brand": nothing},
        {"id": "2", "price": 1.5, "in_stock": True, "weight": 3, "brand": "x"},
    ]


def test_the_euro_sign_of_the_other_western_encoding(tmp_path: Path) -> None:
    rows, _ = read(tmp_path / "c.csv", "id;title;price\n1;Größe;12,50 €\n".encode("iso8859-15"))
    assert rows == [{"id": "1", "title": "Größe", "price": 12.5, "currency": "EUR"}]


def test_line_ends_of_old_macintoshes_are_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="carriage return"):
        read(tmp_path / "c.csv", "id;title\r1;a\r")


def test_codes_stay_as_they_were_written(tmp_path: Path) -> None:
    header = "id,title,ean,mpn,Model No.,version,phone,size,weight,note"
    table = (
        f"{header}\nd1,Drill chuck,4006381333931,90.750,7,1.9,+49170,007,1.50,1e5\nd2,Drill,12,3.5,8,1.10,4,08,2.25,2\n"
    )
    rows, _ = read(tmp_path / "c.csv", table)
    assert rows == [
        {
            "id": "d1",
            "title": "Drill chuck",
            "ean": "4006381333931",
            "mpn": "90.750",
            "Model No.": "7",
            "version": "1.9",
        }
        | {"phone": "+49170", "size": "007", "weight": 1.5, "note": "1e5"},
        {"id": "d2", "title": "Drill", "ean": "12", "mpn": "3.5", "Model No.": "8", "version": "1.10"}
        | {"phone": "4", "size": "08", "weight": 2.25, "note": "2"},
    ]


def test_names_and_numbers_are_read_whatever_blanks_are_around_them(tmp_path: Path) -> None:
    nfd = unicodedata.normalize("NFD", "Größe")
    rows, _ = read(tmp_path / "c.csv", f"\u200b id,title, {nfd}\u00a0,price\n1,a,\u00a0 5\u200b,\u30002.5\u00a0\n")
    assert rows == [{"id": "1", "title": "a", "Größe": 5, "price": 2.5}]
    rows, _ = read(tmp_path / "d.csv", f"id,title,{nfd}\n1,a,5\n", map=["color=Größe"])
    assert rows == [{"id": "1", "title": "a", "color": "5"}]
