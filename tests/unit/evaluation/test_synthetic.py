from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from catalog import product_from_row
from evaluation.benchmarks.incremental import change
from evaluation.benchmarks.scale import sizes
from evaluation.benchmarks.synthetic import write_catalog


def _rows(catalog: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in catalog.read_text(encoding="utf-8").splitlines()]


def test_rows_are_products_and_no_two_images_are_the_same(tmp_path: Path) -> None:
    catalog = write_catalog(tmp_path, 30, edge=40)
    products = [product_from_row(row).product for row in _rows(catalog)]
    assert len({product.id for product in products}) == 30
    images = [tmp_path / product.images[0] for product in products]
    assert len({path.read_bytes() for path in images}) == 30
    with Image.open(images[0]) as image:
        assert image.size == (40, 40)


def test_they_are_always_the_same_with_or_without_words_and_images(tmp_path: Path) -> None:
    again = [write_catalog(tmp_path / name, 5, edge=16).read_bytes() for name in "ab"]
    assert again[0] == again[1]
    assert all(set(row) == {"id", "image"} for row in _rows(write_catalog(tmp_path / "c", 5, edge=16, words=False)))
    assert not any("image" in row for row in _rows(write_catalog(tmp_path / "d", 5)))


def test_a_night_changes_prices_and_photos_and_brings_and_takes_rows(tmp_path: Path) -> None:
    catalog = write_catalog(tmp_path, 1_000, edge=8)
    before = {row["id"]: row for row in _rows(catalog)}
    photos = {path: path.read_bytes() for path in tmp_path.rglob("*.jpg")}
    change(catalog, 1_000, 8)
    after = {row["id"]: row for row in _rows(catalog)}
    assert (len(before.keys() - after.keys()), len(after.keys() - before.keys())) == (1, 2)
    assert sum(before[id] != after[id] for id in before.keys() & after.keys()) == 20
    assert sum(path.read_bytes() != content for path, content in photos.items()) == 1


def test_sizes_are_those_on_disk_by_part(tmp_path: Path) -> None:
    segment = tmp_path / "products" / "generation" / "segments" / "a"
    for folder, size in {"vectors": 100_000, "payload": 10_000}.items():
        (segment / folder).mkdir(parents=True)
        (segment / folder / "data").write_bytes(bytes([1]) * size)
    with (segment / "vectors" / "sparse").open("wb") as file:
        file.truncate(10**9)
    found = sizes(tmp_path)
    assert list(found) == ["vectors", "payload"]
    assert 100_000 <= found["vectors"] < 1_000_000
