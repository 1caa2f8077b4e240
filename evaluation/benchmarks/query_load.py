"""How long a text query takes through HTTP, on an index filled with made-up products.

The vectors are random around a few centres, as those of a catalog are; the words are drawn from a
skewed vocabulary. What is measured does not depend on what the vectors mean.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from statistics import median
from threading import Thread
from time import perf_counter

import httpx
import numpy as np
from numpy.typing import NDArray

from catalog import STANDARD_FIELDS, StoredState, payload, point_id
from embedding import load_spec
from index import IndexSettings, Point, open_store
from schemas import ConfigurationError, EmbeddingSpec, IndexRecord, Product

QUERIES = 200
WARM_UP = 20
CENTRES = 50
VOCABULARY = 5_000
WORDS = 40
BATCH = 500
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class QuerySpeed:
    """Medians in milliseconds: ``encode`` and ``search`` from Server-Timing, ``rest`` what HTTP adds to both."""

    products: int
    queries: int
    encode: float
    search: float
    rest: float
    beyond_encode: float


def query_speed(model: str, products: int, folder: Path) -> QuerySpeed:
    """Text queries, one at a time and no two alike, against an index of ``products`` made-up products."""
    data_dir = folder / "queryload"
    fill_index(data_dir, load_spec(model), products)
    rng = np.random.default_rng(1)
    texts = [" ".join(_words(rng, 3)) for _ in range(WARM_UP + QUERIES)]
    timings = []
    with serving(data_dir) as address, httpx.Client(base_url=address, timeout=30) as client:
        for text in texts:
            started = perf_counter()
            response = client.post("/v1/search", json={"text": text})
            whole = (perf_counter() - started) * 1e3
            response.raise_for_status()
            encode, search = (float(ms) for ms in re.findall(r"dur=([\d.]+)", response.headers["server-timing"]))
            timings.append((encode, search, whole - encode - search, whole - encode))
    encode, search, rest, beyond = (median(column) for column in zip(*timings[WARM_UP:], strict=True))
    return QuerySpeed(products, QUERIES, encode, search, rest, beyond)


def fill_index(data_dir: Path, spec: EmbeddingSpec, products: int) -> None:
    """An embedded index of made-up products with random unit vectors."""
    rng = np.random.default_rng(0)
    now = datetime.now(UTC)
    store = open_store(IndexSettings(data_dir=data_dir))
    record = IndexRecord(
        collection="products",
        embedding=spec,
        fields=STANDARD_FIELDS,
        average_words=float(WORDS),
        created=now,
        updated=now,
    )
    centres = rng.normal(size=(CENTRES, spec.dimension))
    with store.lock():
        build = store.begin(record)
        for start in range(0, products, BATCH):
            numbers = range(start, min(start + BATCH, products))
            build.upsert([_point(rng, number, centres[number % CENTRES]) for number in numbers])
        build.optimize()
        build.commit()


def _point(rng: np.random.Generator, number: int, centre: NDArray[np.float64]) -> Point:
    text = " ".join(_words(rng, WORDS))
    product = Product(
        id=f"p{number}",
        title=text[:60],
        description=text,
        category=f"category {number % CENTRES}",
        brand=f"brand {number % 37}",
        price=float(number % 199),
        in_stock=number % 7 != 0,
        group_id=f"g{number // 3}",
    )
    state = StoredState(words="", payload="")
    return Point(
        id=point_id(product.id),
        payload=payload(product, kinds=STANDARD_FIELDS, root="/", state=state),
        vectors={
            "image": _units(rng, centre, 1),
            "title": _units(rng, centre, 1)[0],
            "text": _units(rng, centre, 1)[0],
        },
        words=text,
    )


def _units(rng: np.random.Generator, centre: NDArray[np.float64], count: int) -> NDArray[np.float32]:
    vectors = (centre + 1.5 * rng.normal(size=(count, centre.size))).astype(np.float32)
    units: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


def _words(rng: np.random.Generator, count: int) -> list[str]:
    """Words as a catalog has them: few of them often, many of them seldom."""
    return [f"word{min(number, VOCABULARY)}" for number in rng.zipf(1.3, count)]


@contextmanager
def serving(data_dir: Path) -> Iterator[str]:
    """An API process over an index: its address, once it can answer."""
    command = [sys.executable, "-m", "api", "--data-dir", str(data_dir), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    lines: Queue[str] = Queue()
    reader = Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    try:
        yield _address(lines)
    finally:
        process.terminate()
        process.wait(timeout=30)
        reader.join()


def _read(process: subprocess.Popen[str], lines: Queue[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        lines.put(line)
    lines.put("")


def _address(lines: Queue[str]) -> str:
    """Where the process listens, which it says before it opens the index; then waits until it is ready."""
    said = []
    while line := lines.get(timeout=START_SECONDS):
        said.append(line)
        if found := re.search(r"http://\S+?:\d+", line):
            address = found.group()
            httpx.get(f"{address}/readyz", timeout=START_SECONDS).raise_for_status()
            return address
    raise ConfigurationError(f"the API did not start: {' '.join(said).strip()}")
