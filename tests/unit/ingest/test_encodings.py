"""Encodings of old tables: told where that is certain, and refused where it is not."""

from __future__ import annotations

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from ingest.catalog import open_catalog
from ingest.readers import Row
from ingest.settings import IngestSettings
from schemas import CatalogError

TITLES: dict[str, tuple[str, list[str]]] = {
    "Polish": ("cp1250 iso8859-2", ["Miska głęboka", "Kubek żółty z uchem", "Talerz płaski duży",
        "Łyżka drewniana",
        "Świecznik szklany", "Poduszka z lnu", "Krzesło dębowe", "Ręcznik kąpielowy"]),
    "Czech": ("cp1250 iso8859-2", ["Hluboká miska", "Žlutý hrnek s uchem", "Velký plochý talíř",
        "Dřevěná lžíce",
        "Skleněný svícen", "Lněný polštář", "Dubová židle", "Měkký koupelnový ručník"]),
    "Hungarian": ("cp1250 iso8859-2", ["Mély tál", "Sárga bögre füllel", "Nagy lapos tányér", "Fakanál",
        "Üveg gyertyatartó", "Díszpárna", "Tölgyfa szék", "Puha fürdőtörölköző, nagyméretű"]),
    "German": ("cp1252 iso8859-15 mac_roman cp850", ["Tiefe Schüssel", "Gelbe Tasse für Kaffee",
        "Großer Teller",
        "Holzlöffel", "Gläserner Kerzenständer", "Kissen", "Stuhl mit Rückenlehne", "Badetuch, übergroß"]),
    "French": ("cp1252 iso8859-15 mac_roman", ["Bol en grès", "Tasse à café jaune", "Grande assiette",
        "Cuillère en bois",
        "Bougeoir soufflé", "Coussin décoratif", "Chaise en chêne", "Serviette très douce"]),
    "Spanish": ("cp1252", ["Tazón hondo", "Taza de café", "Plato pequeño", "Cuchara", "Candelabro",
        "Cojín de lino",
        "Silla para niños", "Toalla de baño"]),
    "Turkish": ("cp1254 iso8859-9", ["Derin kâse", "Sarı kahve fincanı", "Büyük düz tabak",
        "Ahşap kaşık", "Cam şamdan",
        "Keten yastık", "Meşe sandalye", "Yumuşak banyo havlusu"]),
    "Russian": ("cp1251 koi8-r cp866", ["Глубокая миска", "Жёлтая чашка", "Большая тарелка",
        "Деревянная ложка",
        "Подсвечник", "Подушка из льна", "Дубовый стул", "Банное полотенце"]),
    "Greek": ("cp1253 iso8859-7", ["Βαθύ μπολ", "Κίτρινη κούπα", "Ρηχό πιάτο", "Ξύλινο κουτάλι", "Κηροπήγιο",
        "Μαξιλάρι από λινό", "Δρύινη καρέκλα", "Μαλακή πετσέτα"]),
    "Hebrew": ("cp1255", ["קערה עמוקה", "ספל קפה צהוב", "צלחת שטוחה", "כף עץ", "פמוט זכוכית", "כרית",
        "כיסא", "מגבת"]),
    "Japanese": ("shift_jis euc_jp iso2022_jp", ["深いボウル", "黄色いカップ",
        "大きな平皿", "木のスプーン",
        "ガラスの燭台", "クッション", "オークの椅子", "バスタオル"]),
    "Chinese": ("gb18030 gbk", ["深碗 黄色", "黄色咖啡杯", "大平盘", "木勺", "玻璃烛台",
        "亚麻靠垫", "橡木椅子", "浴巾 特大号"]),
    "of Taiwan": ("big5", ["深碗 黃色", "黃色咖啡杯", "大平盤", "木勺", "玻璃燭台", "亞麻靠墊",
        "橡木椅子", "浴巾 特大號"]),
    "Korean": ("euc_kr", ["깊은 그릇", "노란색 커피잔", "큰 접시", "나무 숟가락", "유리 촛대",
        "쿠션", "참나무 의자", "수건"]),
}  # fmt: skip
ALL = [(language, encoding) for language, (encodings, _) in TITLES.items() for encoding in encodings.split()]


def table(titles: list[str]) -> str:
    return "id;title;price\r\n" + "".join(f"A{n};{title};{n + 9},90\r\n" for n, title in enumerate(titles))


def titles_of(path: Path, **options: Any) -> list[str]:
    with open_catalog(IngestSettings(catalog=str(path), **options)) as catalog:
        return [row.values["title"] for row in catalog.rows() if isinstance(row, Row)]


def written(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize(("language", "encoding"), ALL)
def test_eight_rows_are_enough_to_tell(tmp_path: Path, language: str, encoding: str) -> None:
    titles = TITLES[language][1]
    data = table(titles).encode(encoding)
    assert titles_of(written(tmp_path, "c.csv", data)) == titles
    assert titles_of(written(tmp_path, "c.csv.gz", gzip.compress(data))) == titles
    # What it is can be said as well, and then nothing is asked.
    assert titles_of(written(tmp_path, "c.csv", table(titles[:1]).encode(encoding)), encoding=encoding) == titles[:1]


@pytest.mark.parametrize(
    ("language", "encoding"), [(lang, enc) for lang, enc in ALL if enc not in ("mac_roman", "cp850")]
)
@pytest.mark.parametrize("rows", [2, 3, 5])
def test_what_is_not_certain_is_refused_and_never_read_wrongly(
    tmp_path: Path, language: str, encoding: str, rows: int
) -> None:
    titles = TITLES[language][1]
    for first in range(0, 8, rows):
        some = titles[first : first + rows]
        try:
            assert titles_of(written(tmp_path, "c.csv", table(some).encode(encoding))) == some
        except CatalogError as error:
            assert "--encoding NAME says what it is" in error.message


def test_the_same_word_is_shown_as_each_encoding_has_it(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as raised:
        titles_of(written(tmp_path, "c.csv", "id,title\n1,Djup skål\n2,Stol i ek\n".encode("cp1252")))
    assert "Windows-1252 ('skål') or Windows-1250 ('skĺl')" in raised.value.message
    assert "--encoding NAME" in raised.value.message


def test_the_first_byte_that_says_anything_may_be_far_behind(tmp_path: Path) -> None:
    titles = ["plain"] * 20_000 + TITLES["Polish"][1]
    assert titles_of(written(tmp_path, "c.csv", table(titles).encode("cp1250"))) == titles


def test_what_a_file_is_taken_for_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        titles_of(written(tmp_path, "c.csv", table(TITLES["Polish"][1]).encode("cp1250")))
    assert "c.csv: CSV, Windows-1250, ';' between columns" in caplog.text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32", "utf-32-le", "utf-8-sig"])
@pytest.mark.parametrize("language", ["German", "Russian", "Chinese"])
def test_unicode_is_told_with_and_without_a_mark(tmp_path: Path, language: str, encoding: str) -> None:
    titles = TITLES[language][1]
    assert titles_of(written(tmp_path, "c.csv", table(titles).encode(encoding))) == titles


def test_lines_of_json_are_utf_8_unless_it_is_certain_what_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"id": str(n), "title": title} for n, title in enumerate(TITLES["Polish"][1])]
    lines = [json.dumps(row, ensure_ascii=False).encode("cp1250") for row in rows]
    assert titles_of(written(tmp_path, "c.jsonl", b"\n".join(lines))) == TITLES["Polish"][1]
    assert (
        titles_of(written(tmp_path, "c.jsonl", b"\n".join([*[b'{"id": "x", "title": "y"}'] * 9, lines[0]])))
        == ["y"] * 9
    )
    assert "1 lines are not UTF-8 and are rejected" in caplog.text
    assert titles_of(written(tmp_path, "c.jsonl", lines[0]), encoding="windows-1250") == TITLES["Polish"][1][:1]


def test_a_file_half_in_utf_8_is_refused(tmp_path: Path) -> None:
    titles = TITLES["Polish"][1]
    half = table(titles[:4]).encode() + "".join(f"B{n};{title};1\r\n" for n, title in enumerate(titles)).encode(
        "cp1250"
    )
    with pytest.raises(CatalogError, match="4 lines are UTF-8, and 7 are not"):
        titles_of(written(tmp_path, "c.csv", half))


@pytest.mark.parametrize("name", ["cp1250", "windows-1251", "mac_roman", "utf-16-le", "big5", "latin2", "UTF8"])
def test_any_encoding_of_text_may_be_asked_for(name: str) -> None:
    assert IngestSettings(catalog="c.csv", encoding=name).encoding == name


@pytest.mark.parametrize("name", ["klingon", "base64", "hex", "rot13", "zlib", "", "a b"])
def test_what_is_no_encoding_of_text_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="encoding"):
        IngestSettings(catalog="c.csv", encoding=name)
