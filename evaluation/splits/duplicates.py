"""Which products of a catalog are duplicates to a model: the same image, or a copy of it, the same group or text.

The job itself reads the catalog, of any format, into an index that is removed afterwards: it decides which images are
copies as it does for every shop.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from index import CatalogIndex, IndexSettings, open_store
from schemas import ConfigurationError, DuplicatePair, IngestReport, fold

Why = Literal["same image", "near-duplicate", "same group", "same text"]

_READ = 500


@dataclass(frozen=True, slots=True)
class CatalogDuplicates:
    """``products`` are ids and their categories, in no particular order. Each of ``duplicates`` are the products that
    duplicate each other, and why; ``not_compared`` have an image that could not be read; ``rejected`` counts rows that
    became no products."""

    products: dict[str, str | None]
    duplicates: list[tuple[Why, list[str]]]
    not_compared: list[str]
    rejected: int


def catalog_duplicates(catalog: str, model: str) -> CatalogDuplicates:
    """Read a catalog and see which of its products are duplicates.

    Raises:
        ConfigurationError: it cannot be read; the job says why on stderr.
    """
    with TemporaryDirectory(prefix="storelens-split-") as folder:
        report = ingest(catalog, model, folder)
        with closing(open_store(IndexSettings(data_dir=Path(folder), qdrant_url=None)).open()) as index:
            return _of_index(index, report)


def ingest(catalog: str, model: str, folder: str) -> IngestReport:
    """Run the job, into an embedded index. Raises ConfigurationError."""
    options = ["--model", model, "--data-dir", folder, "--collection", "products"]
    # Settings of the reader and of images hold here too; another index does not.
    environment = {name: value for name, value in os.environ.items() if name != "STORELENS_QDRANT_URL"}
    command = [sys.executable, "-m", "ingest", catalog, *options]
    # Its progress, and why it fails, go where they always go: to stderr.
    job = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=False)
    if job.returncode != 0:
        raise ConfigurationError(
            f"the catalog {catalog} could not be read: the job said why, and ended with {job.returncode}"
        )
    return IngestReport.model_validate_json(job.stdout.strip().splitlines()[-1])


def _pairs(file: str | None) -> list[DuplicatePair]:
    lines = [] if file is None else Path(file).read_text(encoding="utf-8").split("\n")
    return [DuplicatePair.model_validate_json(line) for line in lines if line]


def _of_index(index: CatalogIndex, report: IngestReport) -> CatalogDuplicates:
    products: dict[str, str | None] = {}
    not_compared: list[str] = []
    groups, texts, images = (defaultdict[Hashable, list[str]](list) for _ in range(3))
    hashes: dict[tuple[str, int], str] = {}
    for payload in _payloads(index):
        id, product = payload["id"], payload["product"]
        products[id] = product.get("category")
        if (group := product.get("group_id")) is not None:
            groups[group].append(id)
        if text := _words(product):
            texts[text].append(id)
        known = payload.get("pictures", [])
        hashes |= {(id, one["at"]): one["hash"] for one in known}
        for hash in {one["hash"] for one in known}:
            images[hash].append(id)
        if len(known) < ("image" in product) + len(product.get("images", ())):
            not_compared.append(id)
    shared: tuple[tuple[Why, Iterable[list[str]]], ...] = (
        ("same image", images.values()),
        ("same group", groups.values()),
        ("same text", texts.values()),
    )
    duplicates = [(why, ids) for why, some in shared for ids in some if len(ids) > 1]
    for one, other in ((pair.one, pair.other) for pair in _pairs(report.same_file) if pair.kind == "near-identical"):
        # What a copy has been found of stands for all images with its bytes.
        ends = [hashes[end.product, end.picture] for end in (one, other)]
        its = list(dict.fromkeys(id for hash in ends for id in images[hash]))
        if len(its) > 1:
            duplicates.append(("near-duplicate", its))
    return CatalogDuplicates(products, duplicates, not_compared, report.rejected)


def _payloads(index: CatalogIndex) -> Iterator[dict[str, Any]]:
    after = None
    while ids := index.scan(None, _READ, after):
        yield from index.payloads(ids, ["id", "product", "pictures"]).values()
        after = ids[-1]


def _words(product: dict[str, Any]) -> str:
    """Everything that is written of a product, however it is set."""
    written = " ".join(filter(None, (product.get("title"), product.get("description"))))
    return " ".join(re.findall(r"\w+", fold(written)))
