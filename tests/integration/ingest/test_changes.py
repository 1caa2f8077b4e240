"""What is done for a product depends on what of it changed since the index last saw it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from catalog import STANDARD_FIELDS, point_id
from index import Point, Stored, open_store
from ingest.settings import IngestSettings
from schemas import CatalogError, Change, EmbeddingSpec, IngestReport
from tests.integration.ingest.jobs import draw, generation, indexed, ingest, rejects, write_rows
from tests.support.encoders import HashEncoder, Unloadable
from tests.support.images import encode, on_transparent, photo

Rows = list[dict[str, Any]]


class Shop:
    """A small catalog in a folder, ingested after each change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        for name in ("red", "green", "blue"):
            draw(folder / f"{name}.png", name)
        self.rows: Rows = [
            {"id": "a", "title": "Red shoe", "image": "red.png", "price": 10, "size": 40},
            {"id": "b", "title": "Two views", "images": ["green.png", "blue.png"], "price": 20, "size": 41},
            {"id": "c", "title": "Only words", "price": 30, "size": 42},
        ]

    def ingest(self, **options: Any) -> IngestReport:
        return ingest(write_rows(self.folder / "catalog.jsonl", self.rows), self.data, **options)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    report = shop.ingest()
    assert (report.indexed, report.embedded_images) == (3, 3)
    return shop


def test_an_unchanged_catalog_makes_no_generation_and_loads_no_encoder(shop: Shop) -> None:
    served = generation(shop.data)
    report = shop.ingest(encoder=Unloadable())
    assert (report.unchanged, report.embedded_images, report.embedded_texts) == (3, 0, 0)
    assert report.generation == served == generation(shop.data)
    assert "commit" not in report.stages


def test_a_new_price_writes_a_payload_and_embeds_nothing(shop: Shop) -> None:
    before = indexed(shop.data, "a")["a"]
    shop.rows[0]["price"] = 9
    report = shop.ingest(encoder=Unloadable())
    assert (report.updated, report.unchanged, report.embedded_images, report.embedded_texts) == (1, 2, 0, 0)
    after = indexed(shop.data, "a")["a"]
    assert after.payload["fields"]["price"] == 9
    _same_vectors(after.vectors, before.vectors)


def test_new_words_embed_words_alone(shop: Shop) -> None:
    before = indexed(shop.data, "b")["b"]
    shop.rows[1]["title"] = "Two images"
    report = shop.ingest()
    assert (report.indexed, report.unchanged, report.embedded_images) == (1, 2, 0)
    assert report.embedded_texts > 0
    after = indexed(shop.data, "b")["b"]
    assert np.allclose(after.vectors["image"], before.vectors["image"], atol=1e-6)
    assert not np.allclose(after.vectors["title"], before.vectors["title"])


def test_a_new_image_embeds_that_image_alone(shop: Shop) -> None:
    before = indexed(shop.data, "b")["b"]
    draw(shop.folder / "blue.png", "yellow")
    report = shop.ingest()
    assert (report.indexed, report.unchanged, report.embedded_images, report.embedded_texts) == (1, 2, 1, 0)
    after = indexed(shop.data, "b")["b"]
    assert np.allclose(after.vectors["image"][0], before.vectors["image"][0], atol=1e-6)
    assert not np.allclose(after.vectors["image"][1], before.vectors["image"][1])
    _same_vectors({"title": after.vectors["title"]}, {"title": before.vectors["title"]})


def test_images_in_another_order_or_place_are_not_embedded_again(shop: Shop) -> None:
    before = indexed(shop.data, "b")["b"]
    (shop.folder / "new").mkdir()
    (shop.folder / "green.png").rename(shop.folder / "new" / "green.png")
    shop.rows[1]["images"] = ["blue.png", "new/green.png"]
    report = shop.ingest(encoder=Unloadable())
    assert (report.indexed, report.embedded_images, report.embedded_texts) == (1, 0, 0)
    after = indexed(shop.data, "b")["b"]
    assert np.allclose(after.vectors["image"], before.vectors["image"][::-1], atol=1e-6)


def test_a_image_that_left_its_product_leaves_the_index(shop: Shop) -> None:
    del shop.rows[0]["image"]
    shop.rows[1]["images"] = ["blue.png"]
    report = shop.ingest(encoder=Unloadable(), force=True)
    assert (report.indexed, report.embedded_images) == (2, 0)
    after = indexed(shop.data, "a", "b")
    assert "image" not in after["a"].vectors
    assert len(after["b"].vectors["image"]) == 1


def test_words_that_went_leave_the_index(shop: Shop) -> None:
    del shop.rows[0]["title"]
    shop.ingest()
    assert set(indexed(shop.data, "a")["a"].vectors) == {"image"}


def _sizes(shop: Shop) -> dict[str, Any]:
    return {id: stored.payload["fields"].get("size") for id, stored in indexed(shop.data).items()}


def test_one_odd_value_is_lost_and_not_the_field(shop: Shop) -> None:
    before = _sizes(shop)
    shop.rows[0]["size"] = "one size"
    report = shop.ingest()
    assert (report.indexed, report.updated, report.unchanged, report.degraded) == (1, 0, 2, 1)
    assert [(r.id, r.code, r.field, r.degraded) for r in rejects(report)] == [("a", "value-unusable", "size", True)]
    assert not report.kind_changes
    assert _sizes(shop) == before | {"a": None}
    assert indexed(shop.data, "a")["a"].payload["product"]["size"] == "one size"
    again = shop.ingest(prune=True)
    assert (again.unchanged, again.degraded, again.kind_changes) == (3, 1, {})


def test_a_field_changes_its_kind_where_most_of_the_catalog_says_so_and_narrows_again(shop: Shop) -> None:
    before = _sizes(shop)
    for row in shop.rows[:2]:
        row["size"] = "one size"
    change = {"size": Change(before="integer", after="keyword")}
    assert shop.ingest(dry_run=True).kind_changes == change
    assert _sizes(shop) == before
    report = shop.ingest()
    assert (report.kind_changes, report.degraded) == (change, 0)
    assert _sizes(shop) == {"a": "one size", "b": "one size", "c": "42"}
    assert (shop.ingest().unchanged, shop.ingest(prune=True).kind_changes) == (3, {})
    for row, size in zip(shop.rows, (40, 41.5, "42.0"), strict=True):
        row["size"] = size
    back = shop.ingest()
    assert back.kind_changes == {"size": Change(before="keyword", after="float")}
    assert _sizes(shop) == {"a": 40, "b": 41.5, "c": 42}
    shop.rows[1]["size"] = 41.0
    assert shop.ingest().kind_changes == {"size": Change(before="float", after="integer")}
    assert {id: type(size) for id, size in _sizes(shop).items()} == {"a": int, "b": int, "c": int}


def test_products_that_a_catalog_does_not_have_say_what_a_field_is_as_well(shop: Shop) -> None:
    everything = list(shop.rows)
    shop.rows[:] = [everything[0] | {"size": "one size"}]
    report = shop.ingest()
    assert (report.kind_changes, report.degraded) == ({}, 1)
    dry = shop.ingest(prune=True, force=True, dry_run=True)
    assert list(dry.kind_changes) == ["size"]  # the others would go


def test_a_kind_that_changes_costs_no_value(shop: Shop) -> None:
    """What a field of numbers had to leave out of its values is there again once it is text."""
    shop.rows[0]["size"] = "one size"
    shop.ingest()
    shop.rows[1]["size"] = "XL"
    report = shop.ingest()
    assert (report.indexed, report.unchanged, report.degraded) == (1, 2, 0)
    assert _sizes(shop) == {"a": "one size", "b": "XL", "c": "42"}


def test_columns_beyond_what_an_index_takes_are_kept_and_said_to_be_no_fields(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.columns.kinds.MAX_FIELDS", most := 40)  # making indexes of 300 takes ten seconds
    rows: Rows = [
        {"id": str(i), "title": "Bolt", "thread": "M4", "specs": {f"k{5 * i + j}": j for j in range(5)}}
        for i in range(20)
    ]
    catalog = write_rows(tmp_path / "c.jsonl", rows)
    for dry_run in (True, False):
        report = ingest(catalog, tmp_path / "data", dry_run=dry_run)
        assert report.fields_left_out == 100 + 1 + len(STANDARD_FIELDS) - most
        assert "cannot be filtered by: specs.k" in caplog.text
    after = indexed(tmp_path / "data")
    fields = {name for stored in after.values() for name in stored.payload["fields"]}
    assert len(fields) < most
    assert all(stored.payload["fields"]["thread"] == "M4" for stored in after.values())
    assert all(len(stored.payload["product"]["specs"]) == 5 for stored in after.values())
    assert ingest(catalog, tmp_path / "data").unchanged == 20


def test_a_byte_identical_image_is_embedded_once_a_batch(tmp_path: Path) -> None:
    draw(tmp_path / "one.png")
    draw(tmp_path / "two.png")
    rows: Rows = [{"id": str(i), "image": ("one.png", "two.png")[i % 2]} for i in range(10)]
    report = ingest(write_rows(tmp_path / "c.jsonl", rows), tmp_path / "data")
    assert (report.indexed, report.embedded_images) == (10, 1)


# What left the catalog


def test_products_that_left_stay_without_prune_and_go_with_it(shop: Shop) -> None:
    del shop.rows[1]
    assert shop.ingest().deleted == 0
    assert set(indexed(shop.data)) == {"a", "b", "c"}
    assert shop.ingest(prune=True, force=True).deleted == 1
    assert set(indexed(shop.data)) == {"a", "c"}


def test_a_rejected_row_with_a_readable_id_is_not_pruned(shop: Shop) -> None:
    shop.rows[0] = {"id": "a", "title": {"en": "A"}}
    (shop.folder / "green.png").unlink()
    (shop.folder / "blue.png").unlink()
    del shop.rows[1]["title"]
    report = shop.ingest(prune=True, force=True)
    assert (report.rejected, report.deleted) == (2, 0)
    assert set(indexed(shop.data)) == {"a", "b", "c"}


@pytest.mark.parametrize("content", ["", "broken\n", '{"id": "a"}\n'])
def test_pruning_is_refused_where_no_product_was_read(shop: Shop, content: str) -> None:
    served = generation(shop.data)
    (shop.folder / "other.jsonl").write_text(content)
    with pytest.raises(CatalogError):
        ingest(shop.folder / "other.jsonl", shop.data, prune=True)
    assert generation(shop.data) == served


# Another model


def _other(fingerprint: str = "other") -> HashEncoder:
    encoder = HashEncoder()
    encoder.spec = HashEncoder.spec.model_copy(update={"model": "other", "fingerprint": fingerprint})
    return encoder


def test_another_model_makes_a_new_index_and_counts_what_it_leaves_behind(shop: Shop) -> None:
    del shop.rows[2]
    report = shop.ingest(encoder=_other(), model="other")
    assert (report.indexed, report.unchanged, report.left_behind, report.model) == (2, 0, 1, "other")
    assert set(indexed(shop.data)) == {"a", "b"}


def test_another_model_that_finds_nothing_to_index_replaces_nothing(shop: Shop) -> None:
    served = generation(shop.data)
    shop.rows[:] = [{"id": "x", "image": "gone.png"}]
    report = shop.ingest(encoder=_other(), model="other")
    assert (report.rejected, report.generation) == (1, served)
    assert set(indexed(shop.data)) == {"a", "b", "c"}


def test_without_a_named_model_the_index_keeps_its_own(shop: Shop) -> None:
    from ingest.job import run

    asked: list[str] = []

    def spec_of(model: str) -> EmbeddingSpec:
        asked.append(model)
        return HashEncoder.spec

    new = IngestSettings(catalog=str(shop.folder / "catalog.jsonl"), data_dir=shop.folder / "new", qdrant_url=None)
    for settings in (new, new.model_copy(update={"data_dir": shop.data})):
        run(settings, spec_of=spec_of, encoder_of=lambda _: HashEncoder())
    assert asked == ["clip-ViT-B-32", "hash"]


def _same_vectors(got: Any, expected: Any) -> None:
    assert set(got) == set(expected)
    for name in expected:
        assert np.allclose(got[name], expected[name], atol=1e-6)


def test_what_vanished_on_white_is_embedded_anew_and_every_other_image_is_left(shop: Shop) -> None:
    """Before grounds were chosen all was laid on white, and payloads do not say what an image was laid on."""
    shop.rows = []
    images = {
        "circle.png": encode(on_transparent("circle"), "PNG"),
        "dark.png": encode(on_transparent("circle", (0, 0, 90)), "PNG"),
        "opaque.png": photo(format="PNG"),
        "photo.jpg": photo(),
    }
    for name, data in images.items():
        (shop.folder / name).write_bytes(data)
        os.utime(shop.folder / name, (1, 1))
        shop.rows.append({"id": name, "title": "A product", "image": name})
    shop.rows.append({"id": "the same", "image": "circle.png"})
    shop.ingest(prune=True, force=True)
    fresh = indexed(shop.data)
    _make_older(shop, fresh)
    assert shop.ingest(dry_run=True).embedded_images == 1
    report = shop.ingest()
    assert (report.indexed, report.updated, report.unchanged) == (2, 2, 1)
    assert (report.embedded_images, report.embedded_texts) == (1, 0)
    for id, stored in indexed(shop.data).items():
        _same_vectors(stored.vectors, fresh[id].vectors)
        assert ("ground" in stored.payload["pictures"][0]) == (id != "photo.jpg")
    assert shop.ingest(encoder=Unloadable()).unchanged == 5


def _make_older(shop: Shop, products: dict[str, Stored]) -> None:
    """The index as an older version wrote it."""
    store = open_store(IngestSettings(catalog="x", data_dir=shop.data, qdrant_url=None))
    record = store.record()
    assert record is not None
    white = HashEncoder().encode_images([Image.new("RGB", (9, 9), "white")])
    with store.lock():
        build = store.begin(record)
        points = []
        for id, stored in products.items():
            (image,) = stored.payload["pictures"]
            vanished = image.pop("ground") == "black"
            vectors = stored.vectors | ({"image": white} if vanished else {})
            points.append(
                Point(
                    point_id(id), stored.payload, vectors, "A product" if "title" in stored.payload["product"] else ""
                )
            )
        build.upsert(points)
        build.commit()
