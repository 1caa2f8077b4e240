from __future__ import annotations

from pathlib import Path

import pytest

from index.edge.files import copy_tree, replace_text


@pytest.mark.parametrize(
    "content", [b"", b"x", bytes(200_000), bytes(65_536) + b"x" * 65_536 + bytes(65_536), b"x" + bytes(99_999)]
)
def test_copies_are_equal_and_leave_holes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(content)
    copy_tree(tmp_path / "a", tmp_path / "copy")
    copy = tmp_path / "copy" / "b" / "file"
    assert copy.read_bytes() == content
    assert copy.stat().st_blocks * 512 <= (tmp_path / "a" / "b" / "file").stat().st_blocks * 512


def test_replacing_leaves_one_file(tmp_path: Path) -> None:
    for text in ("one", "zwei ü"):
        replace_text(tmp_path / "current", text)
        assert (tmp_path / "current").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["current"]
