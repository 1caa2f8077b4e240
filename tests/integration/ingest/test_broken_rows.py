"""A bad row is data: it stands among the rejects with its reason, and every good row is indexed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingest.images import MAX_IMAGES
from schemas import CatalogError
from tests.integration.ingest.jobs import draw, generation, indexed, ingest, rejects, write_rows
from tests.support.images import photo, scanned


def test_rows_broken_in_every_way(tmp_path: Path) -> None:
    draw(tmp_path / "good.png")
    draw(tmp_path.parent / "outside.png")
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "half.jpg").write_bytes(photo()[:2000])
    (tmp_path / "often.jpg").write_bytes(scanned(200))
    (tmp_path / "link.png").symlink_to(tmp_path.parent / "outside.png")
    lines: list[tuple[str | None, str]] = [
        (None, '{"id": "good", "title": "Good", "image": "good.png"}'),
        ("row-unreadable", '{"id": "cut", "ti'),
        ("row-invalid", '{"title": "no id"}'),
        ("row-invalid", '{"id": "empty"}'),
        ("value-unusable", '{"id": "price", "title": "x", "price": "cheap", "in_stock": "perhaps", "brand": []}'),
        ("row-invalid", '{"id": "surrogate", "title": "\\ud800"}'),
        ("row-repeated", '{"id": "good", "title": "Again"}'),
        ("not-a-picture", '{"id": "text", "image": "text.jpg"}'),
        ("picture-damaged", '{"id": "half", "image": "half.jpg"}'),
        ("picture-too-costly", '{"id": "often", "image": "often.jpg"}'),
        ("picture-not-found", '{"id": "gone", "image": "gone.jpg"}'),
        ("picture-outside-catalog", '{"id": "up", "image": "../outside.png"}'),
        ("picture-outside-catalog", '{"id": "link", "image": "link.png"}'),
        ("picture-source-unsupported", '{"id": "url", "image": "ftp://example.com/a.png"}'),
        (None, '{"id": "words", "description": "Only words"}'),
        (None, '{"id": "picture", "image": "good.png"}'),
    ]
    catalog = tmp_path / "catalog.jsonl"
    catalog.write_text("\n".join(line for _, line in lines))
    report = ingest(catalog, tmp_path / "data")
    assert (report.read, report.indexed, report.rejected, report.degraded) == (16, 4, 12, 1)
    assert set(indexed(tmp_path / "data")) == {"good", "words", "picture", "price"}
    expected = [(number, code) for number, (code, _) in enumerate(lines, start=1) if code]
    assert sorted((r.line, r.code) for r in rejects(report)) == expected
    assert all(r.reason and r.content for r in rejects(report))


_REJECTED = {
    "deep": f'"a":{"[" * 100_000}1{"]" * 100_000}',
    "digits": f'"n":{"7" * 5_000}',
    "NaN": '"n":NaN',
    "twice": '"a":2,"a":1',
    "wide": ",".join(f'"k{number}":1' for number in range(20_000)),
    "i" * 20_000: '"a":1',
}
_LESS_A_VALUE = {
    **{f"list {depth}": f'"a":{"[" * depth}1{"]" * depth}' for depth in (17, 256, 900)},
    **{f"object {depth}": '"a":' + '{"b":' * depth + "1" + "}" * depth for depth in (17, 256, 900)},
    **{f"number {at}": f'"n":{n}' for at, n in enumerate(("8" * 400, "1e400"))},
    **{f"name {at}": f"{name}:1" for at, name in enumerate(('""', '"\\ud800"', f'"{"n" * 300}"', '"not"'))},
    "name inside": '"a":{"\\ud800":1}',
    "long names inside": '"' + "n" * 300_000 + '":{' + ",".join(f'"{number}":1' for number in range(20_000)) + "}",
    "text": '"description":"\\ud800"',
    "images": f'"images":[{",".join(["1"] * 20_000)}]',
}
_ODD = {
    "deep": f'"a":{"[" * 16}1{"]" * 16}',
    "number": f'"n":{"9" * 300}',
    "controls": '"description":"\\u0000\\u001b]0;x\\u0007"',
    "control in a name": '"\\u001b[31m":1',
    "names": '"a":{"":{"":1},"b\\u0000":[{"c":[]}]}',
    "values": f'"a":[{",".join(map(str, range(20_000)))}]',
}


def test_rows_that_were_made_to_hurt_stop_nothing(tmp_path: Path) -> None:
    hurt = [*_REJECTED.items(), *_LESS_A_VALUE.items(), *_ODD.items()]
    lines = [f'{{"id":"{at} {id}","title":"x",{rest}}}' for at, (id, rest) in enumerate(hurt)]
    good = [f'{{"id":"good {number}","title":"Good"}}' for number in range(len(lines))]
    catalog = tmp_path / "c.jsonl"
    catalog.write_text("\n".join(line for both in zip(lines, good, strict=True) for line in both))
    report = ingest(catalog, tmp_path / "data", report=tmp_path / "run.html")
    held = {id.partition(" ")[2] for id in indexed(tmp_path / "data") if not id.startswith("good")}
    assert held == {*_LESS_A_VALUE, *_ODD}
    assert (report.rejected, report.degraded) == (len(_REJECTED), len(_LESS_A_VALUE))
    assert report.indexed == len(_LESS_A_VALUE) + len(_ODD) + len(good)
    assert b"nested deeper" in (tmp_path / "run.html").read_bytes()
    same = ingest(catalog, tmp_path / "data")
    assert (same.indexed, same.updated, same.rejects) == (0, 0, report.rejects)
    again = ingest(None, tmp_path / "data", rejects=report.rejects_file, report=tmp_path / "again.html")
    assert (again.rejected, again.degraded) == (len(_REJECTED), len(_LESS_A_VALUE))
    assert sorted(r.line for r in rejects(again)) == sorted(r.line for r in rejects(report))


def test_a_row_with_good_words_is_indexed_without_its_bad_image(tmp_path: Path) -> None:
    draw(tmp_path / "good.png")
    rows: list[dict[str, object]] = [
        {"id": "a", "title": "All gone", "images": ["x.png", "y.png"]},
        {"id": "b", "title": "One gone", "images": ["x.png", "good.png"]},
        {"id": "c", "images": ["x.png", "good.png"]},
        {"id": "d", "category": "words that do not make a row", "images": ["x.png"]},
        {"id": "e", "title": "Never a path", "image": 7},
    ]
    report = ingest(write_rows(tmp_path / "c.jsonl", rows), tmp_path / "data")
    assert (report.indexed, report.rejected, report.degraded) == (4, 1, 4)
    assert {id: sorted(stored.vectors) for id, stored in indexed(tmp_path / "data").items()} == {
        "a": ["text", "title"],
        "b": ["image", "text", "title"],
        "c": ["image"],
        "e": ["text", "title"],
    }
    assert [(r.id, r.code, r.degraded) for r in rejects(report)] == [
        ("a", "picture-not-found", True),
        ("b", "picture-not-found", True),
        ("c", "picture-not-found", True),
        ("d", "picture-not-found", False),
        ("e", "picture-source-unsupported", True),
    ]
    assert "x.png" in rejects(report)[0].reason
    assert "y.png" in rejects(report)[0].reason


def test_a_degraded_row_that_did_not_change_is_unchanged_and_degraded_still(tmp_path: Path) -> None:
    catalog = write_rows(tmp_path / "c.jsonl", [{"id": "a", "title": "Gone", "image": "x.png"}])
    ingest(catalog, tmp_path / "data")
    served = generation(tmp_path / "data")
    again = ingest(catalog, tmp_path / "data")
    assert (again.unchanged, again.degraded) == (1, 1)
    assert generation(tmp_path / "data") == served
    draw(tmp_path / "x.png")
    mended = ingest(catalog, tmp_path / "data")
    assert (mended.indexed, mended.degraded, mended.embedded_images, mended.embedded_texts) == (1, 0, 1, 0)


def test_images_beyond_the_bound_are_left_out(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    paths = ["./" * i + "a.png" for i in range(MAX_IMAGES + 5)]
    report = ingest(write_rows(tmp_path / "c.jsonl", [{"id": "a", "images": paths}]), tmp_path / "data")
    assert (report.indexed, report.degraded, report.embedded_images) == (1, 1, 1)
    assert indexed(tmp_path / "data")["a"].vectors["image"].shape == (MAX_IMAGES, 32)


def test_a_catalog_without_a_product_touches_no_index(tmp_path: Path) -> None:
    report = ingest(write_rows(tmp_path / "c.jsonl", [{"id": "a"}, {"id": "b"}]), tmp_path / "data")
    assert (report.read, report.rejected, report.generation) == (2, 2, None)
    assert generation(tmp_path / "data") is None


@pytest.mark.parametrize("name", ["c.jsonl", "c.csv"])
def test_a_catalog_without_rows_is_no_catalog(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("id,title\n" if name == "c.csv" else "\n")
    with pytest.raises(CatalogError, match="has no rows"):
        ingest(tmp_path / name, tmp_path / "data")


_GOOD = st.fixed_dictionaries({"title": st.sampled_from(["red shoe", "blue hat"]), "price": st.floats(0, 100)})
_DEGRADED = st.fixed_dictionaries(
    {"title": st.just("cap"), "image": st.sampled_from(["gone.png", "bad.png", "/etc/passwd"])},
    optional={"price": st.just("cheap"), "in_stock": st.just("perhaps")},
)
_NO_PRODUCT: list[dict[str, object]] = [{"price": 1}, {"title": {"en": "hat"}}, {"brand": "x", "price": "y"}]
_BAD = st.sampled_from([*_NO_PRODUCT, {"image": "gone.png"}])
_ROWS = st.lists(st.tuples(st.sampled_from("abcdefgh"), _GOOD | _DEGRADED | _BAD), min_size=1, max_size=12)


@given(first=_ROWS, second=_ROWS, torn=st.booleans())
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # two jobs an example: shrinking would take minutes
)
def test_every_row_is_counted_once_in_any_mixture(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[tuple[str, dict[str, object]]],
    second: list[tuple[str, dict[str, object]]],
    torn: bool,
) -> None:
    root = tmp_path_factory.mktemp("mixture")
    (root / "bad.png").write_text("no image")
    good: set[str] = set()
    for rows in (first, second):
        lines = [json.dumps({"id": id, **row}) for id, row in rows] + ['{"id'] * torn
        (root / "c.jsonl").write_text("\n".join(lines))
        report = ingest(root / "c.jsonl", root / "data")
        assert report.read == len(lines)
        firsts: dict[str, dict[str, object]] = {}
        for id, row in rows:
            if row not in _NO_PRODUCT:
                firsts.setdefault(id, row)
        good |= {id for id, row in firsts.items() if "title" in row}
    assert (set(indexed(root / "data")) if good else set()) == good
