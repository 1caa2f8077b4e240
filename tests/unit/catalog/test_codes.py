from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog import code_key, is_code_name, product_codes, product_from_row
from catalog.codes import Codes, atoms


def codes(**columns: Any) -> Codes:
    return product_codes(product_from_row({"id": "x", "title": "t"} | columns).product)


NUMBERS = """
sku, Variant SKU, mpn, g:mpn, EAN-13, gtin14, upc, ISBN-10, Model, Model No., modelNumber, Item number, part_no, Part #,
P/N, Barcode, productSku, Artikelnummer, Artikel-Nr., Art.-Nr., Bestellnummer, Herstellernummer, Référence,
Numéro de modèle,
codes.ean, Código de barras, Kod produktu, numer katalogowy, артикул, 型号, UPC/EAN, OEM number, style code, product_id
"""
OTHERS = """
price, weight, model_year, color_code, zip_code, category_id, currency code, number_of_parts, item_count, size, art,
style, order, product_type_id, item_group_id, Model Name, sku.price, notes, Europe, mean, clean
"""


def test_columns_that_hold_product_numbers() -> None:
    assert [name for name in _names(NUMBERS) if not is_code_name(name)] == []
    assert [name for name in _names(OTHERS) if is_code_name(name)] == []


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",")]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("KT-INS115-BLK", "ktins115blk"),
        ("kt/ins115 blk", "ktins115blk"),
        ("ＫＴ＿ＩＮＳ１１５．ｂｌｋ", "ktins115blk"),
        ("90.750", "90750"),
        ("0012345678905", "12345678905"),
        ("012345678905", "12345678905"),
        ("007", "007"),
        ("АБ-12", "аб12"),
        ("!?", ""),
    ],
)
def test_a_key_is_of_all_ways_of_writing_a_number(written: str, key: str) -> None:
    assert code_key(written) == key


def test_numbers_of_a_product() -> None:
    numbers = {"ean": 4006381333931, "codes": {"mpn": ["90.750", "A7"]}, "sku": "KT-INS115-BLK"}
    found = codes(id="KT-INS115-BLK", group_id="KT-INS115", **numbers)
    assert found.keys == ("ktins115blk", "4006381333931", "90750", "a7")
    assert set(found.parts) == {"ktins115", "ins115", "ins115blk", "115blk"}


def test_several_numbers_in_one_value_are_found_each() -> None:
    assert codes(barcodes="4006381333931, 4006381333948").keys[-2:] == ("4006381333931", "4006381333948")


def test_an_id_out_of_html_is_found_as_people_read_it() -> None:
    assert "rd1" in codes(id="R&amp;D-1").keys


@pytest.mark.parametrize("value", ["x" * 65, True, {"a": 1}, None, "", [[]]])
def test_what_is_no_number_is_none(value: object) -> None:
    assert codes(sku=value).keys == ("x",)


@given(st.text(st.sampled_from("ab1290-_/. "), min_size=1, max_size=40))
@example("0000000_0")  # nothing but zeros is no number
@example("0000000_1")  # zeros that do not count for the whole may be all of a part
def test_keys_of_parts_are_parts_of_what_is_written(text: str) -> None:
    found = codes(sku=text)
    key = code_key(text)
    written = "".join(atoms(text))
    assert all(part in written for part in found.parts)
    assert bool(key) or not found.parts
    assert len(found.parts) <= 64
    assert code_key(text.upper().replace("-", " ")) == key
