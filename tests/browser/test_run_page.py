"""The page of a run in a real browser: opened from the disk, looked at, and attacked."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from demo.drawn import write_drawn_catalog
from images import ImageLimits
from images.roots import open_root
from ingest.report_page.page import write_report_page
from ingest.settings import IngestSettings, shown_settings
from tests.browser.conftest import OpenPage
from tests.browser.driver import Page
from tests.browser.looks import PHONE, assert_accessible, open_all
from tests.integration.ingest.jobs import ingest

pytestmark = pytest.mark.browser

ATTACK = "<script>window.hacked = 1</script><img src='https://elsewhere.example/x' onerror='window.hacked = 1'>"


@pytest.fixture(scope="module")
def run_page(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a real job over the drawn catalog, with rows and images broken by hand."""
    folder = tmp_path_factory.mktemp("run")
    catalog = write_drawn_catalog(folder / "catalog")
    rows = [json.loads(line) for line in catalog.read_text().splitlines()]
    images = [catalog.parent / row["image"] for row in rows]
    for image in images[:4]:
        image.write_bytes(image.read_bytes()[:600])
    images[5].unlink()
    for row in rows[10:14]:
        row["price"] = "cheap"
    rows[14] |= {"id": ATTACK, "price": ATTACK}
    catalog.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{torn\n")
    report = ingest(catalog, folder / "data")
    report.stages |= {"wait": 2.0, "images": 5.0, "texts": 1.0, "write": 0.5}
    same = folder / "same.jsonl"
    sides = [{"product": row["id"], "picture": 0, "source": row["image"], "root": str(catalog.parent)} for row in rows]
    pairs = [
        {"kind": "identical", "one": sides[n], "other": sides[n + 1], "difference": 0.0, "cosine": 1.0}
        for n in (20, 22)
    ]
    same.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    root = open_root(str(catalog.parent), ImageLimits())
    page = folder / "run.html"
    write_report_page(
        page,
        report,
        Path(report.rejects_file or ""),
        same,
        lambda _, source: root.read(source),
        shown_settings(IngestSettings(catalog=str(catalog), data_dir=folder / "data", qdrant_url=None)),
    )
    return page


@pytest.fixture
def open_run(open_file: OpenPage, run_page: Path) -> OpenPage:
    return partial(open_file, run_page)


def test_the_page_opens_from_the_disk_and_runs_nothing(open_run: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_run(viewport={"width": 1280, "height": 900})
    assert page.get_by_role("heading", name="49 rows").is_visible()
    assert page.get_by_text(ATTACK).count() > 0
    assert page.evaluate("window.hacked") is None
    shown = page.locator("img").evaluate_all("(all) => all.map((image) => image.complete && image.naturalWidth > 0)")
    assert len(shown) >= 5 + 4  # rows with good images, and two pairs
    assert all(shown)
    keep(page, "run")


def test_on_a_phone_nothing_is_wider_than_the_screen(open_run: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_run(**PHONE)
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep(page, "run-phone")


def test_axe_finds_nothing(open_run: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_run()
    open_all(page)
    assert_accessible(page)
    keep(page, "run-dark")
