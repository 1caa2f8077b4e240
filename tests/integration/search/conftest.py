"""A small shop with every kind of field, missing values and many ties, behind a real index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog import point_id
from demo.drawn import write_drawn_catalog
from index import IndexSettings, open_store
from schemas import SearchRequest, SearchResponse, parse_filter
from search import Searcher
from tests.support.encoders import HashEncoder
from tests.support.images import GREEN, encode
from tests.support.points import matches
from tests.support.serving import ingest

SECOND_IMAGE = Image.new("RGB", (64, 64), GREEN)


@dataclass(frozen=True)
class Shop:
    rows: list[dict[str, Any]]
    folder: Path
    searcher: Searcher

    def search(self, photo: bytes | None = None, **request: Any) -> SearchResponse:
        return self.searcher.search(SearchRequest.model_validate(request), photo).response

    def ids(self, photo: bytes | None = None, **request: Any) -> list[str]:
        return [hit.id for hit in self.search(photo, **{"limit": 100, **request}).hits]

    def pages(self, limit: int, photo: bytes | None = None, **request: Any) -> list[SearchResponse]:
        pages = [self.search(photo, limit=limit, **request)]
        while cursor := pages[-1].next_cursor:
            pages.append(self.search(photo, limit=limit, cursor=cursor, **request))
        return pages

    def photo(self, product_id: str) -> bytes:
        return self.folder.joinpath(str(self.row(product_id)["image"])).read_bytes()

    def row(self, product_id: str) -> dict[str, Any]:
        return next(row for row in self.rows if row["id"] == product_id)

    def matching(self, filter: dict[str, Any]) -> list[dict[str, Any]]:
        """Rows that pass, found by a plain loop."""
        parsed = parse_filter(filter, self.searcher.index.record.fields)
        return [row for row in self.rows if matches(parsed, row)]

    def ordered(self, filter: dict[str, Any], sort: list[dict[str, str]]) -> list[dict[str, Any]]:
        """Rows as a browse is to show them: by the sort keys, missing values last, ties by point id."""
        rows = sorted(self.matching(filter), key=lambda row: point_id(row["id"]))
        for key in reversed(sort):
            name, descending = key["field"], key.get("order") == "desc"
            have = [row for row in rows if row.get(name) is not None]
            rows = sorted(have, key=lambda row: row[name], reverse=descending) + [r for r in rows if r not in have]
        return rows


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    path = write_drawn_catalog(folder / "catalog")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for number, row in enumerate(rows):
        row["price"] = 10.5 + number % 6
        row["rating"] = number % 4
        for missing_every, name in ((11, "price"), (7, "rating"), (9, "in_stock"), (13, "brand")):
            if number % missing_every == 0:
                del row[name]
        if "plain" in row["group_id"]:
            del row["group_id"]
    rows[-1]["images"] = ["pictures/second.png"]
    (path.parent / "pictures/second.png").write_bytes(encode(SECOND_IMAGE, "PNG"))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = ingest(path, folder / "data")
    assert (report.indexed, report.rejected, report.degraded) == (48, 0, 0)
    with closing(open_store(IndexSettings(data_dir=folder / "data")).open()) as index:
        yield Shop(rows, path.parent, Searcher(index, HashEncoder()))
