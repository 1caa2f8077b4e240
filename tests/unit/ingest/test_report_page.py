"""The page of a run: whole in one file, safe whatever a catalog says, and written in one step."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import SecretStr

from ingest.report_page.gallery import MAX_TILES, ReadImage
from ingest.report_page.page import duration, write_report_page
from ingest.settings import IngestSettings, shown_settings
from schemas import Change, ImageNotFound, IngestReport, Rejection


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [its for name, its in self.tags if name == tag and attributes.items() <= its.items()]


def _nothing(root: str | None, source: str) -> bytes | None:
    return None


def _report(**values: Any) -> IngestReport:
    return IngestReport(**{"catalog": "c.jsonl", "collection": "products", "model": "builtin", "seconds": 3.5} | values)


def _page(
    folder: Path,
    report: IngestReport,
    *,
    rejects: Iterable[Rejection] = (),
    same: Iterable[Any] = (),
    images: ReadImage = _nothing,
    shown: Mapping[str, str] | None = None,
    failure: str | None = None,
) -> str:
    rejects_file, same_file = folder / "rejects.jsonl", folder / "same.jsonl"
    rejects_file.write_text("".join(json.dumps(rejected.model_dump()) + "\n" for rejected in rejects))
    same_file.write_text("".join(json.dumps(pair) + "\n" for pair in same))
    path = folder / "run.html"
    write_report_page(
        path,
        report,
        rejects_file if rejects else None,
        same_file if same else None,
        images,
        shown or {},
        failure=failure,
    )
    return path.read_text(encoding="utf-8")


def _rejection(line: int = 1, code: str = "row-invalid", **values: Any) -> Rejection:
    return Rejection(**{"line": line, "id": f"p{line}", "code": code, "reason": "price is text"} | values)


def _png(color: str) -> bytes:
    data = BytesIO()
    Image.new("RGB", (20, 20), color).save(data, "PNG")
    return data.getvalue()


def test_counts_causes_timings_and_what_to_do_are_said(tmp_path: Path) -> None:
    report = _report(
        read=12_345, indexed=12_000, unchanged=340, rejected=5, degraded=1, embedded_images=12_000,
        rejects={"row-invalid": 5, "picture-damaged": 1}, stages={"scan": 0.5, "wait": 2, "images": 1, "odd": 0.1},
    )  # fmt: skip
    broken = _rejection(7, "picture-damaged", field="image", reason="it breaks off", degraded=True)
    page = Tags(
        _page(tmp_path, report, rejects=[_rejection(), broken], shown={"data_dir": "/my data", "collection": "shoes"})
    )
    for said in (
        "12,345 rows",
        "row-invalid 5",
        "and 4 more",
        "it breaks off ; indexed without it",
        "The bottleneck was decode . The model waited for images",
        "wait waiting for images 2.0 s",
        "odd 0.1 s 3%",
        "All of it took 3.5 s",
        f"python -m ingest --rejects {tmp_path}/rejects.jsonl --data-dir '/my data' --collection shoes",
    ):
        assert said in page.text, page.text
    assert "deleted" not in page.text


def test_what_is_read_otherwise_than_before_is_said(tmp_path: Path) -> None:
    report = _report(
        kind_changes={"weight<b>": Change(before="float", after="keyword")},
        mapping_changes={"brand": Change(before="brand_name", after=None)},
    )
    page = _page(tmp_path, report)
    assert "weight&lt;b&gt;" in page and "was float and is keyword" in page
    assert "brand_name" in page and "is read from no column" in page
    assert "read otherwise" not in _page(tmp_path, _report())


def test_a_run_without_anything_to_do_says_so(tmp_path: Path) -> None:
    page = Tags(_page(tmp_path, _report(read=3, unchanged=3, stages={"scan": 1, "compare": 0.2})))
    assert "Nothing. Every row is in the index." in page.text
    assert "nothing was embedded" in page.text
    assert "--rejects" not in page.text


def test_a_run_that_failed_before_it_counted_anything_has_a_page_too(tmp_path: Path) -> None:
    page = Tags(_page(tmp_path, _report(seconds=0), failure="the catalog <broke> off"))
    assert "The job could not be done the catalog <broke> off" in page.text
    assert "0 rows" in page.text
    assert "Every row is in the index" not in page.text


def test_a_dry_run_does_not_claim_to_have_done_anything(tmp_path: Path) -> None:
    page = Tags(_page(tmp_path, _report(read=3, indexed=3), shown={"dry_run": "yes"}))
    assert "Dry run: nothing was changed" in page.text
    assert "3 rows would be" in page.text


_HOSTILE = st.text(st.characters() | st.sampled_from("<>&\"'/=`{}%# \0"), min_size=1, max_size=60)
_ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}\ud800</style></title>"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_HOSTILE)
def test_nothing_of_a_catalog_becomes_markup(tmp_path: Path, text: str) -> None:
    safe, hostile = (_skeleton(tmp_path, said) for said in ("harmless", text))
    assert hostile == safe


def test_an_attack_is_shown_as_it_is(tmp_path: Path) -> None:
    assert _skeleton(tmp_path, _ATTACK) == _skeleton(tmp_path, "harmless")
    _skeleton(tmp_path, _ATTACK)
    page = Tags((tmp_path / "run.html").read_text(encoding="utf-8"))
    assert _ATTACK.replace("\ud800", "?") in page.text


def _skeleton(folder: Path, text: str) -> list[tuple[str, list[str]]]:
    """The page's tags with the names of their attributes."""
    rejected = [
        _rejection(id=text, reason=text, field=text, content={"image": text}),
        _rejection(2, "picture-damaged", id=text, reason=text, field="image", content={"images": [text, text + "b"]}),
    ]
    side = {"product": text, "picture": 0, "source": text, "root": text}
    page = _page(
        folder,
        _report(
            catalog=text, collection=text, model=text, rejects={"row-invalid": 1, "picture-damaged": 1}, rejected=2
        ),
        rejects=rejected,
        same=[{"kind": text, "one": side, "other": side, "difference": 0.3, "cosine": 0.99}],
        shown={"model": text},
        failure=text,
    )
    tags = Tags(page).tags
    for tag, attributes in tags:
        assert tag not in ("script", "iframe", "link", "form")
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
        assert (attributes.get("src") or "data:").startswith("data:")
    return [(tag, sorted(attributes)) for tag, attributes in tags]


def test_the_page_allows_itself_its_own_style_and_nothing_else(tmp_path: Path) -> None:
    page = _page(tmp_path, _report())
    (style,) = re.findall(r"<style>(.*?)</style>", page, flags=re.DOTALL)
    policy = next(its for its in Tags(page).all("meta") if its.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy["content"] == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style
    assert "@import" not in style


def test_images_are_shown_and_those_that_cannot_be_have_a_tile_with_the_reason(tmp_path: Path) -> None:
    asked: list[tuple[str | None, str]] = []

    def read(root: str | None, source: str) -> bytes | None:
        asked.append((root, source))
        if source == "gone.jpg":
            raise ImageNotFound("gone", field="image")
        return None if source == "none.jpg" else _png("red")

    rejects = [
        _rejection(1, field="price", content={"id": "p1", "price": "x", "image": "a.jpg"}),
        _rejection(2, field="price", content={"photo": ["gone.jpg", "b.png"]}),
        _rejection(3, "picture-not-found", field="image", reason="it is gone", content={"image": "gone.jpg"}),
        _rejection(4, "picture-not-found", field="image", content={"image": "https://slow.example/a.jpg"}),
        _rejection(5, content="no row at all, a.jpg"),
        _rejection(6, content={"image": "none.jpg", "title": "a nice.jpg or so"}),
    ]
    side = {"product": "a", "picture": 0, "source": "a.jpg", "root": "/elsewhere"}
    same = [{"kind": "identical", "one": side, "other": side, "difference": 0.0, "cosine": 1.0}, {"kind": "torn"}, 7]
    page = Tags(_page(tmp_path, _report(rejects={"row-invalid": 4}), rejects=rejects, same=same, images=read))
    assert [its["alt"] for its in page.all("img")] == ["Image of p1", "Image of p2", "Image of a", "Image of a"]
    assert all((its["src"] or "").startswith("data:image/webp;base64,") for its in page.all("img"))
    assert page.text.count("cannot be shown") == 5
    assert "it is gone" in page.text
    assert Counter(asked) == Counter(
        [(None, "a.jpg"), (None, "gone.jpg"), (None, "b.png"), (None, "none.jpg"), ("/elsewhere", "a.jpg")]
    )


def test_of_thousands_a_hundred_are_shown_and_no_cause_crowds_out_another(tmp_path: Path) -> None:
    rejects = [_rejection(n, "picture-not-found", field="image", content={"image": f"{n}.jpg"}) for n in range(3000)]
    rejects += [_rejection(n, "picture-damaged", field="image", content={"image": f"{n}.jpg"}) for n in range(30)]
    side = {"product": "a", "source": "a.jpg", "root": "r"}
    same = [{"kind": "identical", "one": side, "other": side}] * 250
    report = _report(rejects={"picture-not-found": 3000, "picture-damaged": 30}, rejected=3030)
    page = Tags(_page(tmp_path, report, rejects=rejects, same=same))
    assert len(page.all("li", **{"class": "tile"})) == 50 + 30 + MAX_TILES
    assert "and 2,950 more in the rejects file" in page.text
    assert "250 identical pairs" in page.text
    assert "and 150 more" in page.text


def test_lines_that_are_torn_are_passed_over(tmp_path: Path) -> None:
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(b'{"line": 1, "code": "row-invalid", "reason": "r"}\n[]\n{"line": 2, "co\xff')
    write_report_page(tmp_path / "run.html", _report(rejects={"row-invalid": 2}), torn, tmp_path / "no", _nothing, {})
    assert "row-invalid 2" in Tags((tmp_path / "run.html").read_text()).text


def test_a_page_that_cannot_be_written_is_said_and_leaves_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taken = tmp_path / "run.html"
    (taken / "x").mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        write_report_page(taken, _report(), None, None, _nothing, {})
        write_report_page(tmp_path / "gone" / "run.html", _report(), None, None, _nothing, {})
    assert len(caplog.messages) == 2
    assert "could not be written: Is a directory" in caplog.messages[0]
    assert [path.name for path in tmp_path.iterdir()] == ["run.html"]


def test_secrets_are_not_among_the_settings_shown() -> None:
    shown = shown_settings(
        IngestSettings(
            catalog="c.jsonl",
            qdrant_url="http://me:hunter2@qdrant:6333/?api-key=hunter2",
            qdrant_api_key=SecretStr("hunter2"),
            prune=True,
        )
    )
    assert "hunter2" not in str(shown)
    assert shown["qdrant_url"] == "http://…@qdrant:6333/?…"
    assert shown["prune"] == "yes"
    assert not {"strict", "report", "qdrant_api_key"} & set(shown)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")],
)
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said
