"""Rejections of anything, and the file that keeps them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import product_from_row
from ingest.rejects import JsonLinesFile, RejectsFile, rejection
from schemas import MAX_ID, MAX_NAME, ImageNotFound, Rejection, RowError
from tests.support import images

_anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary()
    | st.text(st.characters())  # lone surrogates too
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)


@given(content=_anything, text=st.text(st.characters()))
def test_whatever_a_row_holds_its_rejection_can_be_written_and_read(
    tmp_path_factory: Any, content: Any, text: str
) -> None:
    rejected = rejection(7, RowError(f"bad {text}", field=text), content, id=text)
    with RejectsFile(tmp_path_factory.mktemp("rejects"), "/shop") as rejects:
        rejects.write(rejected)
    assert rejects.path is not None
    line = rejects.path.read_text(encoding="utf-8")
    assert Rejection.model_validate_json(line) == rejected.model_copy(update={"root": "/shop"})


def test_rows_are_kept_whole_and_text_that_is_no_row_is_cut() -> None:
    row = {"id": "a", "price": "cheap", "tags": ["é", 1, None]}
    assert rejection(1, RowError("x"), row).content == row
    long = {"title": "y" * 50_000}
    assert rejection(1, RowError("x"), long).content == long
    for text in (b"y" * 50_000, {"title": "y" * 11_000_000}):
        cut = rejection(1, RowError("x"), text).content
        assert isinstance(cut, str)
        assert len(cut) == 10_000


@pytest.mark.parametrize("row", [{"a": math.nan}, {"a": "\ud800"}, {"\ud800": [1]}, {"a": {"b": -math.inf}}])
def test_what_files_of_json_do_not_hold_is_kept_as_its_text(row: dict[str, Any]) -> None:
    long = row | {"title": "y" * 50_000}
    content = rejection(1, RowError("x"), long).content
    assert isinstance(content, str)
    assert repr(json.loads(content)) == repr(long)


@pytest.mark.parametrize("kind", [list, dict])
@pytest.mark.parametrize("depth", [1, 60, 64, 65, 199, 200, 255, 256, 900, 5_000])
def test_a_row_of_any_depth_is_kept_and_read_back(tmp_path: Path, kind: type, depth: int) -> None:
    row: Any = 1
    for _ in range(depth):
        row = [row] if kind is list else {"a": row}
    rejected = rejection(1, RowError("x"), {"id": "deep", "a": row})
    with RejectsFile(tmp_path, "/shop") as rejects:
        rejects.write(rejected)
    assert rejects.path is not None
    assert Rejection.model_validate_json(rejects.path.read_bytes()).content == rejected.content
    if depth < 900:  # beyond it is for the stack to say what can be kept
        kept = json.loads(rejected.content) if isinstance(rejected.content, str) else rejected.content
        assert kept == {"id": "deep", "a": row}


def test_what_an_error_repeats_of_a_row_is_cut() -> None:
    rejected = rejection(1, RowError("x" * 20_000, field="f" * 20_000), {}, id="i" * 20_000)
    assert (len(rejected.reason), len(rejected.field or ""), len(rejected.id or "")) == (10_000, MAX_NAME, MAX_ID)


def test_images_in_a_row_are_kept_so_that_it_can_be_tried_again() -> None:
    image = images.photo(8, 8)
    row = {"id": "a", "price": "cheap", "image": {"bytes": image, "path": "a.jpg"}, "images": [b"no image"]}
    content = rejection(1, RowError("x"), row).content
    assert isinstance(content, dict)
    again = product_from_row(content | {"price": 1.0})
    assert list(again.inline.values()) == [image, b"no image"]
    assert json.dumps(content).count("data:image/jpeg;base64,") == 1


def test_there_is_no_file_without_rejects(tmp_path: Path) -> None:
    with RejectsFile(tmp_path / "data", "/shop") as rejects:
        pass
    assert rejects.path is None
    assert not (tmp_path / "data").exists()


def test_lines_are_on_disk_as_they_come_and_counted_by_code(tmp_path: Path) -> None:
    with RejectsFile(tmp_path, "/shop") as rejects:
        rejects.write(rejection(1, RowError("no title", field="title"), {"id": "a"}, id="a"))
        rejects.write(rejection(2, ImageNotFound("gone", field="image"), {"id": "b"}, id="b", degraded=True))
        rejects.write(rejection(3, RowError("no id"), {}))
        assert rejects.path is not None
        lines = [json.loads(line) for line in rejects.path.read_text().splitlines()]
    assert [(line["line"], line["id"], line["field"], line["degraded"]) for line in lines] == [
        (1, "a", "title", False),
        (2, "b", "image", True),
        (3, None, None, False),
    ]
    assert rejects.counts == {"row-invalid": 2, "picture-not-found": 1}


def test_a_file_of_lines_is_not_there_without_any_and_counts_them_by_kind(tmp_path: Path) -> None:
    with JsonLinesFile(tmp_path / "data", "same") as none:
        pass
    assert none.path is None
    assert not (tmp_path / "data").exists()
    with JsonLinesFile(tmp_path / "data", "same") as file:
        for number, kind in enumerate(["identical", "near-identical", "identical"]):
            file.write_line(json.dumps(number), kind)
    assert file.counts == {"identical": 2, "near-identical": 1}
    assert file.path is not None
    assert (file.path.parent, file.path.name[:5]) == (tmp_path / "data", "same-")
    assert file.path.read_text(encoding="utf-8").splitlines() == ["0", "1", "2"]
