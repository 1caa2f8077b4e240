"""Pages of measurements in a real browser: opened from the disk, looked at, and attacked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo.drawn import write_drawn_catalog
from evaluation.__main__ import main
from evaluation.commands import labels, paraphrases, search
from tests.browser.conftest import OpenPage
from tests.browser.driver import Page
from tests.browser.looks import PHONE, assert_accessible, open_all
from tests.support.colors import COLORS, color_image, write_lines
from tests.support.encoders import ColorEncoder, HashEncoder
from tests.support.serving import ingest

pytestmark = pytest.mark.browser

ATTACK = "<script>window.hacked = 1</script><img src='https://elsewhere.example/x' onerror='window.hacked = 1'>"

NAMED = "<script>window.hacked = 1</script>"
"""As short as names of labels and rules have to be."""


@pytest.fixture(scope="module")
def reports(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of real runs over the drawn catalog, compared with the generation before it: search, audit, paraphrases."""
    folder = tmp_path_factory.mktemp("evaluation")
    catalog = write_drawn_catalog(folder / "catalog")
    ingest(catalog, folder / "data")
    rows = [json.loads(line) for line in catalog.read_text().splitlines()]
    queries = [{"kind": "title", "query": row["title"], "relevant": [row["id"]]} for row in rows[:12]]
    queries += [{"kind": "view", "image": row["image"], "relevant": {row["id"]: 2}} for row in rows[:6]]
    queries.append({"kind": ATTACK, "query": ATTACK, "relevant": ["nobody"]})
    path = catalog.with_name("queries.jsonl")
    path.write_text("".join(json.dumps(query) + "\n" for query in queries))
    for row in rows[:12:2]:
        row |= {"title": f"Thing {row['id']}", "description": None}
    rows.append({"id": ATTACK, "title": "Twice", "image": rows[20]["image"]})
    catalog.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingest(catalog, folder / "data")
    old = next(each for each in sorted((folder / "data" / "products" / "generations").iterdir())).name
    needs = folder / "needs.jsonl"
    needs.write_text(json.dumps({"need": ATTACK, "wordings": ["striped star", "blue circle", ATTACK]}))
    data = ["--data-dir", str(folder / "data"), "--report"]
    with pytest.MonkeyPatch.context() as patch:
        for command in (search, paraphrases):
            patch.setattr(command, "load_encoder", lambda model: HashEncoder())
        against = ["--against", f"generation={old}"]
        assert main(["search", "--queries", str(path), *data, str(folder / "search.html"), *against]) == 0
        assert main(["paraphrases", "--queries", str(needs), *data, str(folder / "paraphrases.html")]) == 0
        assert main(["audit", *data, str(folder / "audit.html"), "--against", old]) == 0
        patch.setattr(labels, "load_encoder", lambda _: ColorEncoder())
        images = _labelled(folder)
        given = ["--images", str(images), "--report"]
        assert main(["classify", *given, str(folder / "before.html"), "--labels", f"red,green,{NAMED}"]) == 0
        against = ["--against", str(folder / "before.json"), "--labels", "red,green,blue"]
        assert main(["classify", *given, str(folder / "classify.html"), *against]) == 0
        policy = ["--policy", str(folder / "policy.json")]
        assert main(["moderation", *given, str(folder / "moderation.html"), *policy]) == 0
    return folder


def _labelled(folder: Path) -> Path:
    """Noisy images of colours, with one whose label would like to be code, and a policy of two rules."""
    rows: list[dict[str, Any]] = []
    for at in range(40):
        color = COLORS[at % 4]
        color_image(color, at, 220).save(folder / f"{at}.png")
        violates = [{"red": "red", "blue": NAMED}[color]] if color in ("red", "blue") else []
        rows.append({"image": f"{at}.png", "label": NAMED if at in (3, 7) else color, "violates": violates})
    rules = [
        {"name": name, "prompts": [f"a {color} thing"], "action": "block"}
        for name, color in (("red", "red"), (NAMED, "blue"))
    ]
    (folder / "policy.json").write_text(json.dumps({"rules": rules}))
    return write_lines(folder / "labelled.jsonl", rows)


@pytest.fixture
def open_report(open_file: OpenPage, reports: Path) -> OpenPage:
    """``open_report("search.html", **context)``, with all that is folded open."""

    def open_report(name: str, **options: Any) -> Page:
        page = open_file(reports / name, **options)
        open_all(page)
        return page

    return open_report


def test_the_page_opens_from_the_disk_shows_images_and_charts_and_runs_nothing(
    open_report: OpenPage, reports: Path, keep: Callable[[Page, str], Path]
) -> None:
    page = open_report("search.html", viewport={"width": 1366, "height": 900})
    document = json.loads(reports.joinpath("search.json").read_text())
    value = document["overall"]["fused"]["ndcg@10"]
    assert page.locator(".figures b").first.inner_text() == f"{value:.3f}"
    assert page.get_by_role("heading", name="Against the other run").is_visible()
    charts = page.locator("figure svg")
    assert charts.count() == 6
    # Drawn in the page's own colours, which a policy against styles in attributes leaves alone.
    dots = page.locator("figure svg g[id*=line2d] use").evaluate_all(
        "(all) => all.map((it) => getComputedStyle(it).fill)"
    )
    assert "rgb(11, 122, 105)" in dots
    assert page.get_by_text(ATTACK).count() > 0
    assert page.evaluate("window.hacked") is None
    shown = page.locator("img").evaluate_all("(all) => all.map((image) => image.complete && image.naturalWidth > 0)")
    assert len(shown) > 50
    assert all(shown)
    assert page.locator(".product.good").count() > 0
    keep(page, "evaluation")


def test_on_a_phone_nothing_is_wider_than_the_screen_and_charts_can_be_read(
    open_report: OpenPage, keep: Callable[[Page, str], Path]
) -> None:
    page = open_report("search.html", **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = page.locator("figure svg text").evaluate_all(
        "(all) => all.map((it) => it.getBoundingClientRect().height)"
    )
    assert min(heights) >= 10
    keep(page, "evaluation-phone")


def test_axe_finds_nothing(open_report: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_report("search.html")
    assert_accessible(page)
    keep(page, "evaluation-dark")


def test_a_threshold_that_is_moved_moves_the_matrix(open_report: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_report("classify.html", viewport={"width": 1366, "height": 900})
    matrix = page.locator(".confusion tbody td")

    def column(at: int) -> list[str]:
        return page.locator(f".confusion tbody td:nth-child({at})").all_inner_texts()

    assert page.locator(".confusion thead th").all_inner_texts() == ["red", "green", "blue", "unknown"]
    slider = page.get_by_role("slider", name="Threshold")
    slider.press("Home")
    assert set(column(5)) == {"·"}
    assert sum(int(text) for text in matrix.all_inner_texts() if text != "·") == 40
    slider.press("End")
    assert sum(map(int, column(5))) == 40
    assert "unknown 40" in page.locator(".moved").inner_text()
    keep(page, "evaluation-classify-moved")

    page = open_report("moderation.html", viewport={"width": 1366, "height": 900})
    slider = page.get_by_role("slider", name="Threshold")
    assert page.get_by_role("combobox", name="Of").locator("option").all_inner_texts() == [
        "the whole policy",
        "red",
        NAMED,
    ]
    page.get_by_role("combobox", name="Of").select_option("red")
    slider.press("Home")
    assert matrix_of(page) == [[10, 0], [30, 0]]
    assert "precision 0.250 · recall 1.000 · F1 0.400" in page.locator(".moved").inner_text()
    slider.press("End")
    assert matrix_of(page) == [[0, 10], [0, 30]]


def matrix_of(page: Page) -> list[list[int]]:
    rows = page.locator(".confusion tbody tr").all()
    return [[int(text.replace("·", "0")) for text in row.locator("td").all_inner_texts()] for row in rows]


@pytest.mark.parametrize("name", ["audit", "paraphrases", "classify", "moderation"])
def test_other_pages_are_as_good(name: str, open_report: OpenPage, keep: Callable[[Page, str], Path]) -> None:
    page = open_report(f"{name}.html", **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_by_text(NAMED if name in ("classify", "moderation") else ATTACK).count() > 0
    assert page.evaluate("window.hacked") is None
    shown = page.locator("img").evaluate_all("(all) => all.map((image) => image.complete && image.naturalWidth > 0)")
    assert shown and all(shown)
    assert_accessible(page)
    keep(page, f"evaluation-{name}")
