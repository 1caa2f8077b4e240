"""What is said of a folder that cannot be used as an index needs it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

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


def test_other_reasons_are_the_system_s_own_words() -> None:
    assert reason(FileNotFoundError(errno.ENOENT, "No such file or directory")) == "No such file or directory"
    assert reason(OSError("odd")) == "odd"
