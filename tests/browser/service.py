"""The real service: an ingest of the drawn catalog, and the API over it, each in its own process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from demo.drawn import write_drawn_catalog

ROOT = Path(__file__).resolve().parents[2]
ATTRIBUTION = "Images: drawn for the tests, CC0 (https://example.org/drawn)\nWords: the same."


@dataclass(frozen=True)
class Catalog:
    """What was ingested, and where."""

    folder: Path
    data: Path
    rows: list[dict[str, Any]]

    @property
    def shown(self) -> int:
        """How many hits a browse shows: variants are collapsed to one."""
        return len({row.get("group_id", row["id"]) for row in self.rows})

    def image(self, product_id: str) -> Path:
        return self.folder / str(next(row["image"] for row in self.rows if row["id"] == product_id))


def ingest_drawn(python: Path, folder: Path) -> Catalog:
    """The drawn catalog, of which only the striped ones keep their groups: 24 products and 6 groups of 4.

    It has columns that are called as what every object of JavaScript has.
    """
    path = write_drawn_catalog(folder / "catalog")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for number, row in enumerate(rows):
        if "plain" in row["group_id"]:
            del row["group_id"]
        row["constructor"] = ("oak", "pine")[number % 2]
        row["__proto__"] = (["alpha"], ["alpha", "beta"], "gamma")[number % 3]
        row["hasOwnProperty"] = number % 4 == 0
        row["toString"] = number % 5
        row["valueOf"] = number / 4
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (path.parent / "ATTRIBUTION.txt").write_text(ATTRIBUTION, encoding="utf-8")
    data = folder / "data"
    job = [str(python), "-m", "ingest", str(path), "--model", "builtin", "--data-dir", str(data)]
    done = subprocess.run(job, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Catalog(path.parent, data, rows)


@contextmanager
def serve(python: Path, data: Path, **environment: str) -> Iterator[str]:
    """The address of an API over an index, on a free port; it is stopped on the way out."""
    command = [str(python), "-m", "api", "--data-dir", str(data), "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stderr is not None
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"http://\S+?(?=/?$)", line):
                break
        else:
            raise AssertionError("the API did not start:\n" + "".join(said))
        # A full pipe would stop the server.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        _wait_until_ready(found.group())
        yield found.group()
    finally:
        process.terminate()
        process.wait(30)
        process.stderr.close()


def _wait_until_ready(address: str, seconds: float = 120) -> None:
    """The address is said before the model is loaded; what is asked from then on waits for it."""
    httpx.get(f"{address}/readyz", timeout=seconds).raise_for_status()
