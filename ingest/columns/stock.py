"""Whether something is in stock, in the words and numbers of shops and feeds.

The words are those of Google's and Facebook's feeds, schema.org, Shopify, WooCommerce and Magento, and what people of
many countries write into a table. What can be ordered and is not there (back-order, pre-order) is not in stock.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

_YES = """
true yes y on in_stock instock available limited_availability limitedavailability limited low_stock in_store
in_store_only instoreonly online_only onlineonly ships_now ready_to_ship continue
ja wahr lieferbar verfügbar sofort_lieferbar auf_lager vorrätig an_lager
oui vrai en_stock disponible sí si verdadero en_existencia vero disponibile sim verdadeiro em_estoque disponível
op_voorraad leverbaar beschikbaar tak dostępny dostępne dostępna w_magazynie na_stanie ano áno skladem
na_sklade na_skladě i_lager på_lager tilgængelig tilgjengelig kyllä varastossa saatavilla igen raktáron
készleten elérhető
da în_stoc disponibil na_zalogi na_zalihi evet stokta mevcut да в_наличии есть так є_в_наявності в_наявності
ναι διαθέσιμο σε_απόθεμα
はい 在庫あり 是 有货 有貨 现货 現貨 예 재고있음 재고_있음 نعم متوفر כן במלאי มี_สินค้า có còn_hàng ya tersedia
"""
_NO = """
false no n off out_of_stock outofstock unavailable not_available sold_out soldout discontinued
preorder pre_order presale pre_sale coming_soon backorder back_order backordered on_backorder onbackorder
available_for_order made_to_order madetoorder special_order reserved mark_as_sold
nein falsch nicht_lieferbar nicht_verfügbar nicht_auf_lager nicht_vorrätig ausverkauft vergriffen
non faux rupture_de_stock en_rupture épuisé indisponible falso agotado sin_stock no_disponible esaurito non_disponibile
não esgotado indisponível sem_estoque nee uitverkocht niet_op_voorraad niet_leverbaar nie niedostępny brak wyprzedany
ne není_skladem vyprodáno vypredané nedostupné nej nei slut_i_lager slutsåld udsolgt utsolgt ikke_på_lager ei loppu
loppuunmyyty nem elfogyott nincs_készleten nem_elérhető nu stoc_epuizat epuizat indisponibil hayır tükendi stokta_yok
нет нет_в_наличии под_заказ распродано ні немає немає_в_наявності όχι εξαντλημένο μη_διαθέσιμο
いいえ 在庫なし 品切れ 売り切れ 否 无货 無貨 缺货 缺貨 售罄 아니오 품절 لا غير_متوفر לא אזל_מהמלאי
không hết_hàng tidak habis
"""
_SCHEMA = re.compile(r"^(?:(?:https?:)?(?://)?(?:www\.)?schema\.org/|schema:)", re.I)
_COUNT = re.compile(r"[<>≥]? ?([+-]?[0-9]{1,12}(?:[.,][0-9]{0,9})?) ?\+?")
_COUNTED = re.compile(r"(?P<n>[0-9]{1,12}) ?(?P<words>\D+)|(?P<words_>\D+?) ?[(:] ?(?P<n_>[0-9]{1,12}) ?\)?")


def _plain(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word.casefold().replace("ł", "l").replace("ı", "i"))
    return re.sub(r"[\s_-]+", "_", "".join(c for c in letters if not unicodedata.combining(c))).strip("_")


_WORDS = dict.fromkeys(map(_plain, _YES.split()), True) | dict.fromkeys(map(_plain, _NO.split()), False)


def parse_stock(value: Any) -> bool | None:
    """True or false; None for what says neither. A number is how many there are."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value > 0
    return _stock(value) if isinstance(value, str) and len(value) <= 100 else None


@lru_cache(1_000)
def _stock(value: str) -> bool | None:
    word = _SCHEMA.sub("", value.strip()).rstrip("/!.")
    if (known := _WORDS.get(_plain(word))) is not None:
        return known
    word = unicodedata.normalize("NFKC", word).replace("\u2212", "-")
    if count := _COUNT.fullmatch(word):
        return float(count[1].replace(",", ".")) > 0
    if counted := _COUNTED.fullmatch(word):  # "12 in stock", "In stock (12)"
        known = _WORDS.get(_plain(counted["words"] or counted["words_"]))
        return known and int(counted["n"] or counted["n_"]) > 0
    return None
