from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import clean_code, clean_line, clean_prose, clean_value, find_field, fold, parse_filter, split_commas
from schemas.filters import All, Match

NFD = unicodedata.normalize("NFD", "Café Küche")


@pytest.mark.parametrize("clean", [clean_code, clean_line, clean_prose, clean_value])
def test_both_forms_of_unicode_are_one(clean: object) -> None:
    assert callable(clean)
    assert clean(NFD) == "Café Küche" != NFD


@pytest.mark.parametrize("blank", [c for c in map(chr, range(sys.maxunicode)) if c.isspace()] + ["\u2800", "\u3164"])
def test_blanks_of_every_kind_are_trimmed(blank: str) -> None:
    for text in ("Nike", "Nestlé"):
        around = f"{blank}{text}{blank * 2}"
        assert clean_code(around) == clean_line(around) == clean_value(around) == clean_prose(around) == text


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("Staub\u00adsauger", "Staubsauger"),
        ("Staub\u200bsauger", "Staubsauger"),
        ("\ufeffNike\u2060", "Nike"),
        ("Nike\u200e", "Nike"),
        ("\u202aNike\u202c", "Nike"),
        ("Ni\u200cke\u200d", "Nike"),
        ("华\u200d为", "华为"),
        ("e\u00ad\u0301", "é"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("می\u200c\u200cخواهم\u200c", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
    ],
)
def test_what_is_not_seen_is_not_there(written: str, form: str) -> None:
    assert clean_code(written) == clean_line(written) == form


def test_blanks_within() -> None:
    assert clean_line("Le \u00a0 Creuset\n24  cm") == "Le Creuset 24 cm"
    assert clean_value("Le \u00a0 Creuset") == "Le Creuset"
    assert clean_value(" one  \r\n  two\u2028three ") == "one  \n  two\nthree"
    assert clean_code(" AB  12 ") == "AB  12"


@given(st.text())
def test_a_clean_text_is_clean(text: str) -> None:
    for clean in (clean_code, clean_line, clean_prose, clean_value):
        assert clean(clean(text)) == clean(text)
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_forms_of_unicode_make_no_difference(text: str) -> None:
    for clean in (clean_code, clean_line, fold):
        assert len({clean(unicodedata.normalize(form, clean_code(text))) for form in ("NFC", "NFD")}) == 1


@pytest.mark.parametrize(
    "alike",
    [
        "Café CAFE café ｃａｆé",
        "straße STRASSE strasse",
        "Łódź lodz",
        "Ørsted orsted",
        "ñandú NANDU",
        "İstanbul istanbul ISTANBUL ıstanbul",
        "Æther aether",
        "ệ e",
        "Ёлка елка",
        "ΆΛΦΑ αλφα άλφα",
        "مُحَمَّد محمد مـحـمـد",
        "کتاب كتاب",
        "שָׁלוֹם שלום",
        "क़लम कलम",
        "ｶﾞﾗｽ ガラス",
        "١٢٣ 123 १२३",
        "ﬁne fine",
    ],
)
def test_what_is_matched_alike(alike: str) -> None:
    assert len({fold(text) for text in alike.split()}) == 1


@pytest.mark.parametrize("apart", ["か が", "ハ バ", "का कि", "กา กี", "한 할", "נ ג", "ب ت", "a b"])
def test_what_is_another_letter_stays_another(apart: str) -> None:
    assert len({fold(text) for text in apart.split()}) == 2


def test_a_filter_finds_a_value_in_whatever_form_it_is_asked_for() -> None:
    for name, value in (("brand", NFD), (" brand", "Café\u00a0 Küche "), ("brand", "Ca\u00adfé Küche")):
        (match,) = _parts(parse_filter({name: value}, {"brand": "keyword"}))
        assert match.field == "brand"
        assert match.values[0] == "Café Küche"


def test_fields_of_older_indexes_are_found_as_they_are() -> None:
    older = unicodedata.normalize("NFD", "café")
    assert find_field("café", ["brand", older]) == find_field(older, [older]) == older
    assert find_field(older, ["café", older]) == "café"
    assert find_field("coffee", ["café"]) is None
    (match,) = _parts(parse_filter({"brand": "Nike "}, {"brand": "keyword"}))
    assert match.values == ("Nike", "Nike ")


def _parts(filter: object) -> list[Match]:
    assert isinstance(filter, All)
    return [part for part in filter.parts if isinstance(part, Match)]


@pytest.mark.parametrize(
    ("text", "parts"), [("", []), (" , ,", []), ("a", ["a"]), (" a b ,c,, d\n", ["a b", "c", "d"])]
)
def test_what_stands_between_commas(text: str, parts: list[str]) -> None:
    assert split_commas(text) == parts
