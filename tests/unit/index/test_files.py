from __future__ import annotations

import os
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


def test_what_was_never_written_to_is_not_read(tmp_path: Path) -> None:
    """Of a terabyte; Qdrant sets aside 32 MB for each file."""
    source = tmp_path / "a" / "file"
    source.parent.mkdir()
    with source.open("wb") as file:
        file.seek(2**30)
        file.write(b"here")
        file.truncate(2**40)
    copy_tree(source.parent, tmp_path / "copy")
    with (tmp_path / "copy" / "file").open("rb") as file:
        file.seek(2**30 - 1)
        assert file.read(6) == b"\0here\0"
        assert file.seek(0, os.SEEK_END) == 2**40
