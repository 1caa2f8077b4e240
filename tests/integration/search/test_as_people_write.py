"""Catalogs and requests as people have them, through the job and the search, on every engine."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from index import IndexStore
from ingest.job import run
from ingest.settings import IngestSettings
from schemas import IngestReport, SearchRequest, SearchResponse
from search import Searcher
from tests.integration.index.conftest import engine, store
from tests.integration.ingest.jobs import DECODERS, draw, write_rows
from tests.support.calibrated import calibrated
from tests.support.encoders import HashEncoder, Unloadable

__all__ = ["engine", "store"]  # the fixtures

NFD = unicodedata.normalize("NFD", "Café Küche")
MUGS: list[dict[str, Any]] = [
    {"id": "KT-INS114-DRE", "title": "Insulated travel mug, red, with a lid that fits KT-INS115"},
    {"id": "KT-INS115-BLK", "title": "Insulated travel mug, large", "sku": "0815-A", "ean": "4006381333931"},
    {"id": "KT-INS115-WHT", "title": "Insulated travel mug, white"},
    {"id": "lid", "title": "Lid for KT-INS115-BLK, the black travel mug", "model": "iPhone 15"},
    {"id": "d1", "title": "Drill chuck", "mpn": "90.750", "codes": {"upc": [12345678905]}},
    {"id": "d2", "title": "Drill, 90.75 mm"},
    {"id": "501", "title": "Mug, plain"},
    {"id": "levi", "title": "Levi's 501 jeans, size 42"},
    {"id": "42", "title": "Spoon"},
    {"id": "case", "title": "Case for iPhone 15, black"},
    {"id": "usb", "title": "USB-C cable 500ml", "sku": "CAB-500ML-X"},
    {"id": "bottle", "title": "Bottle 500ml"},
]


class Shop:
    """What of a catalog was ingested into one store, and is asked."""

    def __init__(self, store: IndexStore, folder: Path) -> None:
        self.store = store
        self._folder = folder

    def ingest(self, rows: list[dict[str, Any]], encoder: HashEncoder | None = None, **options: Any) -> IngestReport:
        encoder = encoder or HashEncoder()
        settings = IngestSettings(
            catalog=str(write_rows(self._folder / "c.jsonl", rows)), data_dir=self._folder / "data", **options
        )
        return run(settings, spec_of=lambda _: encoder.spec, encoder_of=lambda _: encoder, decoders=DECODERS)

    @contextmanager
    def searcher(self) -> Iterator[Searcher]:
        index = self.store.open()
        yield Searcher(index, HashEncoder())
        index.close()

    def search(self, **request: Any) -> SearchResponse:
        with self.searcher() as searcher:
            return searcher.search(SearchRequest.model_validate(request)).response

    def first(self, text: str, **request: Any) -> tuple[str, str | None]:
        hit = self.search(text=text, explain=True, **request).hits[0]
        assert hit.explain is not None
        return hit.id, hit.explain.exact


@pytest.fixture
def shop(store: IndexStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr("ingest.job.open_store", lambda _: store)
    return Shop(store, tmp_path)


def test_a_product_is_found_by_its_numbers(shop: Shop) -> None:
    shop.ingest(MUGS)
    expected: dict[str, tuple[str, str | None]] = {
        "kt-ins115-blk": ("KT-INS115-BLK", "id"),
        "KT/INS115/BLK": ("KT-INS115-BLK", "id"),
        "ktins115blk": ("KT-INS115-BLK", "id"),
        "kt ins115 blk mug": ("KT-INS115-BLK", "id"),
        "black lid KT-INS115-BLK": ("KT-INS115-BLK", "id"),
        "ＫＴ－ＩＮＳ１１５－ＢＬＫ": ("KT-INS115-BLK", "id"),
        "0815a": ("KT-INS115-BLK", "code"),
        "4006381 333931": ("KT-INS115-BLK", "code"),
        "EAN 4006381333931": ("KT-INS115-BLK", "code"),
        "90.750": ("d1", "code"),
        "drill 90.750": ("d1", "code"),
        "0012345678905": ("d1", "code"),
        "D1": ("d1", "id"),
        "42": ("levi", None),
        "501": ("levi", None),
        "size 42": ("levi", None),
        "iphone 15 case": ("case", None),
        "500ml": ("bottle", None),
        "drill, 90.75 mm": ("d2", "title"),
    }
    with shop.searcher() as searcher:
        found = {}
        for text in expected:
            hit = searcher.search(SearchRequest(text=text, explain=True)).response.hits[0]
            found[text] = (hit.id, hit.explain.exact if hit.explain else None)
    assert found == expected


def test_a_part_of_a_number_finds_all_that_have_it_first(shop: Shop) -> None:
    shop.ingest(MUGS)
    both = {"KT-INS115-BLK", "KT-INS115-WHT"}
    for text in ("KT-INS115", "kt ins115", "ktins115", "ins115 mug", "lid KT-INS115"):
        hits = shop.search(text=text, explain=True).hits
        assert {hit.id for hit in hits[:2]} == both, text
        assert [hit.explain and hit.explain.exact for hit in hits[:3]] == ["part", "part", None]
    assert shop.search(text="KT-INS115-WHT or KT-INS115").hits[0].id == "KT-INS115-WHT"
    under = shop.search(text="KT-INS115", filter={"not": {"id": "KT-INS115-BLK"}}).hits
    assert under[0].id == "KT-INS115-WHT"
    assert "KT-INS115-BLK" not in {hit.id for hit in under}


def test_a_number_is_first_under_grouping_and_pages(shop: Shop) -> None:
    shop.ingest(
        [{"id": f"M-{n:03}", "title": "Mug", "group_id": f"MG-10{n % 3}", "sku": f"X{n}Y-77"} for n in range(30)]
    )
    assert shop.search(text="mug M-017", group_by="group_id").hits[0].id == "M-017"
    assert shop.search(text="x9y77").hits[0].id == "M-009"
    with shop.searcher() as searcher:
        found, cursor = [], None
        while True:
            page = searcher.search(SearchRequest(text="MG-101", limit=4, cursor=cursor)).response
            found += [hit.id for hit in page.hits]
            if (cursor := page.next_cursor) is None:
                break
    assert len(found) == len(set(found)) == 30
    assert {int(id[2:]) % 3 for id in found[:10]} == {1}


def test_values_that_look_alike_are_one(shop: Shop) -> None:
    brands = ["Café Küche", NFD, f"{NFD}\u00a0", "Café\u00a0 Küche", "Ca\u00adfé\u200b Küche", "Caf&eacute; K&uuml;che"]
    rows = [{"id": f"{n}", "title": "Tart", "brand": brand, f"{NFD} ": "x"} for n, brand in enumerate(brands)]
    shop.ingest(rows)
    for asked in brands[:5]:
        page = shop.search(filter={"brand": asked}, facets=["brand", NFD])
        assert page.total.value == len(brands)
        assert page.facets is not None
        assert [(value.value, value.count) for value in page.facets["brand"].values] == [("Café Küche", len(brands))]
        assert list(page.facets) == ["brand", "Café Küche"]
        assert shop.search(text="tart", group_by="brand ", filter={NFD: "x"}).total.value == 1


WORDS = {
    "手机壳": "华为手机壳 黑色",
    "ケース": "スマホケース",
    "โทรศัพท์": "เคสโทรศัพท์",
    "가방": "가방을 팝니다",
    "محمد": "مُحَمَّد",
    unicodedata.normalize("NFD", "brûlée"): "Crème brûlée",
    "brulee": "Crème brûlée",
    "Staubsauger": "Staub\u00adsauger",
    "hood": r"Packs small.\nHood folds",
    "c++": "C++ guide",
    "full": "Ｆｕｌｌ width",
    "1/2": "½ inch bolt",
    "☕": "Mug ☕",
}


def test_words_of_every_kind_are_found_by_the_lexical_leg(shop: Shop) -> None:
    titles = {title: str(number) for number, title in enumerate(WORDS.values())}
    shop.ingest([{"id": id, "title": title} for title, id in titles.items()] + [{"id": "c", "title": "C guide 1 2 3"}])
    for asked, title in WORDS.items():
        hits = shop.search(text=asked, explain=True).hits
        (explain,) = [hit.explain for hit in hits if hit.id == titles[title]]
        assert explain is not None
        assert [leg.rank for leg in explain.legs if leg.leg == "lexical"] == [1], asked
        assert explain.matched_terms


def test_ids_and_images_are_found_in_every_form(shop: Shop, tmp_path: Path) -> None:
    draw(tmp_path / unicodedata.normalize("NFD", "bilder é") / "größe.png")
    draw(tmp_path / "h&m.png", "blue")
    report = shop.ingest(
        [
            {"id": f" {NFD}\u00a0", "title": "One", "image": f" bilder {unicodedata.normalize('NFD', 'é')}/größe.png "},
            {"id": "Café Küche", "title": "The same id again"},
            {"id": "two", "title": "Two", "image": "h&amp;m.png"},
        ]
    )
    assert (report.indexed, report.rejected, report.degraded) == (2, 1, 0)
    for id in ("Café Küche", NFD, f" {NFD} "):
        assert [hit.id for hit in shop.search(product_id=id).hits] == ["two"]
        with shop.searcher() as searcher:
            assert searcher.product(id).payload["id"] == "Café Küche"
        assert shop.search(filter={"id": id}).total.value == 1
    assert shop.ingest([{"id": NFD, "title": "One", "image": "bilder é/größe.png"}], Unloadable()).unchanged == 1


def test_what_an_older_version_wrote_is_brought_up_to_date_without_a_model(
    shop: Shop, store: IndexStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": NFD, "title": "Tart"}, {"id": " KT-INS115-BLK", "title": "华为手机壳"}, {"id": "x", "title": "Mug"}]
    with monkeypatch.context() as older:
        older.setattr("catalog.values.clean_code", lambda text: text)
        older.setattr("catalog.hashes.LEXICAL_VERSION", 1)
        for reading in ("ingest.scan", "ingest.second_pass"):
            older.setattr(f"{reading}.older_point", lambda row: None)
        shop.ingest(rows)
        assert [hit.id for hit in shop.search(filter={"id": NFD}).hits] == [NFD]
    # Before the next ingest they are found as they were.
    assert shop.search(product_id=NFD).hits
    assert shop.search(filter={"id": [NFD]}).total.value == 1

    report = shop.ingest(rows, Unloadable(), prune=True)
    assert (report.updated, report.indexed, report.deleted, report.embedded_texts) == (3, 0, 0, 0)
    assert {hit.id for hit in shop.search(filter={}, sort=[{"field": "price"}]).hits} == {
        "Café Küche",
        "KT-INS115-BLK",
        "x",
    }
    assert shop.first("kt ins115") == ("KT-INS115-BLK", "part")
    again = shop.ingest(rows, Unloadable(), prune=True)
    assert (again.unchanged, again.deleted) == (3, 0)


SOFAS = [
    {"id": "sofa", "title": "Green velvet sofa", "description": "Seats three."},
    {"id": "lamp", "title": "Reading lamp", "description": "Stands beside a sofa; brass."},
    {"id": "rug", "title": "Woollen rug", "category": "Rugs"},
    {"id": "peas", "title": "Chick peas, dried"},
    *({"id": f"n{number}", "title": f"Blanket number {number}"} for number in range(12)),
]


def test_words_are_found_however_they_are_spelt_and_by_their_synonyms(shop: Shop) -> None:
    shop.ingest(SOFAS)
    expected = {
        "couch": ("sofa", None, ["sofa"]),
        "gren sofa": ("sofa", "green sofa", None),
        "reading lmap": ("lamp", "reading lamp", None),
        "reading lmp": ("lamp", "reading lamp", None),
        "chickpeas": ("peas", "chick peas", None),
        "woollen rug": ("rug", None, None),
    }
    with shop.searcher() as searcher:
        for text, (id, corrected, synonyms) in expected.items():
            response = searcher.search(SearchRequest(text=text)).response
            assert response.hits[0].id == id, text
            assert response.query is not None
            assert response.query.text == text
            assert response.query.corrected == corrected
            found = [name for word in response.query.expanded or [] for name in word.synonyms]
            assert set(synonyms or []) <= set(found), text
            as_written = searcher.search(SearchRequest(text=text, literal=True)).response.query
            assert as_written is not None
            assert (as_written.text, as_written.corrected, as_written.expanded) == (text, None, None)


def test_a_text_that_was_copied_finds_its_product_first(shop: Shop) -> None:
    copied = "Soft on cold evenings, warm for two, and long"
    shop.ingest(
        [
            {
                "id": "other",
                "title": "Throw soft warm cold evenings",
                "description": "Soft, warm: two evenings.",
            },
            {"id": "it", "title": "Blanket", "description": f"A gift. {copied} enough. Wash cold, warm is too warm."},
            *({"id": f"n{number}", "title": f"Blanket number {number}"} for number in range(12)),
        ]
    )
    assert shop.first(copied) == ("it", "text")
    assert shop.first(copied.upper().replace(",", " -")) == ("it", "text")
    assert shop.first("warm and long on cold evenings for two")[1] is None
    assert shop.first("warm for two")[1] is None  # a few words follow each other by chance


def test_of_products_with_a_copied_text_that_with_little_else_comes_first(shop: Shop) -> None:
    copied = "Soft on cold evenings, warm for two"
    shop.ingest(
        [
            {"id": "more", "title": f"Blanket, {copied}, long", "description": f"{copied}. A gift. {copied} and long."},
            {"id": "it", "title": "Blanket", "description": f"{copied}."},
            *({"id": f"n{number}", "title": f"Blanket number {number}"} for number in range(12)),
        ]
    )
    assert [hit.id for hit in shop.search(text=copied).hits[:2]] == ["it", "more"]


def test_what_has_all_words_comes_before_what_is_called_by_one(shop: Shop) -> None:
    shop.ingest(
        [
            {"id": "rajmah", "title": "Rajmah", "description": "Also called Rajma, Razma, kidney bean; a pulse."},
            {"id": "kidneys", "title": "Beef, kidneys", "description": "Beef, kidneys is offal."},
            {"id": "beans", "title": "Broad beans", "description": "Broad beans are a vegetable."},
            *({"id": f"n{number}", "title": f"Rice number {number}"} for number in range(12)),
        ]
    )
    assert shop.search(text="kidney beans").hits[0].id == "rajmah"
    assert shop.search(text="kidneys").hits[0].id == "kidneys"


def test_synonyms_that_people_have_written_down_hold_for_words_that_the_catalog_has(shop: Shop) -> None:
    shop.ingest(SOFAS)
    with shop.searcher() as searcher:

        def best(text: str, **request: Any) -> set[str]:
            return {hit.id for hit in searcher.search(SearchRequest(text=text, limit=2, **request)).response.hits}

        assert "sofa" not in best("rug")
        shop.store.documents.write(
            "synonyms", "house", {"groups": [["rug", "velvet sofa"], ["chick peas", "garbanzo"]]}
        )
        searcher.use(shop.store.documents.read_all())
        response = searcher.search(SearchRequest(text="woollen rugs")).response
        assert response.query is not None
        assert [one.model_dump() for one in response.query.expanded or []] == [
            {"word": "rugs", "synonyms": ["velvet sofa"]}
        ]
        assert best("rug") == best("velvet sofa") == {"rug", "sofa"}
        assert "sofa" not in best("rug", literal=True)
        assert searcher.search(SearchRequest(text="garbanzos")).response.hits[0].id == "peas"
        shop.store.documents.delete("synonyms", "house")
        searcher.use(shop.store.documents.read_all())
        assert "sofa" not in best("rug")


def test_pages_of_words_that_were_corrected_are_those_of_one_ranking(shop: Shop) -> None:
    shop.ingest(SOFAS)
    with shop.searcher() as searcher:
        whole = [hit.id for hit in searcher.search(SearchRequest(text="blankett", limit=100)).response.hits]
        pages, cursor = [], None
        while True:
            response = searcher.search(SearchRequest(text="blankett", limit=5, cursor=cursor)).response
            assert response.query is not None
            assert response.query.corrected == "blanket"
            pages += [hit.id for hit in response.hits]
            cursor = response.next_cursor
            if cursor is None:
                break
    assert pages == whole
    assert {f"n{number}" for number in range(12)} == set(whole[:12])


def test_words_are_marked_in_hits_as_they_were_understood(shop: Shop) -> None:
    shop.ingest(
        [
            {"id": "1", "title": "Red leather sofa", "description": "A sofa for two, <b>red</b>."},
            {"id": "2", "title": "Blue carpet", "description": "Woven by hand."},
        ]
    )
    found = shop.search(text="rde couch leathr", highlight=True)
    marked = {
        hit.id: {name: [piece.text for piece in pieces if piece.marked] for name, pieces in hit.highlights.items()}
        for hit in found.hits
        if hit.highlights
    }
    assert marked["1"] == {"title": ["Red", "leather", "sofa"], "description": ["sofa", "red"]}
    assert marked["2"] == {"title": []}
    assert shop.search(text="red").hits[0].highlights is None
    assert shop.search(product_id="2", highlight=True).hits[0].highlights is None
    assert shop.search(filter={}, highlight=True).hits[0].highlights is None


def test_a_filters_value_is_found_in_whatever_case(shop: Shop) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "1", "title": "a", "brand": "Nike", "tags": ["ÉTÉ", "x"]},
        {"id": "2", "title": "b", "brand": "NIKE"},
        {"id": "3", "title": "c", "brand": "Puma", "color": "red"},
        {"id": "4", "title": "d", "color": "Red"},
    ]
    shop.ingest(rows)

    def found(**filter: Any) -> str:
        response = shop.search(filter=filter)
        ids = sorted(hit.id for hit in response.hits)
        assert response.total.value == len(ids)
        return "".join(ids)

    assert found(brand="nike") == "12"
    assert found(brand="Nike") == "1"
    assert found(brand=["nike", "PUMA", "Adidas"]) == "123"
    assert found(tags="été") == "1"
    assert found(color="red") == "3"
    assert found(color="RED") == "34"
    assert found(brand="adidas") == ""
    assert found(**{"not": {"brand": "nike"}}) == "34"
    assert found(any=[{"brand": "puma"}, {"color": "RED"}]) == "34"
    assert found(brand=[None, "puma"]) == "34"
    assert found(id="A") == ""
    facets = shop.search(filter={"brand": "nike"}, facets=["brand"]).facets
    assert facets is not None and {value.value for value in facets["brand"].values} == {"Nike", "NIKE", "Puma"}


CHESTS = [{"id": f"chest{n}", "title": f"chest of drawers in {color} oak"} for n, color in enumerate(("light", "dark"))]
TABLES = [{"id": f"table{n}", "title": f"side table number {n} of glass and steel for small rooms"} for n in range(9)]
WARDROBES = [{"id": f"wardrobe{n}", "title": "wardrobe"} for n in range(3)]


def test_words_of_the_same_meaning_fit_and_related_ones_where_they_are_near(shop: Shop) -> None:
    shop.ingest([*CHESTS, *TABLES, *WARDROBES])
    with closing(shop.store.open()) as index:
        searcher = calibrated(index, floor=1.0)

        def fits(text: str) -> tuple[set[str], int]:
            response = searcher.search(SearchRequest(text=text, limit=20)).response
            return {hit.id for hit in response.hits}, response.total.value

        assert fits("dresser") == ({"chest0", "chest1"}, 2)  # a table is what a dresser is, and is none
        assert fits("armoire") == ({"wardrobe0", "wardrobe1", "wardrobe2"}, 3)  # no word means the same
        assert fits("table") == ({row["id"] for row in TABLES}, 9)
