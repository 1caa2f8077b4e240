from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np

from catalog import product_from_row
from demo.drawn import drawn_products, write_drawn_catalog
from images import ImageLimits, decode_image, locate_image, read_image


def test_every_row_is_a_product() -> None:
    rows = [row for row, _ in drawn_products()]
    products = [product_from_row(row) for row in rows]
    assert len({parsed.product.id for parsed in products}) == len(rows) == 48
    assert all(
        errors == () and product.to_row() == row for row, (product, errors, *_) in zip(rows, products, strict=True)
    )
    assert set(Counter(row["group_id"] for row in rows).values()) == {4}
    assert {row["in_stock"] for row in rows} == {True, False}


def test_no_two_images_are_alike_and_drawing_again_makes_the_same() -> None:
    drawn = [np.asarray(image).astype(int) for _, image in drawn_products()]
    assert all(np.abs(a - b).mean() > 1 for a, b in combinations(drawn, 2))
    assert all((a == np.asarray(b)).all() for a, (_, b) in zip(drawn, drawn_products(), strict=True))


def test_written_it_is_a_catalog_with_its_images(tmp_path: Path) -> None:
    catalog = write_drawn_catalog(tmp_path / "new" / "folder")
    rows = [json.loads(line) for line in catalog.read_text().splitlines()]
    assert rows == [row for row, _ in drawn_products()]
    for row, (_, image) in zip(rows, drawn_products(), strict=True):
        limits = ImageLimits()
        read = decode_image(read_image(locate_image(catalog.parent, row["image"]), limits), limits)
        assert (np.asarray(read) == np.asarray(image)).all()
    assert write_drawn_catalog(catalog.parent) == catalog
