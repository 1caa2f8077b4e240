"""Images that are gone one night: more than a fifth of them stay in the index, and the run fails as pruning does."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest

from index import DENSE, Stored, all_points
from index.edge.store import EmbeddedStore
from index.protocols import IndexStore
from schemas import CatalogError, IngestReport
from tests.integration.index.conftest import engine, store
from tests.integration.ingest.jobs import draw, ingest, write_rows
from tests.support.encoders import HashEncoder, Unloadable
from tests.support.image_server import image_server

__all__ = ["engine", "store"]  # the fixtures

COUNT = 15
REFUSED = "cannot be read, or are not named by their rows, any more: more than a fifth.*--force"


class Shop:
    """Every product has two images in ``photos``, which have lain there since yesterday."""

    def __init__(self, folder: Path, store: IndexStore) -> None:
        self.folder = folder
        self.photos = folder / "photos"
        self.store = store
        self.rows: list[dict[str, Any]] = []
        for number in range(COUNT):
            for side in "ab":
                self.photograph(number, side, f"#{number * 9000 + 50 * ord(side):06x}")
            images = {"image": f"photos/{number}a.png", "images": [f"photos/{number}b.png"]}
            self.rows.append({"id": str(number), "title": f"Mug {number}", "price": 5, **images})

    def photograph(self, number: int, side: str, color: str) -> None:
        os.utime(draw(self.photos / f"{number}{side}.png", color), (10**9, 10**9))

    def night(self, **options: Any) -> IngestReport:
        return ingest(write_rows(self.folder / "c.jsonl", self.rows), self.folder / "data", **options)

    def held(self) -> dict[str, Stored]:
        with closing(self.store.open()) as index:
            stored = index.fetch(list(all_points(index)), vectors=DENSE)
        return {one.payload["id"]: one for one in stored.values()}


@pytest.fixture
def shop(tmp_path: Path, store: IndexStore, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr("ingest.job.open_store", lambda _: store)
    shop = Shop(tmp_path, store)
    assert shop.night().embedded_images == 2 * COUNT
    return shop


def _same_images(after: dict[str, Stored], before: dict[str, Stored]) -> bool:
    return after.keys() == before.keys() and all(
        np.allclose(after[id].vectors["image"], before[id].vectors["image"], atol=1e-6) for id in before
    )


def _not_mounted(shop: Shop) -> None:
    shop.photos.rename(shop.folder / "elsewhere")
    shop.photos.mkdir()


def _mounted(shop: Shop) -> None:
    shop.photos.rmdir()
    (shop.folder / "elsewhere").rename(shop.photos)


def test_a_folder_that_is_not_mounted_one_night_costs_nothing(shop: Shop) -> None:
    before, served = shop.held(), shop.store.version()
    _not_mounted(shop)
    shop.rows[3]["title"] = "Renamed"
    shop.rows[4]["price"] = 6
    for options in ({"dry_run": True}, {}, {"prune": True, "strict": True}):
        with pytest.raises(CatalogError, match=f"30 of 30 images.*{REFUSED}"):
            shop.night(**options)
    assert shop.store.version() == served
    assert shop.held()["3"].payload == before["3"].payload
    _mounted(shop)
    report = shop.night()
    assert (report.indexed, report.updated, report.unchanged, report.embedded_images) == (1, 1, COUNT - 2, 0)
    assert (report.lost_images, report.degraded) == (0, 0)
    assert _same_images(shop.held(), before)


def test_what_changed_besides_is_not_lost_either(shop: Shop) -> None:
    """Other products are written before it is known that images are gone, and the next run goes on from there."""
    before = shop.held()
    (shop.folder / "new").mkdir()
    draw(shop.folder / "new" / "n.png", "white")
    shop.rows.append({"id": "new", "title": "New", "image": "new/n.png"})
    _not_mounted(shop)
    with pytest.raises(CatalogError, match=REFUSED):
        shop.night()
    _mounted(shop)
    assert shop.night(encoder=Unloadable()).embedded_images == 0
    after = shop.held()
    assert "image" in after.pop("new").vectors
    assert _same_images(after, before)


def test_with_force_they_go(shop: Shop) -> None:
    _not_mounted(shop)
    report = shop.night(force=True, encoder=Unloadable())
    assert (report.indexed, report.degraded, report.lost_images) == (COUNT, COUNT, 2 * COUNT)
    assert not any("image" in stored.vectors for stored in shop.held().values())
    _mounted(shop)
    assert shop.night().embedded_images == 2 * COUNT


def test_a_few_that_are_gone_are_gone_and_said_to_be(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    before = shop.held()
    for name in ("0a", "0b", "1a", "2b", "3a", "4b"):
        (shop.photos / f"{name}.png").unlink()
    report = shop.night(encoder=Unloadable())
    assert (report.indexed, report.degraded, report.lost_images, report.unchanged) == (5, 5, 6, COUNT - 5)
    assert "6 images that the index had are gone" in caplog.text
    after = shop.held()
    assert "image" not in after["0"].vectors
    assert np.allclose(after["1"].vectors["image"], before["1"].vectors["image"][1:], atol=1e-6)
    assert np.allclose(after["9"].vectors["image"], before["9"].vectors["image"], atol=1e-6)
    (shop.photos / "5a.png").unlink()  # of what is left a small part, though seven in all
    assert shop.night().lost_images == 1


def test_one_image_of_every_product_is_more_than_a_fifth_of_them(shop: Shop) -> None:
    before = shop.held()
    for number in range(COUNT):
        (shop.photos / f"{number}b.png").rename(shop.photos / f"{number}b.away")
    with pytest.raises(CatalogError, match=f"15 of 30 images.*{REFUSED}"):
        shop.night()
    for number in range(COUNT):
        (shop.photos / f"{number}b.away").rename(shop.photos / f"{number}b.png")
    assert shop.night(encoder=Unloadable()).unchanged == COUNT
    assert _same_images(shop.held(), before)


def test_crops_are_kept_with_their_images(shop: Shop) -> None:
    shop.night(crops=True)
    before = shop.held()
    assert before["1"].vectors["image"].shape == (2 * 6, 32)
    _not_mounted(shop)
    with pytest.raises(CatalogError, match=f"30 of 30 images.*{REFUSED}"):
        shop.night()
    _mounted(shop)
    assert shop.night(encoder=Unloadable()).unchanged == COUNT
    assert _same_images(shop.held(), before)


def test_another_model_is_not_made_of_a_catalog_without_its_images(shop: Shop) -> None:
    class Otherwise(HashEncoder):
        spec = HashEncoder.spec.model_copy(update={"fingerprint": "other weights"})

    served = shop.store.version()
    _not_mounted(shop)
    for options in ({"crops": True}, {"encoder": Otherwise()}):
        with pytest.raises(CatalogError, match=f"30 of 30 images.*{REFUSED}"):
            shop.night(**options)
    assert shop.store.version() == served
    _mounted(shop)
    assert shop.night(encoder=Otherwise()).embedded_images == 2 * COUNT


def test_products_of_images_alone_are_counted_and_listed_too(shop: Shop) -> None:
    for row in shop.rows:
        del row["title"]
    shop.night()
    before = shop.held()
    _not_mounted(shop)
    with pytest.raises(CatalogError, match=REFUSED):
        shop.night(report=shop.folder / "run.html")
    page = (shop.folder / "run.html").read_text()
    assert "more than a fifth" in page
    assert "picture-not-found" in page
    last = max((shop.folder / "data" / "products").glob("rejects-*.jsonl"))
    assert last.read_text().count('"degraded": false') == COUNT
    _mounted(shop)
    assert shop.night(encoder=Unloadable()).unchanged == COUNT
    assert _same_images(shop.held(), before)


def _truncated(shop: Shop) -> None:
    for path in shop.photos.iterdir():
        path.write_bytes(b"")


def _replaced_by_pages(shop: Shop) -> None:
    for path in shop.photos.iterdir():
        path.write_bytes(b"<html>sign in</html>")


def _cut_short(shop: Shop) -> None:
    for path in shop.photos.iterdir():
        path.write_bytes(path.read_bytes()[:50])


def _moved_in_the_catalog(shop: Shop) -> None:
    for row in shop.rows:
        row["image"] = f"new/{row['image']}"
        row["images"] = ["https://127.0.0.1:9/a.png"]


def _without_columns(shop: Shop) -> None:
    for row in shop.rows:
        del row["image"], row["images"]


def _no_paths_any_more(shop: Shop) -> None:
    for row in shop.rows:
        row["image"], row["images"] = 7, [None, {"url": "x"}]


def test_in_whatever_way_they_vanish(tmp_path: Path) -> None:
    shop = _embedded(tmp_path)
    before, rows = shop.held(), json.dumps(shop.rows)
    shutil.copytree(shop.photos, tmp_path / "backup")
    ways = [_truncated, _replaced_by_pages, _cut_short, _moved_in_the_catalog, _without_columns, _no_paths_any_more]
    for harm in ways:
        harm(shop)
        with pytest.raises(CatalogError, match=f"30 of 30 images.*{REFUSED}"):
            shop.night()
        shutil.rmtree(shop.photos)
        shutil.copytree(tmp_path / "backup", shop.photos)
        shop.rows = json.loads(rows)
    assert shop.night(encoder=Unloadable()).unchanged == COUNT
    assert _same_images(shop.held(), before)


def _embedded(folder: Path) -> Shop:
    shop = Shop(folder, EmbeddedStore(folder / "data", "products"))
    assert shop.night().embedded_images == 2 * COUNT
    return shop


def test_a_few_that_rows_do_not_name_any_more_were_taken_out_by_somebody(tmp_path: Path) -> None:
    shop = _embedded(tmp_path)
    for row in shop.rows[:8]:
        del row["images"]
    report = shop.night(encoder=Unloadable())
    assert (report.indexed, report.lost_images, report.degraded) == (8, 8, 0)
    assert [len(shop.held()[id].vectors["image"]) for id in ("0", "9")] == [1, 2]
    for row in shop.rows[:12]:
        row.pop("images", None)
        del row["image"]
    with pytest.raises(CatalogError, match=f"16 of 22 images.*{REFUSED}"):
        shop.night()


def test_photos_that_others_take_the_place_of_are_not_lost(tmp_path: Path) -> None:
    shop = _embedded(tmp_path)
    for number in range(COUNT):
        shop.photograph(number, "a", f"#{number * 5000 + 77:06x}")
        shop.rows[number]["images"] = [f"photos/{number}b.png", f"photos/{number}a.png"]
        shop.rows[number]["image"] = f"photos/{number}c.png"
        shop.photograph(number, "c", f"#{number * 3000 + 99:06x}")
    report = shop.night()
    assert (report.indexed, report.lost_images, report.embedded_images) == (COUNT, 0, 2 * COUNT)


def test_an_archive_that_was_packed_without_its_images(tmp_path: Path) -> None:
    shop = _embedded(tmp_path / "shop")
    archive, data = tmp_path / "shop.zip", tmp_path / "data"

    def pack(*photos: Path) -> None:
        with ZipFile(archive, "w") as packed:
            packed.write(shop.folder / "c.jsonl", "c.jsonl")
            for path in photos:
                packed.write(path, f"photos/{path.name}")

    pack(*shop.photos.iterdir())
    assert ingest(archive, data).embedded_images == 2 * COUNT
    pack()
    with pytest.raises(CatalogError, match=REFUSED):
        ingest(archive, data)
    pack(*shop.photos.iterdir())
    assert ingest(archive, data, encoder=Unloadable()).unchanged == COUNT


def test_a_server_that_has_none_of_them_one_night_or_is_gone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    options: dict[str, Any] = {"picture_private_addresses": True, "picture_max_age": 0.0}
    bodies = [draw(tmp_path / f"{number}.png", f"#{number * 9000:06x}").read_bytes() for number in range(COUNT)]
    with image_server() as server:
        urls = [server.gives(f"/{number}.png", body) for number, body in enumerate(bodies)]
        rows = [{"id": str(at), "title": f"Mug {at}", "image": url} for at, url in enumerate(urls)]
        catalog = write_rows(tmp_path / "c.jsonl", rows)
        assert ingest(catalog, data, **options).embedded_images == COUNT
        server.answers.clear()  # 404
        with pytest.raises(CatalogError, match=f"15 of 15 images.*{REFUSED}"):
            ingest(catalog, data, **options)
        for number, body in enumerate(bodies):
            server.gives(f"/{number}.png", body)
        assert ingest(catalog, data, encoder=Unloadable(), **options).unchanged == COUNT
    assert ingest(catalog, data, encoder=Unloadable(), **options).unchanged == COUNT  # what is kept is what it is
    shutil.rmtree(data / "pictures")
    with pytest.raises(CatalogError, match=f"15 of 15 images.*{REFUSED}"):
        ingest(catalog, data, **options)


def test_rows_that_were_kept_back_can_be_tried_again_alone(tmp_path: Path) -> None:
    shop = _embedded(tmp_path)
    before = shop.held()
    _not_mounted(shop)
    with pytest.raises(CatalogError, match=REFUSED):
        shop.night()
    last = max((tmp_path / "data" / "products").glob("rejects-*.jsonl"))
    with pytest.raises(CatalogError, match=REFUSED):
        ingest(None, tmp_path / "data", rejects=last)
    _mounted(shop)
    report = ingest(None, tmp_path / "data", rejects=last, encoder=Unloadable())
    assert (report.read, report.unchanged) == (COUNT, COUNT)
    assert _same_images(shop.held(), before)
