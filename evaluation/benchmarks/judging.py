"""How long an index takes to be held to a policy, and again after an edit, from its stored vectors.

The vectors are made up, so no image is read or embedded at all: what is measured is the command as people give it,
from its start to its end.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from tqdm import tqdm

from catalog import STANDARD_FIELDS, payload, point_id, stored_state
from embedding import load_spec
from index import IndexSettings, Point, indexed_terms, open_store
from schemas import ConfigurationError, IndexRecord, Product

_BATCH = 1_000
_POLICY: dict[str, Any] = {
    "rules": [
        {"name": f"rule {number}", "prompts": [f"a thing of kind {number}"], "at_most": 0.01, "action": "review"}
        for number in range(8)
    ]
}
"""Eight rules, each of which fires for a hundredth."""


def report(products: int, *, as_json: bool) -> str:
    """Text, or one JSON object."""
    with TemporaryDirectory(prefix="storelens-judging-") as name:
        measured = measure(products, Path(name))
    if as_json:
        return json.dumps(measured)
    lines = [f"{products:,} products, model builtin, {len(_POLICY['rules'])} rules"]
    for what in ("first", "unchanged", "edited"):
        run = measured[what]
        whole = f"{run['with_start']:.1f} s with the interpreter's start"
        lines.append(f"{what:<10}{run['seconds']:>8.1f} s, {whole}; {run['changed']:,} written")
    return "\n".join(lines)


def run_command(folder: Path) -> dict[str, Any]:
    """What ``python -m ingest moderate`` says at its end. Raises ConfigurationError where it fails."""
    command = [sys.executable, "-m", "ingest", "moderate", "--policy", "house", "--data-dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigurationError(f"the command failed: {(done.stderr.strip().splitlines() or [''])[-1]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def measure(products: int, folder: Path, judge: Callable[[Path], dict[str, Any]] = run_command) -> dict[str, Any]:
    """The policy's first run, one that finds nothing to do, and one after an edit that decides a part otherwise."""
    settings = IndexSettings(data_dir=folder)
    _make_index(settings, products)
    documents = open_store(settings).documents
    measured: dict[str, Any] = {"products": products}
    edited = {
        "rules": [*_POLICY["rules"][1:], {**_POLICY["rules"][0], "prompts": ["another thing"], "action": "block"}]
    }
    for what, policy in (("first", _POLICY), ("unchanged", None), ("edited", edited)):
        if policy:
            documents.write("policies", "house", policy)
        started = perf_counter()
        said = judge(folder)
        seconds = perf_counter() - started
        measured[what] = {
            "seconds": said["seconds"],
            "with_start": round(seconds, 2),
            "per_second": round(products / max(said["seconds"], 1e-2), 1),
            "changed": said["changed"],
        }
    return measured


def _make_index(settings: IndexSettings, products: int) -> None:
    """An index of made-up vectors, an image each."""
    store, spec = open_store(settings), load_spec("builtin")
    now = datetime.now(UTC)
    record = IndexRecord(
        collection=settings.collection,
        embedding=spec,
        fields=dict(STANDARD_FIELDS),
        average_words=2.0,
        created=now,
        updated=now,
    )
    with store.lock():
        build = store.begin(record)
        for start in tqdm(range(0, products, _BATCH), unit="batch", desc="make", disable=None):
            random = np.random.default_rng(start)
            vectors = random.normal(size=(min(_BATCH, products - start), 1, spec.dimension)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
            points = []
            for at, vector in enumerate(vectors, start):
                product = Product.model_validate({"id": f"p{at}", "title": f"product {at}"})
                made = payload(product, kinds=record.fields, root="/", state=stored_state(product, root="/"))
                points.append(
                    Point(
                        point_id(product.id), made | indexed_terms("product", "product"), {"image": vector}, "product"
                    )
                )
            build.upsert(points)
            if build.graph_due:
                build.optimize()
        build.commit()
