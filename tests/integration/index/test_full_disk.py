"""A disk that is full: a message, what serves untouched, and a rerun that goes on. Never a killed process."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.edge import disk_space
from index.edge.store import EmbeddedStore
from schemas import IndexDiskFull
from tests.integration.index import jobs
from tests.support.points import index_record, make_point


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=800m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be mounted here, so none can be filled: {error}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    "stage", ["first upsert", "first commit", "lock", "begin", "upsert", "payload", "commit", "read"]
)
def test_a_disk_that_fills_up_ends_a_job_with_a_message(small_disk: Path, stage: str) -> None:
    process, report = jobs.start(jobs.ingest_on_a_full_disk, small_disk, stage)
    process.join()
    assert process.exitcode == 0, "killed in the middle of a write"
    assert str(small_disk) in report.recv()
    (small_disk / "ballast").unlink()
    assert jobs.served_round(jobs.store(small_disk)) == (0 if "first" in stage else 1)
    jobs.ingest(small_disk)
    assert jobs.served_round(jobs.store(small_disk)) > 0


def _has_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=free))


def test_the_message_says_how_much_is_needed_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.ingest(tmp_path)
    store = EmbeddedStore(tmp_path, "products")
    version = store.version()
    with monkeypatch.context() as full:
        _has_free(full, 12_000_000)
        # How much depends on the disk: one in memory fills the holes of files that are read.
        with pytest.raises(IndexDiskFull, match=rf"needs about \d+ MB free on the disk of {tmp_path}.*has 12 MB; "):
            jobs.ingest(tmp_path)
    assert not (tmp_path / "products" / "building").exists()
    assert store.version() == version
    with closing(store.open()) as index:
        assert jobs.round_of(index) == 1


def test_what_was_written_before_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = EmbeddedStore(tmp_path, "products")
    with store.lock():
        build = store.begin(index_record())
        build.upsert([make_point(1)])
        with monkeypatch.context() as full:
            _has_free(full, 1_000_000)
            for write in (
                lambda: build.upsert([make_point(2)]),
                lambda: build.set_payload({make_point(1).id: {}}),
                lambda: build.delete([make_point(1).id]),
                build.optimize,
                build.commit,
            ):
                with pytest.raises(IndexDiskFull):
                    write()
    with store.lock():
        build = store.begin(index_record())
        assert build.resumed
        assert build.index.fetch([make_point(1).id])[make_point(1).id].payload == make_point(1).payload
        build.commit()
    with closing(store.open()) as index:
        assert index.count() == 1


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")]),
        RuntimeError("Service runtime error: Not enough space available for optimization, needed: 1 MiB"),
    ],
)
def test_every_way_to_say_that_a_disk_is_full_is_known(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(IndexDiskFull, match="what serves is untouched"), disk_space.told_when_full(tmp_path):
        raise error


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Input/output"), disk_space.told_when_full(tmp_path):
        raise OSError(errno.EIO, "Input/output error")
