"""A catalog in every format ends in the same index."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from demo.drawn import write_drawn_catalog
from tests.integration.ingest.jobs import draw, indexed, ingest, rejects


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_catalog(tmp_path_factory.mktemp("drawn"))


def _rows(catalog: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in catalog.read_text().splitlines()]


def _spreadsheet(catalog: Path, path: Path) -> Path:
    """Semicolons, decimal commas, yes and no, Windows-1252, another's names, and gzip around it all."""
    names = {"title": "Bezeichnung", "price": "Preis", "image": "Image URL"}
    lines = [";".join(names.get(name, name) for name in _rows(catalog)[0])]
    for row in _rows(catalog):
        row["in_stock"] = "ja" if row["in_stock"] else "nein"
        row["price"] = f"{row['price']:.2f}".replace(".", ",")
        lines.append(";".join("|".join(v) if isinstance(v, list) else str(v) for v in row.values()))
    path.write_bytes(gzip.compress("\r\n".join(lines).encode("cp1252")))
    return path


def _parquet(catalog: Path, path: Path, *, inside: bool = False) -> Path:
    rows = [
        row | {"color": row["color"] if isinstance(row["color"], list) else [row["color"]]} for row in _rows(catalog)
    ]
    if inside:
        rows = [row | {"image": {"bytes": (catalog.parent / row["image"]).read_bytes()}} for row in rows]
    parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=10)
    return path


def _zip(catalog: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(catalog, "shop/catalog.jsonl")
        for image in {row["image"] for row in _rows(catalog)}:
            archive.write(catalog.parent / image, f"shop/{image}")
    return path


def test_every_format_makes_the_same_index(drawn: Path, tmp_path: Path) -> None:
    beside = drawn.parent  # images are beside the catalog
    catalogs = {
        "jsonl": drawn,
        "spreadsheet": _spreadsheet(drawn, beside / "s.csv.gz"),
        "parquet": _parquet(drawn, beside / "c.parquet"),
        "zip": _zip(drawn, tmp_path / "shop.zip"),
    }
    contents = {}
    for name, catalog in catalogs.items():
        report = ingest(catalog, tmp_path / name)
        assert (report.read, report.indexed, report.degraded) == (48, 48, 0)
        contents[name] = indexed(tmp_path / name)
    first = contents.pop("jsonl")
    assert len(first) == 48
    for name, other in contents.items():
        for id, stored in first.items():
            assert _content(other[id].payload, name) == _content(stored.payload, name)
            for vector, value in stored.vectors.items():
                assert other[id].vectors[vector] == pytest.approx(value, abs=1e-6)


def _content(payload: dict[str, Any], name: str) -> dict[str, Any]:
    """A payload less what is of the file: how its row was written, when it was; of an archive, where it is."""
    of_parts = ["words"] if name == "zip" else ["words", "payload"]
    content = {key: payload[key] for key in ("id", "product", "fields", *([] if name == "zip" else ["root"]))}
    content["hashes"] = {part: payload["hashes"][part] for part in of_parts}
    return content | {"pictures": [(image["at"], image["hash"]) for image in payload["pictures"]]}


def test_images_inside_a_table_are_those_beside_it(drawn: Path, tmp_path: Path) -> None:
    table = _parquet(drawn, tmp_path / "inside.parquet", inside=True)
    assert ingest(table, tmp_path / "data").degraded == 0
    ingest(drawn, tmp_path / "beside")
    beside, inside = indexed(tmp_path / "beside"), indexed(tmp_path / "data")
    for id, stored in inside.items():
        (image,) = stored.payload["pictures"]
        assert stored.payload["product"]["image"] == f"picture:{image['hash']}"
        assert image["hash"] == beside[id].payload["pictures"][0]["hash"]
        assert stored.vectors["image"] == pytest.approx(beside[id].vectors["image"], abs=1e-6)
    again = ingest(table, tmp_path / "data")
    assert (again.unchanged, again.embedded_images) == (48, 0)


def test_every_product_has_its_vectors_and_its_folder(drawn: Path, tmp_path: Path) -> None:
    ingest(drawn, tmp_path)
    for stored in indexed(tmp_path).values():
        assert {name: vector.shape for name, vector in stored.vectors.items()} == {
            "image": (1, 32),
            "title": (32,),
            "text": (32,),
        }
        assert Path(stored.payload["root"]) == drawn.parent


def test_a_folder_of_images(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    draw(photos / "shoes" / "red-shoe_02.png")
    draw(photos / "blue hat.png", "blue")
    (photos / "broken.jpg").write_text("no image")
    report = ingest(photos, tmp_path / "data")
    assert (report.read, report.indexed, report.degraded) == (3, 3, 1)
    products = {id: stored.payload["product"]["title"] for id, stored in indexed(tmp_path / "data").items()}
    assert products == {"shoes/red-shoe_02.png": "red shoe 02", "blue hat.png": "blue hat", "broken.jpg": "broken"}
    assert [(r.id, r.code, r.degraded) for r in rejects(report)] == [("broken.jpg", "not-a-picture", True)]


def test_one_number_is_one_number_in_every_format(tmp_path: Path) -> None:
    """A catalog that comes in another format every night is unchanged."""
    sizes, weights = [42.0, 43.0, 44.0], [1.5, 2.0, 2.25]
    table = pa.table({"id": [7, 8, 9], "title": ["seven", "eight", "nine"], "size": sizes, "weight": weights})
    parquet.write_table(table, tmp_path / "c.parquet")
    rows = [("7", "seven", 42, 1.5), ("8", "eight", 43, 2), ("9", "nine", 44.0, 2.25)]
    (tmp_path / "c.jsonl").write_text(
        "".join(json.dumps(dict(zip(table.column_names, row, strict=True))) + "\n" for row in rows)
    )
    (tmp_path / "c.csv").write_text("id,title,size,weight\n7,seven,42.0,1.5\n8,eight,43,2\n9,nine,44.0,2.25\n")
    fields: list[dict[str, Any]] = []
    for name in ("c.parquet", "c.csv", "c.jsonl"):
        report = ingest(tmp_path / name, tmp_path / "data")
        assert (report.read, report.kind_changes) == (3, {})
        assert report.unchanged == 3 * bool(fields)
        fields.append({id: stored.payload["fields"] for id, stored in indexed(tmp_path / "data").items()})
    assert json.dumps(fields[0]) == json.dumps(fields[1]) == json.dumps(fields[2])
    assert fields[0]["8"] == {"id": "8", "size": 43, "weight": 2}
