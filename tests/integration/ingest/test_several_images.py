"""Several images a product, parts of images, and one image of several products."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from index import IndexSettings, open_store
from schemas import SearchRequest, SearchResponse
from search import Searcher
from tests.integration.ingest.jobs import draw, generation, indexed, ingest, write_rows
from tests.support.encoders import HashEncoder
from tests.support.images import encode


def _search(data_dir: Path, photo: Image.Image) -> SearchResponse:
    with closing(open_store(IndexSettings(data_dir=data_dir, qdrant_url=None)).open()) as index:
        return Searcher(index, HashEncoder()).search(SearchRequest(), encode(photo, "PNG")).response


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for color in ("red", "green", "blue", "yellow"):
        draw(tmp_path / f"{color}.png", color)
    corner = Image.new("RGB", (40, 40), "red")
    corner.paste("cyan", (20, 20, 40, 40))
    corner.save(tmp_path / "corner.png")
    rows: list[dict[str, Any]] = [
        {"id": "one", "title": "One", "image": "red.png"},
        {"id": "three", "title": "Three", "images": ["gone.png", "green.png", "blue.png"]},
        {"id": "corner", "title": "A cyan corner", "image": "corner.png"},
        *({"id": f"filler {n}", "title": "Filler", "image": "yellow.png"} for n in range(5)),
    ]
    return write_rows(tmp_path / "c.jsonl", rows)


def test_any_image_finds_its_product_and_the_hit_says_which(shop: Path, tmp_path: Path) -> None:
    ingest(shop, tmp_path / "data")
    for color, product, place in (("red", "one", 0), ("green", "three", 1), ("blue", "three", 2)):
        best = _search(tmp_path / "data", Image.new("RGB", (9, 9), color)).hits[0]
        # The place is among the product's images as the catalog has them, the unusable one counted.
        assert (best.id, best.picture) == (product, place)


def test_crops_find_what_fills_a_corner_and_belong_to_their_image(shop: Path, tmp_path: Path) -> None:
    cyan = Image.new("RGB", (9, 9), "cyan")
    ingest(shop, tmp_path / "data")
    assert _search(tmp_path / "data", cyan).hits[0].id != "corner"
    report = ingest(shop, tmp_path / "data", crops=True)
    assert (report.indexed, report.embedded_images) == (8, 5)  # another generation: whole images lack the parts
    best = _search(tmp_path / "data", cyan).hits[0]
    assert (best.id, best.picture) == ("corner", 0)
    after = indexed(tmp_path / "data")
    assert after["three"].vectors["image"].shape == (2 * 6, 32)
    parts = ((0, 0, 40, 40), (10, 10, 30, 30), (0, 0, 20, 20), (20, 0, 40, 20), (0, 20, 20, 40))
    with Image.open(tmp_path / "corner.png") as image:
        expected = HashEncoder().encode_images([*(image.crop(box) for box in parts), image.crop((20, 20, 40, 40))])
    assert np.allclose(after["corner"].vectors["image"], expected, atol=1e-5)
    served = generation(tmp_path / "data")
    assert ingest(shop, tmp_path / "data").unchanged == 8  # an index keeps its crops, as it keeps its model
    assert generation(tmp_path / "data") == served


def test_a_byte_identical_image_is_embedded_once_in_all_runs(shop: Path, tmp_path: Path) -> None:
    assert ingest(shop, tmp_path / "data").embedded_images == 5
    draw(tmp_path / "more" / "copy of red.png", "red")
    draw(tmp_path / "more" / "new.png", "black")
    rows = [{"id": f"copy {n}", "title": "Copy", "image": "copy of red.png"} for n in range(200)]
    rows += [{"id": f"new {n}", "title": "New", "image": "new.png"} for n in range(200)]
    report = ingest(write_rows(tmp_path / "more" / "c.jsonl", rows), tmp_path / "data")
    assert (report.indexed, report.embedded_images) == (400, 1)
    after = indexed(tmp_path / "data", "one", "copy 7", "copy 199", "new 0", "new 199")
    assert np.allclose(after["copy 199"].vectors["image"], after["one"].vectors["image"], atol=1e-6)
    assert np.allclose(after["new 199"].vectors["image"], after["new 0"].vectors["image"], atol=1e-6)


def test_same_images_are_listed_and_variants_of_a_group_are_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / f"{name}.png")
    rows = [
        {"id": "1", "title": "One", "image": "a.png", "group_id": "g"},
        {"id": "2", "title": "Its variant", "image": "a.png", "group_id": "g"},
        {"id": "3", "title": "Another", "image": "b.png"},
        {"id": "4", "title": "With the other's image", "image": "b.png"},
    ]
    report = ingest(write_rows(tmp_path / "c.jsonl", rows), tmp_path / "data")
    assert report.same_pictures == {"identical": 1}
    assert report.same_file
    assert '"product":"3"' in (found := Path(report.same_file).read_text())
    assert '"product":"4"' in found
    assert ingest(tmp_path / "c.jsonl", tmp_path / "data").same_pictures == {}
