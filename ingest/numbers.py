"""Numbers, prices and yes or no as people and spreadsheets write them."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

Decimal = Literal[".", ","]

PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
"""A number as JSON has it."""
_POINT = re.compile(r"-?(?:0|[1-9][0-9]{0,2}(?:,[0-9]{2,3})*,[0-9]{3}|[1-9][0-9]*)(?:\.[0-9]+)?")
_COMMA = re.compile(r"-?(?:0|[1-9][0-9]{0,2}(?:\.[0-9]{3})+|[1-9][0-9]*)(?:,[0-9]+)?")
_SPACED = re.compile(r"-?[0-9]{1,3}(?:[ \u00a0\u202f'\u2019][0-9]{3})+(?:[.,][0-9]+)?")
_SPACES = re.compile(r"[ \u00a0\u202f'\u2019]")

_CODES = frozenset(
    re.findall(
        "...",
        "AEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBHDBIFBMDBNDBOBBRLBSDBTNBWPBYNBZDCADCDFCHFCLPCNYCOPCRCCUPCVECZKDJF"
        "DKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGNFGTQGYDHKDHNLHTGHUFIDRILSINRIQDIRRISKJMDJODJPYKESKGSKHRKMFKPWKRW"
        "KWDKYDKZTLAKLBPLKRLRDLSLLYDMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGKPHPPKRPLN"
        "PYGQARRONRSDRUBRWFSARSBDSCRSDGSEKSGDSHPSLESOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTNDTOPTRYTTDTWDTZSUAHUGXUSDUYUUZSVES"
        "VNDVUVWSTXAFXCDXOFXPFYERZARZMWZWG",
    )
)
"""ISO 4217, less the metals and funds."""

_SIGNS = {
    "€": "EUR",
    "¤": "EUR",  # of ISO 8859-15, read as Windows-1252
    "$": "USD",
    "us$": "USD",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "rs": "INR",
    "rs.": "INR",
    "₩": "KRW",
    "₽": "RUB",
    "₺": "TRY",
    "₴": "UAH",
    "₪": "ILS",
    "₫": "VND",
    "฿": "THB",
    "₱": "PHP",
    "₦": "NGN",
    "zł": "PLN",
    "kč": "CZK",
    "ft": "HUF",
    "fr.": "CHF",
    "sfr.": "CHF",
    "r$": "BRL",
    "a$": "AUD",
    "c$": "CAD",
    "ca$": "CAD",
    "nz$": "NZD",
    "hk$": "HKD",
    "s$": "SGD",
    "euro": "EUR",
    "kr": None,  # Swedish, Norwegian, Danish
    "kr.": None,
}
_AMOUNT = re.compile(
    r"(?P<minus>-?)\s*(?P<before>[^\W\d_]{0,4}\.?[^\w\s.,'\u2019-]?)\s*"
    r"(?P<digits>-?[0-9][0-9.,'\u2019 \u00a0\u202f]*?)(?:[.,][-\u2013\u2014]+)?\s*"
    r"(?P<after>[^\W\d_]{0,4}\.?|[^\w\s.,-]?)"
)

NOTHING = frozenset({"null", "\\n", "nan", "none", "n/a", "#n/a", "na", "-", "\u2013", "--"})
"""What exports write where there is no number."""

_MAX_PRICE = 60
"""Characters; what is longer is no price, and not worth a regular expression's time."""

_YES = (
    "true yes y 1 on wahr ja vrai oui verdadero sí si vero in_stock instock available limited_availability"
    " limitedavailability in_store_only instoreonly online_only onlineonly lieferbar verfügbar auf_lager en_stock"
    " disponible disponibile"
)
_NO = (
    "false no n 0 off falsch nein faux non falso out_of_stock outofstock unavailable not_available sold_out soldout"
    " discontinued preorder pre_order presale backorder back_order available_for_order nicht_lieferbar"
    " nicht_verfügbar ausverkauft rupture_de_stock épuisé agotado esaurito"
)
_BOOLS = dict.fromkeys(_YES.split(), True) | dict.fromkeys(_NO.split(), False)


class Reading(NamedTuple):
    """How a number may be read."""

    point: bool
    comma: bool


class Amount(NamedTuple):
    value: float
    currency: str | None


def reading(digits: str) -> Reading:
    """Whether a number may have a decimal point, and whether a decimal comma: ``1,234`` may have either."""
    return Reading(
        PLAIN.fullmatch(digits) is not None or _POINT.fullmatch(digits) is not None,
        _COMMA.fullmatch(digits) is not None,
    )


def to_number(digits: str, decimal: Decimal) -> float:
    """Raises ValueError where it is no such number."""
    if decimal == ",":
        if _COMMA.fullmatch(digits):
            return float(digits.replace(".", "").replace(",", "."))
    elif PLAIN.fullmatch(digits):
        return float(digits)
    elif _POINT.fullmatch(digits):
        return float(digits.replace(",", ""))
    raise ValueError(digits)


def split_price(text: str) -> tuple[str, str | None] | None:
    """The digits of a price, with their separators, and its currency as ISO 4217 has it, where one is said.

    ``12,50 €`` is ``("12,50", "EUR")``; None for what is no price. Spaces and apostrophes between
    thousands are left out.
    """
    match = _AMOUNT.fullmatch(text.strip()) if len(text) <= _MAX_PRICE else None
    if match is None:
        return None
    words = [word for word in (match["before"], match["after"]) if word]
    if len(words) > 1:
        return None
    currency = None
    if words:
        word = words[0]
        if word.upper() in _CODES:
            currency = word.upper()
        elif word.lower() in _SIGNS:
            currency = _SIGNS[word.lower()]
        else:
            return None
    digits = match["digits"].strip()
    if _SPACED.fullmatch(digits):
        digits = _SPACES.sub("", digits)
    minus = match["minus"] if not digits.startswith("-") else ""
    return minus + digits, currency


def parse_price(text: str, decimal: Decimal | None = None) -> Amount | None:
    """A price; None for what is none, or may be either of two where the ``decimal`` is not known.

    ``1,299`` alone, three digits behind a comma, is taken for thousands, as no price has tenths of a cent.
    """
    parts = split_price(text)
    if parts is None:
        return None
    digits, currency = parts
    if decimal is None:
        can = reading(digits)
        if not (can.point or can.comma):
            return None
        decimal = "." if can.point else ","
    try:
        return Amount(to_number(digits, decimal), currency)
    except ValueError:
        return None


def parse_bool(value: Any) -> Any:
    """Whether something is in stock, in the words of spreadsheets and feeds; what is none of them stays as it is.

    A whole number is how many there are.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value > 0
    if isinstance(value, str):
        word = re.sub(r"[\s_-]+", "_", value.strip().casefold().rpartition("schema.org/")[2])
        if word in _BOOLS:
            return _BOOLS[word]
        if re.fullmatch(r"[0-9]{1,9}", word):
            return int(word) > 0
    return value
