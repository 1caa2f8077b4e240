"""Product numbers: which columns hold them, and the forms in which they are searched for.

A number is written with separators of anybody's taste, or none: its key is what all these have in common.
``KT-INS115-BLK`` has the key ``ktins115blk``, and parts such as ``ktins115`` and ``ins115``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice, pairwise
from typing import Any

from catalog.markup import decoded
from schemas import Product, flatten, fold

MAX_CODE = 64
"""Characters of a product number; what is longer is prose, or data."""
_MAX_CODES = 32
"""Numbers that are kept of one product."""
_LEAST_PART = 4
"""Characters of a part that is looked up by itself; a shorter one is a word like others."""
_LEAST_GTIN = 8
_MAX_ATOMS = 8
_LISTED = re.compile(r"\s*[,;|\n]\s*")
_ATOM = re.compile("[a-z]+|[0-9]+")
_SEPARATORS = re.compile(r"[\W_]+")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Names as ``_plain`` has them: those that say it alone, words that say it in any name, and pairs of a thing and a word
# for number, as "part no" and "numero de modele".
_NAMES = _listed("""
model modell modele modelo modello reference referencia referenz ref codigo codice code kod kode cikkszam indeks
global_unique_id p_n pn codigo_de_barras code_barre code_a_barres codice_a_barre kod_kreskowy 型号 型號 品番
型番 货号 货號 商品编号 条码 артикул арт модель штрихкод штрих_код
""")
_WORDS = _listed("""
sku skus mpn gtin ean eans upc isbn jan asin barcode barcodes barkod strichcode
""")
_THINGS = _listed("""
model modell modele modelo modello part item article artikel art product produkt produktu produit producto
prodotto catalog catalogue katalog katalogowy katalogove style variant variante order bestell teil teile
hersteller manufacturer manufacturers mfr mfg vendor supplier lieferanten oem stock serial vare artikkel tuote
cikk fabricant fabrikant fabricante товара модели
""")
_NUMBERS = _listed("""
number no nr nummer numero numer n cislo code kod kode codigo codice id ref reference referencia номер код
""")
_JOINED = frozenset(thing + number for thing in _THINGS for number in _NUMBERS)
_PAIRS = frozenset(pair for thing in _THINGS for number in _NUMBERS for pair in ((thing, number), (number, thing)))
_BETWEEN = frozenset(["de", "du", "del", "di", "d", "s"])
_DIGITS_BEHIND = re.compile(r"(?<=[a-z])[0-9]{1,2}\Z")


@lru_cache(10_000)
def is_code_name(name: str) -> bool:
    """Whether a column of this name holds product numbers: ``sku``, ``Model No.``, ``Artikelnummer``, ``codes.ean``.

    Of a nested name the last part tells.
    """
    plain = _plain(name)
    words = [word for word in plain.split("_") if word not in _BETWEEN]
    return (
        plain in _NAMES
        or any(word in _WORDS or word in _JOINED for word in words)
        or not _PAIRS.isdisjoint(pairwise(words))
    )


def _plain(name: str) -> str:
    """``Variant SKU`` is ``variant_sku``, ``productSku`` and ``EAN-13`` are ``product_sku`` and ``ean``."""
    name = name if name.endswith(".") else name.rpartition(".")[2]
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.replace("#", " no "))
    plain = re.sub(r"\W+", "_", fold(name).removeprefix("g:")).strip("_")
    return "_".join(_DIGITS_BEHIND.sub("", word) for word in plain.split("_") if not word.isdecimal())


@dataclass(frozen=True, slots=True)
class Codes:
    """Keys of a product's whole numbers, and of parts of them."""

    keys: tuple[str, ...]
    parts: tuple[str, ...]


def product_codes(product: Product) -> Codes:
    """The numbers of a product: its id, those in columns that hold numbers, and its group's as a part."""
    written = written_codes(product)
    keys = dict.fromkeys(key for code in written if (key := code_key(code)))
    parts = dict.fromkeys(part for code in written if code_key(code) for part in _parts(code))
    if product.group_id and len(key := code_key(product.group_id)) >= _LEAST_PART and _has_digit(key):
        parts[key] = None
    return Codes(tuple(keys), tuple(part for part in parts if part not in keys))


def written_codes(product: Product) -> tuple[str, ...]:
    """The numbers of a product as they are written."""
    return tuple(islice(dict.fromkeys(_written(product)), _MAX_CODES))


def code_key(code: str) -> str:
    """What a number has in common with all other ways of writing it; empty where there is nothing to it.

    Zeros before a long run of digits do not count: one article has a UPC of 12 digits, an EAN of 13, a GTIN of 14.
    """
    return _key(atoms(code))


def run_key(run: Iterable[str]) -> str:
    """The key of some atoms that follow each other."""
    return _key(list(run))


def atoms(text: str) -> list[str]:
    """Runs of letters and of digits, folded: ``KT-INS115`` is ``kt``, ``ins``, ``115``."""
    if text.isascii():
        return _ATOM.findall(text.lower())
    return ["".join(run) for kind, run in groupby(fold(text), _kind) if kind]


def _kind(character: str) -> int:
    category = unicodedata.category(character)[0]
    return 2 if category == "N" else 1 if category in "LM" else 0


def _key(run: list[str]) -> str:
    key = "".join(run)
    return key.lstrip("0") if len(key) >= _LEAST_GTIN and key.isdecimal() else key


def _has_digit(key: str) -> bool:
    return any(character.isdecimal() for character in key)


def _written(product: Product) -> Iterator[str]:
    yield from _short(product.id)
    if "&" in product.id:
        yield from _short(decoded(product.id))
    for name, value in flatten(product.attributes):
        if is_code_name(name):
            for item in value if isinstance(value, list) else [value]:
                yield from _short(item)


def _short(value: Any) -> Iterator[str]:
    """A value that may be a number, as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return
    try:
        text = str(value)
    except ValueError:  # more digits than Python writes out
        return
    for code in [text, *_LISTED.split(text)] if _LISTED.search(text) else [text]:
        if 0 < len(code) <= MAX_CODE:
            yield code


def _parts(code: str) -> Iterator[str]:
    """Keys of the runs of atoms that start or end where a separator is, are long enough to tell, and have a digit."""
    pieces = [found for piece in _SEPARATORS.split(code) if (found := atoms(piece))]
    if sum(map(len, pieces)) > _MAX_ATOMS:
        pieces = [["".join(piece)] for piece in pieces]  # as of UUIDs
    starts, ends, run = set(), set(), list[str]()
    for piece in pieces[:_MAX_ATOMS]:
        starts.add(len(run))
        run += piece
        ends.add(len(run))
    for start in range(len(run)):
        for end in range(start + 1, len(run) + 1):
            if start in starts or end in ends:
                key = run_key(run[start:end])
                if _has_digit(key) and len(key) >= (_LEAST_PART + 1 if key.isdecimal() else _LEAST_PART):
                    yield key
