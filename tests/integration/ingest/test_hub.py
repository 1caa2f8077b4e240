"""Datasets of a hub on this machine, by its real protocol: fetched, kept, and gone without."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tests.support import images
from tests.support.hub import Datasets, hub

ROOT = Path(__file__).parents[3]

# In a process of its own: the library reads its environment when it is imported.
_PROGRAM = """
import json, os, sys
import ingest.readers.hub
from catalog import product_from_row
from ingest.catalog import open_catalog
from ingest.settings import IngestSettings
from schemas import CatalogError
ingest.readers.hub._SECONDS = float(os.environ["PATIENCE"])
for location in sys.argv[1:]:
    try:
        with open_catalog(IngestSettings(catalog=location)) as reader:
            parsed = [product_from_row(row.values) for row in reader.rows()]
        inline = sum(len(p.inline) for p in parsed)
        print(json.dumps({"root": reader.root, "ids": [p.product.id for p in parsed], "inline": inline}))
    except CatalogError as error:
        print(json.dumps({"error": error.message}))
"""


def read(endpoint: str, cache: Path, *locations: str, **environment: str) -> list[dict[str, Any]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *locations],
        cwd=ROOT,
        env=kept
        | {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1", "PATIENCE": "30", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def part(*ids: int) -> bytes:
    buffer = io.BytesIO()
    image = [{"bytes": images.photo(8, 8 + id), "path": f"{id}.jpg"} for id in ids]
    parquet.write_table(pa.table({"id": list(ids), "title": [f"Tee {id}" for id in ids], "image": image}), buffer)
    return buffer.getvalue()


DATASETS: Datasets = {
    "shop/converted": {
        "refs/convert/parquet": {"default/train/0000.parquet": part(1, 2), "default/train/0001.parquet": part(3)},
        "main": {"data.csv": b"id,title\n9,x\n"},
    },
    "shop/own": {
        "main": {
            "README.md": b"a dataset",
            "data/train-00000-of-00002.parquet": part(1),
            "data/train-00001-of-00002.parquet": part(2),
            "data/test-00000-of-00001.parquet": part(3),
        }
    },
    "shop/none": {"main": {"README.md": b"nothing"}},
}


def test_datasets_are_fetched_once_and_read_without_the_hub_later(tmp_path: Path) -> None:
    names = ["shop/converted", "shop/own", "shop/own/test", "shop/own/nosuch", "shop/none", "shop/nobody"]
    locations = [f"hf://datasets/{name}" for name in names]
    with hub(DATASETS) as endpoint:
        converted, own, test, nosuch, none, nobody = read(endpoint, tmp_path, *locations)
    assert converted == {"root": "hf://datasets/shop/converted", "ids": ["1", "2", "3"], "inline": 3}
    assert (own["ids"], test["ids"]) == (["1", "2"], ["3"])
    assert "no split 'nosuch'; it has test, train" in nosuch["error"]
    assert "no Parquet files" in none["error"]
    assert "no dataset shop/nobody" in nobody["error"]
    # The port is closed by now.
    assert read(endpoint, tmp_path, *locations[:3]) == [converted, own, test]
    assert read(endpoint, tmp_path, *locations[:3], HF_HUB_OFFLINE="1") == [converted, own, test]


def test_a_hub_that_says_nothing_is_given_up_soon(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        (answer,) = read(address, tmp_path, "hf://datasets/shop/own", PATIENCE="0.2")
    assert "the hub cannot be reached (timed out), and shop/own was not fetched before" in answer["error"]
