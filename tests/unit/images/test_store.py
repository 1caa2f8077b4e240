from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images import ImageStore, hash_bytes


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "pictures")


def _files(store: ImageStore) -> list[str]:
    return sorted(str(path.relative_to(store.folder)) for path in store.folder.rglob("*") if path.is_file())


def test_what_is_put_can_be_had_by_its_hash(store: ImageStore) -> None:
    hash = store.put(b"one")
    assert hash == hash_bytes(b"one")
    assert (store.get(hash), store.has(hash)) == (b"one", True)
    assert ImageStore(store.folder).get(hash) == b"one"
    assert _files(store) == [f"{hash[:2]}/{hash}"]


def test_nothing_is_written_before_something_is_put(store: ImageStore) -> None:
    assert store.get("0" * 32) is None
    assert not store.folder.exists()


@pytest.mark.parametrize(
    "hash", ["", "..", "../../etc/passwd", "0" * 31, "0" * 33, "G" * 32, "0" * 32 + "\n", "\0" * 32]
)
def test_what_is_no_hash_is_no_path(store: ImageStore, hash: str) -> None:
    store.put(b"one")
    assert (store.get(hash), store.has(hash)) == (None, False)


@pytest.mark.parametrize("left", [b"", b"on", b"\0\0\0", b"two"])
def test_a_file_that_is_not_what_its_name_says_is_not_there_and_is_put_anew(store: ImageStore, left: bytes) -> None:
    hash = store.put(b"one")
    (store.folder / hash[:2] / hash).write_bytes(left)
    assert store.get(hash) is None
    store.put(b"one")
    assert store.get(hash) == b"one"


def test_what_killed_processes_left_is_removed_once_it_is_old(store: ImageStore) -> None:
    store.put(b"one")
    old, young = store.folder / "new" / "old", store.folder / "new" / "young"
    for path in (old, young):
        path.write_bytes(b"half a pict")
    os.utime(old, (0, 0))
    ImageStore(store.folder)
    assert (old.exists(), young.exists()) == (False, True)


def test_many_may_put_the_same_and_others_at_once(store: ImageStore) -> None:
    contents = [b"%d" % (number % 5) * 10_000 for number in range(20)]
    threads = [threading.Thread(target=store.put, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_files(store)) == 5
    assert all(store.get(hash_bytes(content)) == content for content in contents)


@given(st.binary(max_size=200))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    store = ImageStore(tmp_path_factory.getbasetemp() / "any-bytes")
    assert store.get(store.put(data)) == data


def test_what_nobody_uses_is_removed_once_it_is_old(store: ImageStore) -> None:
    hashes = [store.put(data) for data in (b"used", b"old", b"new", b"put again")]
    for hash in (hashes[0], hashes[1], hashes[3]):
        os.utime(store.folder / hash[:2] / hash, (1_000, 1_000))
    store.put(b"put again")
    (store.folder / hashes[1][:2] / "somebody's own").touch()
    assert store.remove_unused({hashes[0]}, 2_000, dry_run=True) == (1, 3)
    assert all(map(store.has, hashes))
    assert store.remove_unused({hashes[0]}, 2_000) == (1, 3)
    assert [store.has(hash) for hash in hashes] == [True, False, True, True]
    assert store.remove_unused({hashes[0]}, 2_000) == (0, 0)


def test_a_store_that_is_not_there_has_nothing_to_remove(store: ImageStore) -> None:
    assert store.remove_unused((), 2_000) == (0, 0)
