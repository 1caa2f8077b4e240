"""Files that are replaced in one step."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.files import replace_file

LARGE = bytes(200_000)


@pytest.fixture
def no_large_files() -> Iterator[None]:
    """As a full disk, the system refuses the second half of a large file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(LARGE) // 2, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("durable", [True, False])
def test_replacing_leaves_one_file(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "file"
    for content in (b"one", "zwei ü".encode(), b""):
        replace_file(path, content, durable=durable)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("aside", [None, "aside"])
@pytest.mark.usefixtures("no_large_files")
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, aside: str | None) -> None:
    path = tmp_path / "file"
    replace_file(path, b"before")
    with pytest.raises(OSError, match="too large"):
        replace_file(path, LARGE, aside=tmp_path / aside if aside else None)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_no_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "gone" / "file", b"")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_writer_left_aside_is_used(tmp_path: Path) -> None:
    path, aside = tmp_path / "file", tmp_path / "file.new"
    aside.write_bytes(LARGE)
    replace_file(path, b"whole", aside=aside)
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_many_may_replace_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = {bytes([number]) * 10_000 for number in range(8)}
    threads = [threading.Thread(target=replace_file, args=(path, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]
