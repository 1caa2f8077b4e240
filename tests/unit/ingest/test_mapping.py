"""Another's columns under our names: as asked for, and as their names mean."""

from __future__ import annotations

import json
import logging
import unicodedata
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from catalog import product_from_row
from ingest.catalog import Before, Catalog
from ingest.columns.mapping import column_map
from ingest.columns.synonyms import SYNONYMS, plain_name
from ingest.readers import Row, open_reader
from ingest.settings import IngestSettings
from schemas import STANDARD_COLUMNS, CatalogError, Change, ConfigurationError, Rejection


def opened(path: Path, before: Before | None = None, **options: Any) -> Catalog:
    settings = IngestSettings(catalog=str(path), **options)
    return Catalog(open_reader(settings), settings, before)


def values(reader: Catalog) -> list[dict[str, Any]]:
    with reader:
        items = list(reader.rows())
    assert not [item for item in items if isinstance(item, Rejection)]
    return [item.values for item in items if isinstance(item, Row)]


def write(folder: Path, format: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"c.{format}"
    if format == "parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    elif format == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
        path.write_text("".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in lines))
    return path


FORMATS = pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])


@FORMATS
def test_columns_are_read_as_was_asked_for(tmp_path: Path, format: str) -> None:
    rows = [{"nr": "a", "words": "Tee", "front": "1.png", "back": "2.png", "title": "ignored", "kg": 2.5}]
    path = write(tmp_path, format, rows)
    asked = ("id=nr", "title=words", "images=front", "images=back", "weight=kg")
    with opened(path, map=asked) as reader:
        assert reader.mapping == {"nr": "id", "words": "title", "front": "images", "back": "images", "kg": "weight"}
    expected = [{"id": "a", "title": "Tee", "images": ["1.png", "2.png"], "weight": 2.5}]
    assert values(opened(path, map=asked)) == expected
    (tmp_path / "map.yaml").write_text("id: nr\ntitle: words\nimages: [front, back]\nweight: front\n")
    assert values(opened(path, map=("weight=kg",), map_file=tmp_path / "map.yaml")) == expected


@FORMATS
def test_a_column_that_is_not_there_is_named(tmp_path: Path, format: str) -> None:
    path = write(tmp_path, format, [{"id": "a", "name": "Tee"}])
    with pytest.raises(CatalogError, match=r"no column 'titel' to read as title; its columns are id, name"):
        opened(path, map=("title=titel",))


def test_a_json_column_may_first_come_late(tmp_path: Path) -> None:
    path = write(tmp_path, "jsonl", [{"id": str(i), "title": "x"} for i in range(300)] + [{"id": "z", "late": "Tee"}])
    assert values(opened(path, map=("title=late",)))[-1] == {"id": "z", "title": "Tee"}


@FORMATS
def test_a_first_image_and_numbered_ones_are_all_guessed(tmp_path: Path, format: str) -> None:
    row = {"id": "a", "title": "Tee", "Foto": "1.png", "Foto2": "2.png", "Fotos": "4.png", "Foto 3": "3.png"}
    images = {"image": "1.png", "images": ["4.png", "2.png", "3.png"]}
    assert values(opened(write(tmp_path, format, [row]))) == [{"id": "a", "title": "Tee", **images}]


@FORMATS
def test_what_is_plain_is_guessed_and_said(tmp_path: Path, format: str, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"SKU": "a", "Product Name": "Tee", "image_url": "a.png", "Colour": "red", "weight": 2}]
    with caplog.at_level(logging.INFO), opened(write(tmp_path, format, rows)) as reader:
        assert reader.mapping == {"SKU": "id", "Product Name": "title", "image_url": "image", "Colour": "color"}
        assert values(reader)[0] | {"color": "red"} == {
            "id": "a", "title": "Tee", "image": "a.png", "color": "red", "weight": 2
        }  # fmt: skip
    assert "id=SKU, title=Product Name, image=image_url, color=Colour" in caplog.text
    assert caplog.text.count("id=SKU") == 1


@FORMATS
def test_nothing_is_guessed_for_a_column_that_is_there_nor_between_two(tmp_path: Path, format: str) -> None:
    rows = [{"id": "a", "title": "Tee", "name": "n", "sku": "s", "brand_name": "x", "vendor": "y"}]
    with opened(write(tmp_path, format, rows)) as reader:
        assert reader.mapping == {}
        assert values(reader) == rows


def test_what_was_asked_for_goes_before_a_guess(tmp_path: Path) -> None:
    rows = [{"id": "a", "name": "n", "label": "l"}]
    path = write(tmp_path, "jsonl", rows)
    assert values(opened(path, map=("title=label",))) == [{"id": "a", "title": "l", "name": "n"}]


def test_without_an_id_the_candidates_are_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"--map id=sku .* sku, product_id could be"):
        opened(write(tmp_path, "csv", [{"sku": "a", "product_id": "b", "name": "x"}]))


MERCHANT = """\
id\ttitle\tdescription\tlink\timage_link\tadditional_image_link\tavailability\tprice\tbrand\tgtin\titem_group_id\
\tproduct_type
1\tTee\tSoft\thttps://s/1\thttps://s/1.jpg\thttps://s/2.jpg,https://s/3.jpg\tin stock\t12.50 USD\tAcme\t123\tg1\
\tTops > Tees
2\tCap\tWarm\thttps://s/2\thttps://s/4.jpg\t\tout_of_stock\t7.00 USD\tAcme\t124\tg1\tHats
"""


def test_a_google_merchant_feed_needs_no_options(tmp_path: Path) -> None:
    (tmp_path / "feed.txt").write_text(MERCHANT)
    first, second = values(opened(tmp_path / "feed.txt", format="tsv"))
    assert first == {
        "id": "1", "title": "Tee", "description": "Soft", "link": "https://s/1", "image": "https://s/1.jpg",
        "images": ["https://s/2.jpg", "https://s/3.jpg"], "in_stock": True, "price": 12.5, "currency": "USD",
        "brand": "Acme", "gtin": "123", "group_id": "g1", "category": "Tops > Tees",
    }  # fmt: skip
    assert (second["in_stock"], "images" in second) == (False, False)


def test_a_merchant_feed_as_json_neither(tmp_path: Path) -> None:
    row = {
        "id": "1", "title": "Tee", "image_link": "https://s/1.jpg", "availability": "in_stock", "price": "12.50 USD",
        "additional_image_link": ["https://s/2.jpg"], "item_group_id": 7,
    }  # fmt: skip
    assert values(opened(write(tmp_path, "jsonl", [row]))) == [
        {
            "id": "1",
            "title": "Tee",
            "image": "https://s/1.jpg",
            "in_stock": True,
            "price": 12.5,
            "currency": "USD",
            "images": ["https://s/2.jpg"],
            "group_id": "7",
        }
    ]  # fmt: skip


SHOPIFY = """\
Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src
tee,Tee,<p>Soft</p>,Acme,Shirts,"new, cotton",true,Size,S,TEE-S,12.50,https://s/1.jpg
cap,Cap,<p>Warm</p>,Acme,Hats,,true,Size,M,CAP-M,7.00,https://s/2.jpg
"""


def test_a_shopify_export_neither(tmp_path: Path) -> None:
    (tmp_path / "products_export.csv").write_text(SHOPIFY)
    assert values(opened(tmp_path / "products_export.csv"))[0] == {
        "id": "TEE-S", "title": "Tee", "description": "<p>Soft</p>", "brand": "Acme", "category": "Shirts",
        "tags": ["new", "cotton"], "price": 12.5, "image": "https://s/1.jpg", "group_id": "tee", "Published": True,
        "Option1 Name": "Size", "Option1 Value": "S",
    }  # fmt: skip


VARIANTS = """\
Handle,Title,Vendor,Option1 Value,Variant SKU,Variant Price,Image Src,Image Position,Variant Image
tee,Tee,Acme,S,TEE-S,12.50,https://s/1.jpg,1,
tee,,,M,,13.50,https://s/2.jpg,2,https://s/m.jpg
tee,,,,,,https://s/3.jpg,3,
cap,Cap,Acme,Default,,7.00,,,
"""


SINCE_2024 = VARIANTS.replace(
    "Handle,Title,Vendor,Option1 Value,Variant SKU,Variant Price,Image Src,Image Position,Variant Image",
    "URL handle,Title,Vendor,Option1 value,SKU,Price,Product image URL,Image position,Variant image URL",
)


@pytest.mark.parametrize("export", [VARIANTS, SINCE_2024])
def test_variants_of_a_shopify_export_say_what_their_product_is(tmp_path: Path, export: str) -> None:
    (tmp_path / "c.csv").write_text(export)
    with opened(tmp_path / "c.csv") as reader:
        assert [row.line for row in reader.rows() if isinstance(row, Row)] == [2, 3, 5]
    small, medium, cap = values(opened(tmp_path / "c.csv"))
    assert (small["id"], small["price"], small["image"]) == ("TEE-S", 12.5, "https://s/1.jpg")
    assert small["images"] == ["https://s/2.jpg", "https://s/3.jpg"]
    assert (medium["id"], medium["title"], medium["brand"], medium["price"]) == ("tee/M", "Tee", "Acme", 13.5)
    assert (medium["image"], medium["group_id"]) == ("https://s/m.jpg", "tee")
    assert medium["images"] == ["https://s/1.jpg", "https://s/2.jpg", "https://s/3.jpg"]
    assert (cap["id"], cap["title"], "image" in cap) == ("cap", "Cap", False)


STOCKED = """\
Handle,Title,Variant SKU,Variant Price,Image Src,Variant Inventory Qty,Variant Inventory Policy
a,Tee,a,5,,3,deny
b,Tee,b,5,,-2,deny
c,Tee,c,5,,0,continue
d,Tee,d,5,,,deny
"""


def test_stock_of_a_shopify_export_is_of_its_quantity_and_policy(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(STOCKED)
    rows = values(opened(tmp_path / "c.csv"))
    assert [row.get("in_stock") for row in rows] == [True, False, True, None]
    assert [row.get("Variant Inventory Qty") for row in rows] == [3, -2, 0, None]


def test_an_export_of_magento_neither(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "sku,product_type,categories,name,base_image,thumbnail_image,additional_images\n"
        'b,simple,"Gear,Gear/Bags",Bag,m/b-0.jpg,m/b-0.jpg,"m/b-0.jpg,m/b, blue.JPEG"\n'
    )
    assert values(opened(tmp_path / "c.csv")) == [
        {
            "id": "b", "title": "Bag", "category": "Gear,Gear/Bags", "image": "m/b-0.jpg",
            "images": ["m/b-0.jpg", "m/b, blue.JPEG"], "product_type": "simple", "thumbnail_image": "m/b-0.jpg",
        }
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_are_no_difference(tmp_path: Path, form: Literal["NFC", "NFD"]) -> None:
    header = unicodedata.normalize(form, "Référence;Désignation;Catégorie;Verfügbar\n")
    (tmp_path / "c.csv").write_text(header + "1;Gants;Hiver;ja\n")
    assert values(opened(tmp_path / "c.csv")) == [{"id": "1", "title": "Gants", "category": "Hiver", "in_stock": True}]


def test_columns_with_numbers_are_images_in_their_order(tmp_path: Path) -> None:
    rows = [{"id": "a", "image": "0.png", "image10": "10.png", "image_2": "2.png", "Image URL 1": "1.png"}]
    assert values(opened(write(tmp_path, "csv", rows))) == [
        {"id": "a", "image": "0.png", "images": ["1.png", "2.png", "10.png"]}
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("- a\n", "must hold lines"),
        ("title: {a: b}\n", "must hold lines"),
        ("title: []\n", "must hold lines"),
        ("title: [a, b]\n", "one column only"),
        ("not: a\n", "filter language"),
        ("title: a\nbrand: a\n", "more than one of ours"),
        ("title: [\n", "no YAML"),
        ("a: !!python/object/apply:os.system [ls]\n", "no YAML"),
        ("", "must hold lines"),
    ],
)
def test_a_file_that_is_no_mapping_says_so(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "map.yaml").write_text(content)
    with pytest.raises(ConfigurationError, match=says):
        column_map((), tmp_path / "map.yaml")
    with pytest.raises(ConfigurationError, match="cannot read"):
        column_map((), tmp_path / "none.yaml")


def test_no_synonym_means_two_columns_nor_is_one_of_ours() -> None:
    words = [word for tiers in SYNONYMS.values() for tier in tiers for word in tier.split()]
    assert sorted(words) == sorted(set(words))
    assert not set(words) & set(STANDARD_COLUMNS)
    assert {plain_name(word) for word in words} == set(words)
    assert set(SYNONYMS) == set(STANDARD_COLUMNS)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), max_size=8, unique=True))
def test_any_columns_are_mapped_or_left_alone(tmp_path_factory: pytest.TempPathFactory, columns: list[str]) -> None:
    path = write(tmp_path_factory.mktemp("c"), "jsonl", [{"id": "1"} | dict.fromkeys(columns, "x")])
    with opened(path) as catalog:
        assert set(catalog.mapping) <= set(columns)
        assert set(catalog.mapping.values()) <= set(STANDARD_COLUMNS)


SHOP = [
    {
        "sku": f"s{n}", "name": f"Kettle {n}",
        **({"brand_name": "Acme", "regular_price": "59.90"} if n >= 100 else {}),
    }
    for n in range(130)
]  # fmt: skip
ALL = {"sku": "id", "name": "title", "brand_name": "brand", "regular_price": "price"}


@given(order=st.permutations(range(130)), names=st.randoms())
def test_columns_that_come_late_are_guessed_in_whatever_order(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], names: Any
) -> None:
    rows = []
    for n in order:
        keys = list(SHOP[n])
        names.shuffle(keys)
        rows.append({key: SHOP[n][key] for key in keys})
    with opened(write(tmp_path_factory.mktemp("c"), "jsonl", rows)) as catalog:
        assert catalog.mapping == ALL
        brands = {row.values.get("brand") for row in catalog.rows() if isinstance(row, Row)}
    assert brands == {None, "Acme"}


UNFIT: dict[str, Any] = {
    "item_name": {"en": "Kettle"},
    "beschreibung": ["a", "b"],
    "categories": ["Kitchen", "Sale"],
    "kategorie": [["Kitchen"], ["Sale"]],
    "vendor": {"name": "Acme"},
    "manufacturer": ["A", "B"],
    "regular_price": "on request",
    "preis": {"amount": 5},
    "price_currency": ["EUR", "USD"],
    "colour": [["red"]],
    "availability": "ships in three weeks",
    "photo": {"src": "a.jpg"},
    "bild": 7,
    "pictures": [{"url": "a.jpg"}],
    "keywords": {"a": 1},
    "parent_id": {"id": 3},
    "sprache": ["de", "en"],
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_column_whose_values_do_not_fit_is_not_taken(tmp_path: Path, name: str) -> None:
    row = {"id": "1", "title": "Kettle", name: UNFIT[name]}
    with opened(write(tmp_path, "jsonl", [row])) as catalog:
        assert catalog.mapping == {}
        parsed = product_from_row(next(row for row in catalog.rows() if isinstance(row, Row)).values)
    assert parsed.product.attributes == {name: UNFIT[name]}
    assert parsed.value_errors == ()


def test_one_odd_value_does_not_undo_a_guess_and_a_few_odd_rows_decide_nothing(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"id": str(n), "title": "x", "brand_name": "Acme"} for n in range(30)]
    rows[3]["brand_name"] = ["A", "B"]
    rows[4] |= {"vendor": "Other"}
    rows[5] |= {"brand": "Literal"}
    with opened(write(tmp_path, "jsonl", rows)) as catalog:
        assert catalog.mapping == {"brand_name": "brand"}
        found = [row for row in catalog.rows() if isinstance(row, Row)]
    assert found[5].values["brand"] == "Literal"
    assert found[3].unusable is not None and "expected text" in found[3].unusable["brand"].message


def test_what_was_guessed_is_remembered_and_its_change_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows: list[dict[str, Any]] = [{"id": str(n), "title": "x", "brand_name": "Acme", "vendor": "V"} for n in range(9)]
    path = write(tmp_path, "jsonl", rows)
    with opened(path) as catalog:
        assert catalog.mapping == {}  # two could be meant
    before = Before(mapping={"brand_name": "brand", "farbe": "color"})
    with opened(path, before) as catalog:
        assert catalog.mapping == {"brand_name": "brand"}
        assert catalog.remembered == {"brand_name": "brand", "farbe": "color"}
        assert list(catalog.mapping_changes) == ["color"]
        assert catalog.mapping_changes["color"] == Change(before="farbe", after=None)
    for row in rows:
        row["brand_name"] = ["no", "text"]
    with opened(write(tmp_path, "jsonl", rows), before) as catalog:
        assert catalog.mapping == {"vendor": "brand"}
        assert catalog.mapping_changes["brand"] == Change(before="brand_name", after="vendor")
        assert catalog.remembered == {"vendor": "brand", "farbe": "color"}
    assert "brand is read from vendor; for this index it was brand_name" in caplog.text


def test_guessing_can_be_switched_off(tmp_path: Path) -> None:
    path = write(tmp_path, "jsonl", [{"id": "1", "title": "Kettle", "vendor": "Acme"}])
    assert values(opened(path, guess=False)) == [{"id": "1", "title": "Kettle", "vendor": "Acme"}]
    with pytest.raises(CatalogError, match="no column `id`"):
        opened(write(tmp_path, "csv", [{"sku": "1", "title": "Kettle"}]), guess=False)


@pytest.mark.parametrize("id_name", ["id", "sku"])
@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("price", "59.90", 59.9),
        ("in_stock", "yes", True),
        ("in_stock", -2, False),
        ("brand", 4711, "4711"),
        ("brand", 4711.0, "4711"),
        ("category", ["Kitchen"], "Kitchen"),
        ("group_id", 7, "7"),
        ("tags", "new, cotton", ["new", "cotton"]),
        ("color", "red | blue", ["red", "blue"]),
        ("color", ["red", 3], ["red", "3"]),
        ("images", "a.jpg|b.jpg", ["a.jpg", "b.jpg"]),
    ],
)
def test_a_value_is_read_the_same_whatever_other_columns_are_called(
    tmp_path: Path, id_name: str, name: str, value: Any, read: Any
) -> None:
    (row,) = values(opened(write(tmp_path, "jsonl", [{id_name: "7", "title": "Kettle", name: value}])))
    assert row == {"id": "7", "title": "Kettle", name: read}


@pytest.mark.parametrize("id", [7, 7.0, "7"])
@pytest.mark.parametrize("name", ["id", "sku"])
@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_whole_number_is_an_id_in_every_format(tmp_path: Path, format: str, name: str, id: Any) -> None:
    assert values(opened(write(tmp_path, format, [{name: id, "title": "Kettle"}])))[0]["id"] == "7"
