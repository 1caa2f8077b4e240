"""``python -m ingest label``, ``--label-set``, and what is filtered and counted afterwards."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from index import PREDICTED, IndexSettings, open_store
from ingest.commands import label
from labels import Tagger, appeal, labelling
from schemas import Appealed, ConfigurationError, DocumentNotFound, ProductNotFound, SearchRequest
from search import Searcher
from tests.support.colors import COLORS, color_png, write_lines, write_tiles
from tests.support.commands import printed
from tests.support.encoders import ColorEncoder, CountingColors
from tests.support.serving import ingest

SET: dict[str, Any] = {"labels": [{"name": color} for color in COLORS]}


class Shop:
    """An index of coloured tiles, whose category is their colour."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = [row | {"category": row["brand"]} for row in write_tiles(folder)]
        self.data = folder / "data"
        self.encoder = CountingColors()
        self.store = open_store(IndexSettings(data_dir=self.data))

    def write(self, label_set: dict[str, Any] | None = None, name: str = "hue") -> None:
        self.store.documents.write("label-sets", name, label_set or SET)

    def ingest(self, encoder: ColorEncoder | None = None, **settings: Any) -> Any:
        catalog = write_lines(self.folder / "catalog.jsonl", self.rows)
        return ingest(catalog, self.data, encoder or self.encoder, **settings)

    def label(self, *arguments: str) -> int:
        return label.main([*arguments, "--data-dir", str(self.data)], lambda _: self.encoder)

    def stored(self, product: str) -> dict[str, Any]:
        with closing(self.store.open()) as index:
            return Searcher(index, self.encoder).product(product).payload

    def found(self, filter: dict[str, Any], facet: str = "predicted.hue") -> tuple[set[str], dict[Any, int]]:
        """Products that match, and how many have which label."""
        with closing(self.store.open()) as index:
            request = SearchRequest(filter=filter, limit=100, facets=[facet])
            answer = Searcher(index, self.encoder).search(request).response
            assert answer.facets is not None
            return {hit.id for hit in answer.hits}, {one.value: one.count for one in answer.facets[facet].values}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.ingest()
    shop.write()
    return shop


def test_labels_go_beside_what_the_catalog_says_and_are_filtered_and_counted(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    embedded, before = shop.encoder.images, shop.stored("red-0")
    assert shop.label() == 0
    done = printed(capsys)
    assert (done["label_set"], done["version"], done["products"], done["changed"]) == ("hue", 1, 40, 40)
    assert shop.encoder.images == embedded
    payload = shop.stored("red-0")
    said = payload[PREDICTED]["hue"]
    assert (said["nearest"], said["version"], said["by"]) == ("red", 1, "image")
    assert payload["product"] == before["product"]
    assert payload["hashes"] == before["hashes"]
    assert before["fields"].items() <= payload["fields"].items()
    known = {color: count for color, count in done["labels"].items() if color != "unknown"}
    ids, counts = shop.found({"predicted.hue": COLORS})
    assert counts == known
    assert all(id.partition("-")[0] in COLORS for id in ids)
    reds, _ = shop.found({"predicted.hue": "red", "predicted.hue.confidence": {"gt": 0.3}})
    assert reds
    assert all(id.startswith("red") for id in reds)


def test_what_was_labelled_is_not_labelled_again_but_by_another_version(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.label()
    first = printed(capsys)
    assert shop.label("--label-set", "hue") == 0
    again = printed(capsys)
    assert (again["changed"], again["generation"], again["labels"]) == (0, first["generation"], first["labels"])
    shop.write({"labels": [{"name": "warm", "texts": ["red"]}, {"name": "cold", "texts": ["blue"]}], "threshold": -1})
    assert shop.label() == 0
    assert printed(capsys)["changed"] == 40
    assert shop.stored("red-0")[PREDICTED]["hue"]["label"] == "warm"
    assert set(shop.found({})[1]) == {"warm", "cold"}
    # A set that was deleted takes its labels with it.
    shop.store.documents.delete("label-sets", "hue")
    shop.write(SET, "other")
    assert shop.label() == 0
    payload = shop.stored("red-0")
    assert payload[PREDICTED].keys() == {"other"}
    assert not {name for name in payload["fields"] if name.startswith("predicted.hue")}


def test_a_job_that_died_is_gone_on_with(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(labelling, "_BATCH", 10)
    predict, calls = Tagger.predict, 0

    def dies(tagger: Any, products: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return predict(tagger, products)

    monkeypatch.setattr(Tagger, "predict", dies)
    with pytest.raises(KeyboardInterrupt):
        shop.label()
    assert PREDICTED not in shop.stored("red-0")  # what serves is what served
    with pytest.raises(ProductNotFound):  # which gives nothing up
        appeal(shop.store, tmp_path, [Appealed(id="nothing", action="allow")], "anna")
    assert shop.label() == 0
    done = printed(capsys)
    assert (done["changed"], done["products"]) == (20, 40)
    assert shop.found({})[1]


def test_an_ingest_labels_what_is_new_and_leaves_the_rest(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write()
    report = shop.ingest(label_set="hue")
    assert (report.indexed, report.labelled) == (40, 40)
    again = shop.ingest(label_set="hue")
    assert (again.unchanged, again.labelled, again.generation) == (40, 0, report.generation)
    shop.rows[0]["price"] = 5.0  # its payload is written
    (tmp_path / "1.png").write_bytes(color_png("blue", 77))  # its image is another
    before = shop.stored("red-0")[PREDICTED]
    report = shop.ingest()  # an index that has labels keeps up with them
    assert (report.indexed, report.updated, report.unchanged, report.labelled) == (1, 1, 38, 1)
    assert shop.stored("red-0")[PREDICTED] == before
    assert "predicted.hue.confidence" in shop.stored("red-0")["fields"]
    assert shop.stored("green-1")[PREDICTED]["hue"]["nearest"] == "blue"
    shop.write()
    assert shop.ingest().labelled == 40  # another version
    with pytest.raises(DocumentNotFound):
        shop.ingest(label_set="nothing")


def test_another_model_labels_anew(shop: Shop) -> None:
    shop.label()

    class Other(CountingColors):
        spec = ColorEncoder.spec.model_copy(update={"fingerprint": "1" * 64})

    shop.encoder = Other()
    assert shop.ingest().labelled == 40


def test_swapped_categories_are_found_first(shop: Shop, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    swapped = {"red-0": "green", "green-1": "red", "blue-2": "yellow"}
    for row in shop.rows:
        row["category"] = swapped.get(row["id"], row["category"]).upper()  # labels are told in any case
    shop.ingest()
    page = tmp_path / "page.html"
    assert shop.label("--report", str(page)) == 0
    done = printed(capsys)["disagreements"]
    assert (done["field"], done["compared"]) == ("category", 40)
    first = done["products"][:3]
    assert {one["id"]: one["given"] for one in first} == swapped
    assert all(one["looks_like"] == one["id"].partition("-")[0] and one["surer"] > 0 for one in first)
    html = page.read_text(encoding="utf-8")
    assert html.count("data:image/") >= 3
    assert "http" not in html.replace("http-equiv", "")
    assert json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["products"][:3] == first


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["--label-set", "nothing"], DocumentNotFound, "nothing"),
        (["--field", "colour"], ConfigurationError, "there is no text field 'colour'"),
        (["--report", "page.pdf"], SystemExit, "name an .html file"),
    ],
)
def test_what_cannot_be_done_is_told(
    shop: Shop, arguments: list[str], error: type[BaseException], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shop.store.version()
    with pytest.raises(error) as raised:
        shop.label(*arguments)
    assert said in str(raised.value) + capsys.readouterr().err
    assert shop.store.version() == before


def test_a_field_of_the_catalog_is_never_written_over(shop: Shop) -> None:
    for row in shop.rows:
        row["predicted"] = {"hue": "mine", "hue.confidence": 1.0}
    shop.ingest()
    with pytest.raises(ConfigurationError, match="of its own"):
        shop.label()
    assert shop.stored("red-0")["fields"]["predicted.hue"] == "mine"
