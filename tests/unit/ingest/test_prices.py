"""Prices of many countries: each alone, and by the column it stands in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyarrow import parquet

from ingest.catalog import open_catalog
from ingest.columns.prices import Prices
from ingest.readers import Row
from ingest.settings import IngestSettings

READ: dict[str, tuple[float, str | None]] = {
    "1.299,- €": (1299, "EUR"), "19,–": (19, None), "€ 19,-": (19, "EUR"), "12:-": (12, None), "1299.-": (1299, None),
    "1.299,00 €": (1299, "EUR"), "1.299 €": (1299, "EUR"), "€1.299,95": (1299.95, "EUR"), "12,50 EUR": (12.5, "EUR"),
    "$1,299.00": (1299, "USD"), "US$ 12.50": (12.5, "USD"), "USD $12.50": (12.5, "USD"), "15.00 USD": (15, "USD"),
    "$15.00 CAD": (15, "CAD"), "C$15": (15, "CAD"), "A$ 9.95": (9.95, "AUD"), "$.99": (0.99, "USD"),
    "£1,299": (1299, "GBP"), "¥1,200": (1200, "JPY"), "１，２９９円": (1299, "JPY"), "1299元": (1299, "CNY"),
    "₩12,000": (12000, "KRW"), "12.500.000 ₫": (12_500_000, "VND"), "Rp 150.000": (150_000, "IDR"),
    "₹1,23,456.00": (123_456, "INR"), "₹1,23,456": (123_456, "INR"), "Rs. 1,200": (1200, "INR"),
    "CHF 1'299.50": (1299.5, "CHF"), "CHF 1’299.–": (1299, "CHF"), "Fr. 12.50": (12.5, "CHF"),
    "kr 1 299": (1299, None), "1 299,50 kr": (1299.5, None), "DKK 1.299,-": (1299, "DKK"), "1.299,00 kr.": (1299, None),
    "1\u00a0299,00 zł": (1299, "PLN"), "1\u202f299 Kč": (1299, "CZK"), "1\u2009299 Ft": (1299, "HUF"),
    "1 200 ₽": (1200, "RUB"), "1200 руб.": (1200, "RUB"), "199 грн": (199, "UAH"), "19.99 лв.": (19.99, "BGN"),
    "100,50 lei": (100.5, "RON"), "₺1.299,90": (1299.9, "TRY"), "1.299,90 TL": (1299.9, "TRY"),
    "R$ 1.234,56": (1234.56, "BRL"), "R 1 299,00": (1299, "ZAR"), "S/ 12.90": (12.9, "PEN"), "RM 12.90": (12.9, "MYR"),
    "AED 1,200.50": (1200.5, "AED"), "١٢٣٫٥٠ ر.س": (123.5, "SAR"), "0.750 KWD": (0.75, "KWD"),
    "12 €50": (12.5, "EUR"), "12€50": (12.5, "EUR"),
    "-5 €": (-5, "EUR"), "€ −5": (-5, "EUR"), "12,50 €*": (12.5, "EUR"),
    "9.50": (9.5, None), "9,5": (9.5, None), "1e3": (1000, None), "00012.50": (12.5, None), "1,299": (1299, None),
    "1.234.567,8": (1234567.8, None), "1,234,567.8": (1234567.8, None), "1234,567": (1234.567, None),
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_a_price_is_read(text: str) -> None:
    assert Prices().read(text) == READ[text]


@pytest.mark.parametrize("text", ["1.299", "1.250 KWD", "12,500 BHD", "-1.299"])
def test_a_price_that_may_be_two_is_refused_with_both(text: str) -> None:
    with pytest.raises(ValueError, match=r"which may be -?1\d?\.?\d* or -?1\d+"):
        Prices().read(text)


@pytest.mark.parametrize(
    "text",
    ["cheap", "", "€", "12 PCS", "10 - 20 €", "10–20 €", "from 19.99", "ab 19,99 €", "2 for 5", "5.00/kg", "100 g 5.00",
     "12 34", "1.29.9", "1,23,45", "19⁹⁹ €", "12.50 EUR/100g", "€12.50 USD", "12:30", "2024-01-01", "1_000", "x" * 99],
)  # fmt: skip
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a price"):
        Prices().read(text)


@given(st.text(st.sampled_from("0123456789.,' -€$krKWDEUR\u00a0–"), max_size=12))
def test_a_price_is_never_off_by_a_thousand(text: str) -> None:
    """Whatever is read is what the digits say in one of the two readings, and not a guess between them."""
    prices = Prices()
    try:
        value = prices.read(text).value
    except ValueError:
        return
    assume("E" not in text.replace("EUR", ""))  # 1E3 is a thousand
    digits = "".join(c for c in text if c.isdigit())
    assert float(digits) / 10 ** len(digits) <= abs(value) <= float(digits)
    if prices.see(text):
        assert prices.read(text).value == value  # its own evidence changes nothing


def _read(folder: Path, format: str, prices: list[str], delimiter: str = ",") -> list[Any]:
    path = folder / f"c.{format}"
    rows = [{"id": str(n), "title": "x", "price": price} for n, price in enumerate(prices)]
    if format == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif format == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        lines = [delimiter.join(f'"{cell}"' for cell in row.values()) for row in rows]
        path.write_text("\n".join([delimiter.join(rows[0]), *lines]))
    with open_catalog(IngestSettings(catalog=str(path))) as catalog:
        found = [row for row in catalog.rows() if isinstance(row, Row)]
    return [None if row.unusable else row.values["price"] for row in found]


@pytest.mark.parametrize("format", ["jsonl", "parquet", "csv"])
@pytest.mark.parametrize(
    ("prices", "read"),
    [
        (["1.299", "12,50"], [1299, 12.5]),
        (["1.299", "12.50"], [1.299, 12.5]),
        (["1,299", "12,50"], [1.299, 12.5]),
        (["1.299 €", "12,50 €", "$1,299", "$12.50"], [1299, 12.5, 1299, 12.5]),
        (["1.250 KWD", "0.750 KWD"], [1.25, 0.75]),
        (["1.299", "899", "cheap"], [None, 899, None]),
        (["1.299", "12,50", "12.50"], [None, 12.5, 12.5]),
        (["1.299,- €", "1.299 €", "899 €"], [1299, 1299, 899]),
    ],
)
def test_the_column_says_what_a_price_leaves_open(
    tmp_path: Path, format: str, prices: list[str], read: list[float | None]
) -> None:
    assert _read(tmp_path, format, prices) == read
    assert _read(tmp_path, format, prices[::-1]) == read[::-1]


@pytest.mark.parametrize(
    ("delimiter", "price", "read"),
    [(";", "1.299", 1299), (";", "1,299", None), (",", "1,299", 1299), (",", "1.299", None)],
)
def test_what_stands_between_columns_is_asked_last(
    tmp_path: Path, delimiter: str, price: str, read: float | None
) -> None:
    assert _read(tmp_path, "csv", [price, "5"], delimiter) == [read, 5]


def test_a_currency_beside_a_price_fills_one_that_is_not_there(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"price": "5 €"},
        {"price": "5 €", "currency": None},
        {"price": "$5", "currency": "CAD"},
        {"price": "5 kr"},
    ]
    path = tmp_path / "c.jsonl"
    path.write_text("".join(json.dumps({"id": str(n), "title": "x"} | row) + "\n" for n, row in enumerate(rows)))
    with open_catalog(IngestSettings(catalog=str(path))) as catalog:
        found = [row.values.get("currency") for row in catalog.rows() if isinstance(row, Row)]
    assert found == ["EUR", "EUR", "CAD", None]
