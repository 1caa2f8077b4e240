"""``python -m ingest tidy``, as it is called: it takes what no generation names, and nothing else."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from pathlib import Path

import pytest

from images import ImageStore, hash_bytes
from index import IndexSettings, open_store
from ingest.command import main
from tests.integration.ingest.jobs import ingest, write_rows
from tests.support.duplicates import WithImages, png, scene, write
from tests.support.points import index_record, make_point
from tests.support.qdrant_server import qdrant_server


def _tidy(data_dir: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> int:
    assert main(["tidy", "--data-dir", str(data_dir), *arguments]) == 0
    removed: int = json.loads(capsys.readouterr().out)["images"]
    return removed


def _refused(data_dir: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["tidy", "--data-dir", str(data_dir), *arguments]) == 1
    return capsys.readouterr().err


def _catalog(folder: Path, *images: bytes) -> Path:
    rows = (
        {"id": str(at), "title": f"Product {at}", "image": f"data:image/png;base64,{b64encode(image).decode()}"}
        for at, image in enumerate(images)
    )
    return write_rows(folder / "c.jsonl", rows)


def _age(data_dir: Path, days: float = 8) -> None:
    for path in (data_dir / "pictures").rglob("*"):
        if path.is_file():
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - days * 86_400))


def _kept(data_dir: Path, *images: bytes) -> list[bool]:
    return [ImageStore(data_dir / "pictures").has(hash_bytes(image)) for image in images]


def test_images_go_with_the_last_generation_that_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, (a, b, c) = tmp_path / "data", (png(scene(number)) for number in range(3))
    ingest(_catalog(tmp_path, a, b), data)
    ingest(_catalog(tmp_path, c, b), data, force=True)
    _age(data)
    assert _tidy(data, capsys) == 0  # the generation to roll back to
    ingest(_catalog(tmp_path, c), data, prune=True, force=True)
    assert _tidy(data, capsys, "--dry-run") == 1
    assert _kept(data, a, b, c) == [True, True, True]
    assert _tidy(data, capsys) == 1
    assert _kept(data, a, b, c) == [False, True, True]


def test_images_of_other_collections_and_of_a_job_that_died_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, (a, b, c, d) = tmp_path / "data", (png(scene(number)) for number in range(4))
    ingest(_catalog(tmp_path, a), data)
    ingest(_catalog(tmp_path, b), data, collection="other")
    store = open_store(IndexSettings(data_dir=data, collection="third"))
    with store.lock():
        point = make_point(1)
        point.payload["pictures"] = [{"at": 0, "hash": hash_bytes(c)}]
        store.begin(index_record()).upsert([point])  # and no commit
    for image in (c, d):
        ImageStore(data / "pictures").put(image)
    _age(data)
    assert _tidy(data, capsys) == 1
    assert _kept(data, a, b, c, d) == [True, True, True, False]


def test_what_was_put_of_late_stays_and_nobody_writes_meanwhile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, image = tmp_path / "data", png(scene(1))
    ingest(_catalog(tmp_path, png(scene(0))), data)
    ImageStore(data / "pictures").put(image)
    _age(data, 6)
    assert _tidy(data, capsys) == 0
    _age(data, 2)
    with open_store(IndexSettings(data_dir=data)).lock():
        assert "another job" in _refused(data, capsys)
    assert _kept(data, image) == [True]


def test_where_not_every_index_can_be_asked_nothing_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, image = tmp_path / "data", png(scene(0))
    ImageStore(data / "pictures").put(image)
    _age(data)
    assert "there is no index" in _refused(data, capsys)
    ingest(_catalog(tmp_path, png(scene(1))), data)
    (data / "far").mkdir()
    (data / "far" / "server-0123456789abcdef.lock").touch()
    assert "collection far was filled on a Qdrant server" in _refused(data, capsys)
    (data / "far" / "server-0123456789abcdef.lock").unlink()
    (next((data / "products" / "generations").iterdir()) / "record.json").write_text("{}")
    assert "record.json cannot be read" in _refused(data, capsys)
    assert _kept(data, image) == [True]


def test_images_of_a_server_s_index_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, (a, b) = tmp_path / "data", (png(scene(number)) for number in range(2))
    with qdrant_server() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        write(open_store(IndexSettings(data_dir=data, qdrant_url=url)), [WithImages("1", [a])])
        for image in (a, b):
            ImageStore(data / "pictures").put(image)
        _age(data)
        assert "say which by --qdrant-url" in _refused(data, capsys)
        monkeypatch.setenv("STORELENS_DATA_DIR", str(data))
        assert main(["tidy", "--qdrant-url", url]) == 0
    assert _kept(data, a, b) == [True, False]
