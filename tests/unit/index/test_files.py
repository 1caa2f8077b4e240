from __future__ import annotations

from pathlib import Path

import pytest

from index.edge.files import copy_tree


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
