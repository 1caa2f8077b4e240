"""Mapped files leave the process' memory, and keep what was written to them."""

from __future__ import annotations

import mmap
from pathlib import Path

import psutil
import pytest

from index.edge.memory_mapping import release

pytestmark = pytest.mark.skipif(not psutil.LINUX, reason="only Linux says what is mapped")

_SIZE = 8 << 20


def _mapped() -> int:
    """Bytes of files in memory, as the kernel counts them now."""
    memory: int = psutil.Process().memory_info().shared
    return memory


def _touched(path: Path, flags: int) -> mmap.mmap:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(_SIZE))
    with path.open("r+b") as file:
        mapping = mmap.mmap(file.fileno(), _SIZE, flags)
    for start in range(0, _SIZE, mmap.PAGESIZE):
        mapping[start : start + 5] = b"apple"
    return mapping


def test_what_is_mapped_is_let_go_and_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "an index" / "vectors"
    with _touched(path, mmap.MAP_SHARED) as mapping:
        before = _mapped()
        release(path.parent)
        assert before - _mapped() > _SIZE / 2
        assert mapping[_SIZE - mmap.PAGESIZE :][:5] == b"apple"
        mapping[:5] = b"grape"
    content = path.read_bytes()
    assert content[:5] == b"grape"
    assert content.count(b"apple") == _SIZE // mmap.PAGESIZE - 1


def test_files_elsewhere_stay(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    with _touched(tmp_path / "index-of-another" / "vectors", mmap.MAP_SHARED):
        before = _mapped()
        release(tmp_path / "index")
        assert before - _mapped() < _SIZE / 2


def test_private_mappings_keep_what_no_file_has(tmp_path: Path) -> None:
    path = tmp_path / "index" / "vectors"
    with _touched(path, mmap.MAP_PRIVATE) as mapping:
        release(path.parent)
        assert mapping[:5] == b"apple"
    assert not any(path.read_bytes())


def test_a_folder_that_is_not_there_is_no_trouble(tmp_path: Path) -> None:
    release(tmp_path / "none")
