"""What is said of a folder that cannot be used as an index needs it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from index import IndexSettings, open_store
from index.edge.disk_space import told_when_full
from schemas import IndexForbidden, reason


def test_a_read_only_disk_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(IndexForbidden, match=r"read-only.*mount it to be written to") as raised,
        told_when_full(tmp_path),
    ):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "views"))
    assert str(tmp_path / "views") in raised.value.message


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_right_that_lacks_is_said_and_whose(number: int, tmp_path: Path) -> None:
    user = os.geteuid()
    with pytest.raises(IndexForbidden, match=f"to user {user}: .*chown -R {user}"), told_when_full(tmp_path):
        raise OSError(number, os.strerror(number), str(tmp_path))


@pytest.mark.parametrize("server", [None, "http://127.0.0.1:1"])
@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("file", "/file is a file"),
        ("file/in/it", "/file is a file"),
        ("/dev/null", "^/dev/null is a file"),
        ("/proc/storelens", "cannot be made"),
        ("loop", "cannot be used"),
        ("nowhere", "is a file|cannot be made"),
        ("n" * 300, "cannot be used"),
    ],
)
def test_where_there_can_be_no_folder_a_job_says_so(folder: str, said: str, server: str | None, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("/proc/storelens")
    store = open_store(IndexSettings(data_dir=tmp_path / folder, qdrant_url=server))
    with pytest.raises(IndexForbidden, match=said), store.lock():
        pass


@pytest.mark.parametrize("folder", ["file", "file/in/it", "collection"])
def test_a_file_in_place_of_the_folder_is_not_an_index_that_is_not_there_yet(folder: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "collection").mkdir()
    (tmp_path / "collection" / "products").touch()
    store = open_store(IndexSettings(data_dir=tmp_path / folder))
    for ask in (store.version, store.record, store.open, store.generations):
        with pytest.raises(IndexForbidden, match="is a file"):
            ask()


def test_other_reasons_are_the_system_s_own_words() -> None:
    assert reason(FileNotFoundError(errno.ENOENT, "No such file or directory")) == "No such file or directory"
    assert reason(OSError("odd")) == "odd"
