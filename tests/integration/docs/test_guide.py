"""Every command of docs/catalogs.md is run, and does what the guide says beside it.

The model ``clip-ViT-B-32`` is a folder of this name: CLIP of its architecture, tiny, and with random weights.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyarrow as pa
import pytest
import s3fs
from backports import zstd
from moto.server import ThreadedMotoServer
from pyarrow import parquet

from demo.drawn import drawn_products, write_drawn_catalog
from evaluation.benchmarks.random_clip import make_clip
from images import ImageStore
from schemas import IngestReport
from tests.integration.docs.guide import Checkout, blocks
from tests.integration.ingest.jobs import draw, write_rows
from tests.support import images
from tests.support.hub import hub
from tests.support.image_server import image_server

BLOCKS = blocks()
FIRST_RUN, CATALOGS, COLUMNS, IMAGES = "The first run", "What a catalog can be", "Columns", "Images"
NIGHT, REJECTS, SAME, PRECISION = "Every night", "Rejects", "Images that show the same", "Precision"
GENERATIONS, WATCHING = "Generations, and rolling back", "Watching a run"

ROWS = [row for row, _ in drawn_products()]
GERMAN = {"id": "Artikelnummer", "title": "Bezeichnung", "price": "Preis", "image": "Bild"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("models") / "clip-ViT-B-32")


@pytest.fixture
def checkout(tmp_path: Path, clip: Path, python: Path) -> Checkout:
    return _checkout(tmp_path, clip, python)


def _checkout(folder: Path, clip: Path, python: Path, **environment: str) -> Checkout:
    (folder / clip.name).symlink_to(clip)
    return Checkout(folder, python, **environment)


def _table(rows: Iterable[Mapping[str, Any]], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    rows = list(rows)
    writer = csv.DictWriter(text, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("cp1252")


def _export(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """As a German spreadsheet has it."""
    return _table(
        (
            {theirs: row[ours] for ours, theirs in GERMAN.items()}
            | {"Preis": str(row["price"]).replace(".", ",")}
            | {"Kurzname": f"Für {row['id']}", "Ansicht2": ROWS[20]["image"], "Ansicht3": ROWS[21]["image"]}
            for row in rows
        ),
        ";",
    )


def test_every_section_with_commands_is_run_here() -> None:
    here = {FIRST_RUN, CATALOGS, COLUMNS, IMAGES, NIGHT, REJECTS, SAME, PRECISION, GENERATIONS, WATCHING}
    assert set(BLOCKS) == here


def test_catalogs_of_every_kind(checkout: Checkout) -> None:
    files, _, _, in_polish = BLOCKS[CATALOGS]
    shop = checkout.folder / "shop"
    text = write_drawn_catalog(shop).read_bytes()
    few = [{name: row[name] for name in ("id", "title", "image")} for row in ROWS[:5]]
    (shop / "export.csv").write_bytes(_export(ROWS[:6]))
    inside = [{"id": row["id"], "title": row["title"], "image": (shop / row["image"]).read_bytes()} for row in ROWS[:7]]
    parquet.write_table(pa.Table.from_pylist(inside), shop / "table.parquet")
    (shop / "catalog.jsonl.zst").write_bytes(zstd.compress(text))
    # Read from a pipe, images are beside the working directory.
    piped = [row | {"image": f"shop/{row['image']}"} for row in few]
    (shop / "feed.tsv.gz").write_bytes(gzip.compress(_table(piped, "\t")))
    with ZipFile(checkout.folder / "shop.zip", "w") as packed:
        for path in [shop / "catalog.jsonl", *sorted((shop / "pictures").iterdir())[:4]]:
            packed.write(path, path.relative_to(shop))
        packed.writestr("winter/catalog.csv", _table(few[:3]))
    shutil.copytree(shop / "pictures", checkout.folder / "photos")

    def run(line: str) -> IngestReport:
        data = checkout.folder / str(hash(line))  # each its own, since an index takes one job at a time
        return checkout.run(f"export STORELENS_DATA_DIR={data}\n{line}").report

    with ThreadPoolExecutor(2) as both:
        reports = list(both.map(run, files.splitlines()))
    found = [(report.read, report.indexed, report.degraded, report.embedded_images) for report in reports]
    assert found == [
        (6, 6, 0, 6),
        (7, 7, 0, 7),
        (48, 48, 0, 48),
        (48, 48, 44, 4),
        (3, 3, 3, 0),
        (48, 48, 0, 48),
        (5, 5, 0, 5),
    ]
    assert reports[0].mapping == {theirs: ours for ours, theirs in GERMAN.items()}
    (shop / "polish.csv").write_bytes("id,title\n1,Miska głęboka\n".encode("cp1250"))
    done = checkout.run(f"export STORELENS_DATA_DIR={checkout.folder / 'polish'}\n{in_polish}")
    assert (done.report.indexed, "WINDOWS-1250" in done.err.upper()) == (1, True)


def test_columns_under_other_names(checkout: Checkout) -> None:
    by_option, by_file, without_guesses = BLOCKS[COLUMNS]
    shop = write_drawn_catalog(checkout.folder / "shop").parent
    (shop / "export.csv").write_bytes(_export(ROWS[:6]))
    (shop / "columns.yaml").write_text("id: Artikelnummer\ntitle: Kurzname\nimages: [Ansicht2, Ansicht3]\n")
    for block in (by_option, by_file):
        done = checkout.run(block)
        assert (done.report.indexed, done.report.embedded_images) == (6, 8)
        assert done.report.mapping.items() >= {"Kurzname": "title", "Ansicht2": "images", "Ansicht3": "images"}.items()
        assert "price=Preis" in done.err  # what was guessed is printed
    assert checkout.run(without_guesses).report.mapping == {"Artikelnummer": "id", "Kurzname": "title"}


def test_catalogs_in_object_storage_and_on_a_hub(tmp_path: Path, clip: Path) -> None:
    _, in_storage, on_hub, _ = BLOCKS[CATALOGS]
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    address = f"http://127.0.0.1:{port}"
    part = io.BytesIO()
    shown = [{"bytes": images.photo(8, 8 + at), "path": None} for at in range(3)]
    parquet.write_table(pa.table({"id": [1, 2, 3], "image": shown}), part)
    try:
        fs = s3fs.S3FileSystem(endpoint_url=address, key="test", secret="test", skip_instance_cache=True)
        fs.mkdir("shop-bucket")
        fs.pipe_file("shop-bucket/autumn/catalog.csv", b"id,title,image\na,Tee,p/a.jpg\nb,Cap,p/none.jpg\n")
        fs.pipe_file("shop-bucket/autumn/p/a.jpg", images.photo())
        with hub({"shop/clothes": {"main": {"data/train-00000-of-00001.parquet": part.getvalue()}}}) as endpoint:
            there = {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_DISABLE_XET": "1"}
            checkout = _checkout(tmp_path, clip, Path(sys.executable), AWS_ENDPOINT_URL=address, **keys, **there)
            report = checkout.run(in_storage).report
            assert (report.read, report.embedded_images, report.rejects) == (2, 1, {"picture-not-found": 1})
            report = checkout.run(on_hub).report
            assert (report.read, report.embedded_images) == (3, 3)
    finally:
        server.stop()


def test_images_from_elsewhere(checkout: Checkout) -> None:
    folders, _, by_host, own_network, again = BLOCKS[IMAGES]
    photos, data = checkout.folder / "photos", checkout.folder / "storelens-data"
    shop = checkout.folder / "shop"
    shop.mkdir()
    draw(photos / "a.png")
    (shop / "elsewhere.csv").write_text(f"id,image\na,{photos}/a.png\n")
    report = checkout.run(folders, also={"/mnt/photos": str(photos)}).report
    assert (report.indexed, report.embedded_images) == (1, 1)
    report = checkout.run(folders, also={"--picture-folders /mnt/photos": ""}).report
    assert report.rejects == {"picture-outside-catalog": 1}

    with image_server() as server:
        paths = [f"/{number}.png" for number in range(3)]
        for number, path in enumerate(paths):
            server.gives(path, images.encode(images.quarters(32 + number), "PNG"), ETag='"1"')
        lines = [f"{path},Tee,{server.url(path, 'localhost')}" for path in paths]
        (shop / "feed.csv").write_text("\n".join(["id,title,image", *lines]) + "\n")
        report = checkout.run(by_host).report
        assert (report.degraded, report.rejects, server.asked) == (3, {"picture-host-refused": 3}, [])
        own = {"images.shop.internal": "localhost"}
        report = checkout.run(own_network, also=own).report
        assert (report.indexed, report.degraded, report.embedded_images) == (3, 0, 3)
        assert sum(path.is_file() and path.stat().st_size > 100 for path in (data / "pictures").rglob("*")) >= 3
        assert [server.times(path) for path in paths] == [1, 1, 1]
        report = checkout.run(again, also=own).report
        assert (report.unchanged, report.embedded_images) == (3, 0)
        assert [server.times(path) for path in paths] == [2, 2, 2]
        assert server.asked[-1][1]["If-None-Match"] == '"1"'


def test_a_catalog_from_its_first_run_to_rolling_back(checkout: Checkout) -> None:
    catalog = write_drawn_catalog(checkout.folder / "shop")
    for path in (checkout.folder / "shop" / "pictures").iterdir():
        os.utime(path, (1, 1))  # files that were just written are read again in the next run
    _first_run(checkout)
    _a_night(checkout, catalog)
    _rejects(checkout, catalog)
    _the_same_images(checkout)
    _other_indexes(checkout)
    _watching(checkout)
    _rolling_back(checkout)
    _pruning(checkout, catalog)


def _first_run(checkout: Checkout) -> None:
    look, twice = BLOCKS[FIRST_RUN]
    report = checkout.run(look).report
    assert report.dry_run
    assert (report.read, report.indexed, report.embedded_images, report.generation) == (48, 48, 48, None)
    first, again = checkout.run(twice).reports
    assert (first.indexed, first.embedded_images, first.embedded_texts) == (48, 48, 96)
    assert (again.unchanged, again.embedded_images, again.model) == (48, 0, "clip-ViT-B-32")
    assert again.generation == first.generation
    assert "embed" not in again.stages


def _a_night(checkout: Checkout, catalog: Path) -> None:
    usual, _, _, script, tidy = BLOCKS[NIGHT]
    shop = catalog.parent
    rows = [dict(row) for row in ROWS]
    rows[0]["price"] = 1.0
    rows[1]["title"] = "Renamed"
    draw(shop / rows[2]["image"], "purple")
    rows[3] = {"id": "T-1001", "title": "A copy", "image": "copy.png"}
    shutil.copyfile(shop / rows[4]["image"], shop / "copy.png")
    write_rows(catalog, rows)
    checkout.run(usual)
    report = IngestReport.model_validate_json((checkout.folder / "report.json").read_text())
    assert (report.updated, report.indexed, report.unchanged, report.deleted) == (1, 3, 44, 1)
    assert (report.embedded_images, report.embedded_texts) == (1, 3)
    assert "48 rows" in (checkout.folder / "run.log").read_text()
    assert "</html>" in (checkout.folder / "run.html").read_text()

    late = [{"id": "T-2001", "title": "A mug", "price": "ask us"}, {"id": "T-2002", "image": "late.png"}]
    write_rows(catalog, [*rows, *late])
    assert checkout.run(script).out == "done, but rows were rejected: see run.html\n"
    catalog.unlink()
    assert "there is no catalog" in checkout.run(script, status=1).out
    write_rows(catalog, [*rows, *late])

    store = ImageStore(checkout.folder / "storelens-data" / "pictures")
    hash = store.put(b"of a product that is gone")
    os.utime(store.folder / hash[:2] / hash, (1, 1))
    would, did = checkout.run(tidy).out.splitlines()
    assert json.loads(would) == json.loads(did) == {"images": 1, "bytes": 25}
    assert not store.has(hash)


def _rejects(checkout: Checkout, catalog: Path) -> None:
    again, mended = BLOCKS[REJECTS]
    draw(catalog.with_name("late.png"), "orange")
    report = checkout.run(again).report
    assert (report.read, report.indexed, report.rejects) == (2, 1, {"value-unusable": 1})
    report = checkout.run(mended).report
    assert (report.read, report.updated, report.rejected) == (1, 1, 0)


def _the_same_images(checkout: Checkout) -> None:
    everything, of_one = BLOCKS[SAME]
    for block in (everything, of_one):
        groups = [json.loads(line) for line in checkout.run(block).out.splitlines()]
        identical = [group for group in groups if group["kind"] == "identical"]
        assert {ref["product"] for ref in identical[0]["pictures"]} == {"T-1001", ROWS[4]["id"]}
    assert len(groups) > 1  # those that merely look alike


def _other_indexes(checkout: Checkout) -> None:
    with ThreadPoolExecutor(2) as both:
        crops, int8 = both.map(checkout.run, [BLOCKS[IMAGES][1], *BLOCKS[PRECISION]])
    assert (crops.report.collection, crops.report.indexed, crops.report.embedded_images) == ("with-crops", 50, 48)
    assert int8.report.precision in ("float32", "bfloat16")
    assert "not int8 but" in int8.err
    assert "50 different images" in int8.err


def _watching(checkout: Checkout) -> None:
    (block,) = BLOCKS[WATCHING]
    checkout.run(block)
    events = [json.loads(line) for line in (checkout.folder / "run.log").read_text().splitlines()]
    assert all({"time", "level", "logger", "event", "message"} <= set(event) for event in events)
    over = next(event for event in events if event["event"] == "progress-over")
    assert {"stage", "rows", "total", "rate", "bottleneck", "shares"} <= set(over)


def _rolling_back(checkout: Checkout) -> None:
    switch, remove = BLOCKS[GENERATIONS]
    before, serving = [str(generation["name"]) for generation in checkout.generations()]
    checkout.run(switch, also={"000001-cd726f": before})
    assert [generation["serving"] for generation in checkout.generations()] == [True, False]
    checkout.run(remove, also={"000002-7b1e90": serving})
    assert [generation["name"] for generation in checkout.generations()] == [before]


def _pruning(checkout: Checkout, catalog: Path) -> None:
    _, half, forced, _, _ = BLOCKS[NIGHT]
    rows = catalog.read_text().splitlines(keepends=True)
    catalog.with_name("half.jsonl").write_text("".join(rows[:24]))
    guarded = checkout.run(half, status=1)
    assert "more than a fifth" in guarded.err
    assert not guarded.out
    report = checkout.run(forced).report
    assert (report.read, report.unchanged, report.deleted) == (24, 24, 26)
