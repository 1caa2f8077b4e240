"""What others call the columns of a catalog: shops' exports and feeds, in the languages they are written in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from catalog import is_code_name

SYNONYMS: dict[str, tuple[str, ...]] = {
    "id": (
        "sku product_id productid item_id itemid item_number article_number article_id product_code productcode"
        " variant_sku uniq_id uuid asin artikelnummer artikelnr artikel_nr art_nr artnr artikel_id produkt_id"
        " produktnummer bestellnummer referencia reference ref id_produit code_article code_produit codigo codice",
        "gtin ean ean13 upc isbn barcode mpn handle",
    ),
    "title": (
        "name product_name productname product_title item_name item_title article_name product_display_name"
        " productdisplayname titel bezeichnung artikelbezeichnung artikelname produktname produktbezeichnung"
        " produkttitel titre nom designation libelle intitule nom_du_produit nom_produit nombre titulo nome titolo"
        " naam nazwa",
        "short_title headline heading label",
    ),
    "description": (
        "body_html product_description item_description long_description longdescription full_description desc"
        " beschreibung artikelbeschreibung produktbeschreibung langtext descriptif description_longue"
        " description_du_produit descripcion descrizione descricao omschrijving opis",
        "short_description details product_details kurzbeschreibung description_courte caption body",
    ),
    "image": (
        "image_link image_url imageurl image_src image_path image_file img img_url imgurl picture picture_url photo"
        " photo_url main_image main_image_url primary_image featured_image base_image product_image product_image_url"
        " image_bytes image_data bild bildurl bild_url bildlink bildpfad bilddatei hauptbild produktbild artikelbild"
        " foto foto_url fotografia image_principale url_image visuel imagen immagine afbeelding zdjecie",
        "thumbnail thumbnail_url variant_image",
    ),
    "images": (
        "additional_image_link additional_image_links additional_images additional_image_urls image_links image_urls"
        " image_list gallery gallery_images media_gallery pictures picture_urls photos photo_urls other_images bilder"
        " zusatzbilder weitere_bilder fotos visuels",
    ),
    "category": (
        "category_name category_path product_category categories kategorie kategorien warengruppe produktkategorie"
        " categorie categoria kategoria",
        "product_type producttype produkttyp",
        "google_product_category main_category type subcategory sub_category department rubrique famille",
    ),
    "brand": (
        "vendor manufacturer brand_name brands marke hersteller marque marca merk marka",
        "supplier maker designer lieferant fabricant",
    ),
    "price": (
        "product_price unit_price variant_price retail_price regular_price current_price selling_price preis"
        " verkaufspreis vk_preis prix prix_de_vente prix_vente prix_ttc precio prezzo preco prijs cena",
        "list_price msrp sale_price final_price bruttopreis preis_brutto tarif",
    ),
    "currency": ("currency_code price_currency pricecurrency wahrung waehrung devise moneda valuta waluta",),
    "color": (
        "colour color_name colour_name colors colours base_colour basecolour farbe couleur colore cor kleur kolor",
    ),
    "in_stock": (
        "availability instock is_in_stock stock_status available is_available verfugbar verfuegbar verfugbarkeit"
        " verfuegbarkeit lieferbar lagernd auf_lager disponibilite disponible disponibilidad disponibilita en_stock"
        " dostepnosc",
    ),
    "tags": ("tag keywords labels schlagworte schlagworter mots_cles etiquetas",),
    "group_id": ("item_group_id product_group_id parent_id parent_sku parent_product_id style_id variant_group_id",),
    "language": ("lang locale content_language language_code sprache langue idioma lingua taal",),
}
"""For each column of ours, the words others have for it, without accents: first
those that mean it, then those that may."""

_MEANINGS = {
    word: (ours, number)
    for ours, tiers in SYNONYMS.items()
    for number, tier in enumerate((ours, *tiers))
    for word in tier.split()
}
_CODES = re.compile(r"(?:.*_)?(?:issn|code|codigo|codice|zip|plz|postcode|phone|telefon|tariff)(?:_?(?:no|nr|number))?")
_NUMBERED = re.compile(
    r"(?:additional_)?(?:image|img|picture|photo|foto|bild)(?:_?(?:link|url|src|path))?_?([0-9]{1,2})"
)


def plain_name(name: str) -> str:
    """A column's name less what people vary: ``g:Image Link`` is ``image_link``, ``Référence`` ``reference``."""
    letters = unicodedata.normalize("NFKD", name.casefold().removeprefix("g:").replace("ł", "l"))
    return re.sub(r"\W+", "_", "".join(c for c in letters if not unicodedata.combining(c))).strip("_")


def meaning(name: str) -> str | None:
    """The column of ours that a name may mean."""
    plain = plain_name(name)
    return _MEANINGS[plain][0] if plain in _MEANINGS else "images" if _NUMBERED.fullmatch(plain) else None


def is_code(name: str) -> bool:
    """Whether a column of this name holds numbers that are names: of articles, bar codes, places, telephones."""
    return is_code_name(name) or _CODES.fullmatch(plain_name(name)) is not None


def guess(ours: str, columns: Sequence[str]) -> list[str]:
    """The columns that may be ``ours``: one where it is clear, several where it is not.

    The same name in another spelling comes first, then each tier of synonyms; ``images`` are columns with numbers as
    well, ``image1``, ``image2``, all of them.
    """
    plain = {name: plain_name(name) for name in columns}
    tiers: dict[int, list[str]] = {}
    for name in columns:
        if (found := _MEANINGS.get(plain[name])) and found[0] == ours:
            tiers.setdefault(found[1], []).append(name)
    first = tiers[min(tiers)] if tiers else []
    if ours == "images":
        numbered = [(int(match[1]), name) for name in columns if (match := _NUMBERED.fullmatch(plain[name]))]
        return [*first, *(name for _, name in sorted(numbered))]
    return first
