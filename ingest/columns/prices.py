"""Prices as the shops of many countries write them: ``1.299,- €``, ``$1,299.00``, ``CHF 1'299.-``, ``₹1,23,456``.

Codes of currencies, their signs and their decimals are those of Unicode's CLDR, as Babel has them. The number itself
is read here: price-parser, the library for it, reads each text alone and takes the first number in any sentence, where
``1.299`` can only be told by the other prices of its column, and what cannot be told is better refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import NamedTuple

from ingest.columns.numbers import Decimal, spaced

_MAX_TEXT = 60
"""Characters; what is longer is no price, and not worth a regular expression's time."""

# What people write on price tags, before all that CLDR knows: the first is meant where nothing else says which.
_SIGNS: dict[str, tuple[str, ...]] = {
    "€": ("EUR",),
    "¤": ("EUR",),  # of ISO 8859-15, read as Windows-1252
    "euro": ("EUR",),
    "euros": ("EUR",),
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "ARS", "CLP", "COP", "TWD", "UYU", "BBD", "BSD", "JMD"),
    "us$": ("USD",),
    "a$": ("AUD",),
    "au$": ("AUD",),
    "c$": ("CAD",),
    "ca$": ("CAD",),
    "nz$": ("NZD",),
    "s$": ("SGD",),
    "hk$": ("HKD",),
    "mx$": ("MXN",),
    "r$": ("BRL",),
    "nt$": ("TWD",),
    "£": ("GBP", "EGP", "GIP", "FKP"),
    "¥": ("JPY", "CNY"),
    "円": ("JPY",),
    "元": ("CNY",),
    "人民币": ("CNY",),
    "rmb": ("CNY",),
    "원": ("KRW",),
    "₹": ("INR",),
    "rs": ("INR", "PKR", "LKR", "NPR", "MUR"),
    "₩": ("KRW",),
    "₽": ("RUB",),
    "руб": ("RUB",),
    "р": ("RUB",),
    "₺": ("TRY",),
    "tl": ("TRY",),
    "₴": ("UAH",),
    "грн": ("UAH",),
    "₪": ("ILS",),
    "₫": ("VND",),
    "đ": ("VND",),
    "฿": ("THB",),
    "₱": ("PHP",),
    "₦": ("NGN",),
    "zł": ("PLN",),
    "zl": ("PLN",),
    "kč": ("CZK",),
    "kc": ("CZK",),
    "ft": ("HUF",),
    "lei": ("RON", "MDL"),
    "лв": ("BGN",),
    "lv": ("BGN",),
    "din": ("RSD",),
    "fr": ("CHF",),
    "sfr": ("CHF",),
    "rp": ("IDR",),
    "rm": ("MYR",),
    "r": ("ZAR",),
    "dhs": ("AED",),
    "ريال": ("", "SAR", "QAR", "OMR", "YER"),
    "kr": ("", "SEK", "NOK", "DKK", "ISK"),  # nobody's before another's
}

_NUMBER = re.compile(r"(?:[.,](?=[0-9])|[0-9])[0-9.,' ]*")
_CENTS = re.compile(r"[.,:]\s?[-=]{1,2}")
_SPLIT = re.compile(r"([0-9]+) ?([^\W\d_]{1,4}|[^\w\s.,'-]) ?([0-9]{2})")
_MACHINE = re.compile(r"-?[0-9]+(?:\.[0-9]{1,2})?", re.ASCII)
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}")
_WORDS = re.compile(r"[^\W\d_]+\.?(?:[^\w\s.]|/\.?)?|[^\w\s]")
_ALIKE = str.maketrans(
    dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe63", "-")
    | dict.fromkeys("\u2019\u02bc\u00b4\u0060\u066c", "'")
    | dict.fromkeys("\u200b\u200e\u200f\u061c\u2060\ufeff\u00ad")
    | {0x066B: ".", 0xFFE5: "¥", 0xFFE1: "£", 0xFFE6: "₩", 0x20A8: "Rs"}
    | {wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}
)

_WHOLE = re.compile(r"[0-9]+|[1-9][0-9]{0,2}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}")
_POINT = re.compile(r"([0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3})?(\.[0-9]+)?")
_COMMA = re.compile(r"([0-9]+|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)?(,[0-9]+)?")


class Amount(NamedTuple):
    value: float
    currency: str | None
    """As ISO 4217 has it; None where none is said, or none for certain."""


class PriceText(NamedTuple):
    """What a text says by itself: a price with a decimal point, with a decimal comma, or the same in both readings."""

    point: float | None
    comma: float | None
    currency: str | None

    @property
    def sure(self) -> bool:
        return self.point is None or self.comma is None or self.point == self.comma

    @property
    def decimal(self) -> Decimal | None:
        """What decimals are here, where this text alone shows it."""
        if self.point is None or self.comma is None:
            return "," if self.point is None else "."
        return None


class Prices:
    """What the prices of a whole catalog say about their decimals; then each of them is read by that.

    ``usual`` is what the file's other numbers, or what stands between its columns, say: the last to be asked.
    """

    def __init__(self) -> None:
        self.usual: Decimal | None = None
        self._seen: Counter[tuple[str | None, Decimal]] = Counter()

    def see(self, text: str) -> bool:
        """Whether it is a price."""
        price = price_text(text)
        if price is not None and (decimal := price.decimal) is not None:
            self._seen[price.currency, decimal] += 1
        return price is not None

    @property
    def decimal(self) -> Decimal | None:
        """What decimals are in this column, where nearly all that show it agree."""
        points, commas = (sum(n for (_, mark), n in self._seen.items() if mark == side) for side in (".", ","))
        return _most(points, commas)

    def read(self, text: str) -> Amount:
        """Raises ValueError, with what a person should know, for what is no price or may be two."""
        price = price_text(text)
        if price is None:
            raise ValueError("expected a price: a number, perhaps with a currency")
        if price.sure:
            value = price.comma if price.point is None else price.point
        else:
            decimal = self._decimal(price)
            if decimal is None:
                raise ValueError(
                    f"which may be {price.point:g} or {price.comma:g}: nothing else in the catalog says whether its "
                    "decimals have a point or a comma; write it without a separator, or with two decimals"
                )
            value = price.point if decimal == "." else price.comma
        assert value is not None
        return Amount(value, price.currency)

    def _decimal(self, price: PriceText) -> Decimal | None:
        of_currency = _most(self._seen[price.currency, "."], self._seen[price.currency, ","])
        if decimal := of_currency or self.decimal:
            return decimal
        assert price.point is not None and price.comma is not None
        thousands: Decimal = "." if abs(price.point) > abs(price.comma) else ","
        if price.currency is not None:
            return thousands if _minor_digits(price.currency) != 3 else None  # three digits are no cents, but there
        # Machines write decimal points, and nobody writes tenths of a cent behind a comma.
        return thousands if self.usual == thousands or (thousands == "." and self.usual is None) else None


def _most(points: int, commas: int) -> Decimal | None:
    """The one side, where the other has no more than a tenth of it."""
    if points > 10 * commas:
        return "."
    return "," if commas > 10 * points else None


@lru_cache(4_096)
def price_text(text: str) -> PriceText | None:
    """What a text says of a price; None where it is none: words, a range, "from 10", a number of pieces."""
    if _MACHINE.fullmatch(text):  # nearly all of them
        return PriceText(float(text), None if "." in text else float(text), None)
    if len(text) > _MAX_TEXT:
        return None
    text = "".join(map(_digit, unicodedata.normalize("NFC", text).translate(_ALIKE)))
    text = " ".join(text.split()).removesuffix("*").strip()
    if _PLAIN.fullmatch(text):
        return PriceText(float(text), float(text), None)
    if (match := _SPLIT.fullmatch(text)) and (currency := _currency([match[2]])):
        value = float(f"{match[1]}.{match[3]}")
        return PriceText(value, value, currency[0])
    number = _NUMBER.search(text)
    if number is None:
        return None
    before, digits, after = text[: number.start()], number[0].rstrip(), text[number.start() + len(number[0].rstrip()) :]
    whole = None
    if digits.endswith((".", ",")) or after.lstrip().startswith(":"):
        behind = digits[-1] + after if digits[-1] in ".," else after.lstrip()
        cents = _CENTS.match(behind)
        if cents is None and behind[0] == digits[-1] == "." and not digits[:-1].count("."):
            cents = re.match(r"\.", behind)  # "12 Kč." and "12." end a sentence
        if cents is None:
            return None
        whole, digits, after = True, digits.removesuffix(".").removesuffix(","), behind[cents.end() :]
    if any(c.isdigit() for c in before + after):  # two numbers: a range, a price for so many pieces
        return None
    minus = "-" in before
    before = before.replace("-", "", 1)
    currency = _currency([*_words(before), *_words(after)])
    if currency is None:
        return None
    readings = _readings(spaced(digits), whole=bool(whole))
    if readings is None:
        return None
    point, comma = (None if value is None else -value if minus else value for value in readings)
    return PriceText(point, comma, currency[0])


def _readings(digits: str, *, whole: bool) -> tuple[float | None, float | None] | None:
    """A number with a decimal point, and with a decimal comma; None where it is neither."""
    if whole:
        value = float(re.sub(r"[.,]", "", digits)) if _WHOLE.fullmatch(digits) else None
        return None if value is None else (value, value)
    point = float(digits.replace(",", "")) if _POINT.fullmatch(digits) else None
    comma = float(digits.replace(".", "").replace(",", ".")) if _COMMA.fullmatch(digits) else None
    return None if point is None and comma is None else (point, comma)


def _digit(char: str) -> str:
    return char if char.isascii() or not char.isdecimal() else str(unicodedata.decimal(char))


def _words(text: str) -> list[str]:
    text = text.strip()
    return [] if not text else [text] if _codes(text) else _WORDS.findall(text)


def _currency(words: list[str]) -> tuple[str | None] | None:
    """The currency that all words agree on, None in it where they leave it open; None where one is no currency."""
    agreed: tuple[str, ...] | None = None
    for word in words:
        codes = _codes(word)
        if not codes:
            return None
        agreed = codes if agreed is None else tuple(code for code in agreed if code in codes)
        if not agreed:
            return None
    return (agreed[0] or None,) if agreed else (None,)


@cache
def _codes(word: str) -> tuple[str, ...]:
    """The currencies that a code or a sign may stand for; none for other words."""
    if word.isascii() and word.isalpha() and len(word) == 3 and word.upper() in _iso_codes():
        return (word.upper(),)
    sign = word.casefold().removesuffix(".")
    if sign in _SIGNS:
        return _SIGNS[sign]
    if not sign or len(sign) > 6 or " " in sign or (sign.isascii() and not any(c.isalpha() or c == "$" for c in sign)):
        return ()
    return _cldr_signs().get(sign, ())


@cache
def _iso_codes() -> frozenset[str]:
    from babel.numbers import list_currencies  # a fifth of a second, and most catalogs have numbers alone

    return frozenset(list_currencies()) - {"XXX", "XTS"}


@cache
def _minor_digits(currency: str) -> int:
    from babel.numbers import get_currency_precision

    return get_currency_precision(currency)


@cache
def _cldr_signs() -> dict[str, tuple[str, ...]]:
    """The signs that the countries of the world have for their own currencies. Seconds: asked for rare ones alone."""
    from babel.core import get_global
    from babel.languages import get_official_languages
    from babel.localedata import exists
    from babel.numbers import get_currency_symbol, get_territory_currencies

    signs: dict[str, set[str]] = {}
    for territory in get_global("territory_currencies"):
        for language in get_official_languages(territory, de_facto=True):
            locale = next((name for name in (f"{language}_{territory}", language) if exists(name)), None)
            for currency in get_territory_currencies(territory) if locale else ():
                sign = "".join(c for c in get_currency_symbol(currency, locale) if c not in "\u200b\u200f\u202f")
                if sign != currency:
                    signs.setdefault(sign.casefold().removesuffix("."), set()).add(currency)
    return {sign: tuple(codes) if len(codes) == 1 else ("", *sorted(codes)) for sign, codes in signs.items() if sign}
