"""Images beside a catalog, in a folder, an archive or object storage."""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import fsspec
import pytest
from backports import zstd

from images import ImageLimits, open_root
from schemas import (
    ImageDamaged,
    ImageError,
    ImageNotFound,
    ImageOutsideCatalog,
    ImageSourceUnsupported,
    ImageTooLarge,
)

LIMITS = ImageLimits(max_bytes=1000)
FILES = {f"pictures/{i}.png": bytes([i]) * (100 + i) for i in range(20)} | {"top.png": b"top", "large.png": bytes(1001)}

Packer = Callable[[Path, Mapping[str, bytes]], str]


def _folder(folder: Path, files: Mapping[str, bytes]) -> str:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        os.utime(folder / name, (1, 1))  # a file that was just written has no version tag: it may be written to again
    return str(folder)


def _zip(folder: Path, files: Mapping[str, bytes]) -> str:
    with zipfile.ZipFile(folder / "shop.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return str(folder / "shop.zip")


def _tar_bytes(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size, info.mtime = len(data), 1_700_000_000
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _tar(folder: Path, files: Mapping[str, bytes], suffix: str = ".tar") -> str:
    pack: dict[str, Callable[[bytes], bytes]] = {".tar": bytes, ".tar.gz": gzip.compress, ".tar.zst": zstd.compress}
    (folder / f"shop{suffix}").write_bytes(pack[suffix](_tar_bytes(files)))
    return str(folder / f"shop{suffix}")


def _memory(folder: Path, files: Mapping[str, bytes]) -> str:
    fs = fsspec.filesystem("memory")
    for name, data in files.items():
        fs.pipe_file(f"/{folder.name}/shop/{name}", data)
    return f"memory://{folder.name}/shop"


PACKERS: dict[str, Packer] = {
    "folder": _folder,
    "zip": _zip,
    "inside a zip": lambda folder, files: _zip(folder, {f"a/b/{n}": d for n, d in files.items()}) + "!/a/b",
    "tar": _tar,
    "tar.gz": lambda folder, files: _tar(folder, files, ".tar.gz"),
    "tar.zst": lambda folder, files: _tar(folder, files, ".tar.zst"),
    "remote": _memory,
    "zip, remote": lambda folder, files: f"{_memory(folder, {'a.zip': Path(_zip(folder, files)).read_bytes()})}/a.zip",
}


@pytest.fixture(params=list(PACKERS.values()), ids=list(PACKERS))
def packer(request: pytest.FixtureRequest) -> Iterator[Packer]:
    yield request.param
    fsspec.filesystem("memory").store.clear()


def test_images_are_read_in_place_by_many_threads_at_once(tmp_path: Path, packer: Packer) -> None:
    with closing(open_root(packer(tmp_path, FILES), LIMITS)) as root:
        small = {name: data for name, data in FILES.items() if len(data) <= LIMITS.max_bytes}
        ready = threading.Barrier(8)

        def read_all(_: int) -> dict[str, bytes]:
            ready.wait()
            return {name: root.read(name) for name in small}

        with ThreadPoolExecutor(8) as threads:
            assert all(read == small for read in threads.map(read_all, range(8)))
        assert root.read("./pictures//1.png") == FILES["pictures/1.png"]


def test_what_cannot_be_read_says_why(tmp_path: Path, packer: Packer) -> None:
    with closing(open_root(packer(tmp_path, FILES), LIMITS)) as root:
        for source, error in (
            ("pictures/none.png", ImageNotFound),
            ("large.png", ImageTooLarge),
            ("../top.png", ImageOutsideCatalog),
            ("/etc/passwd", ImageOutsideCatalog),
            ("pictures/../../x", ImageOutsideCatalog),
            ("http://x/a.png", ImageSourceUnsupported),
            ("a\\b", ImageSourceUnsupported),
        ):
            with pytest.raises(error):
                root.read(source)


def test_marks_change_with_the_image_and_only_with_it(tmp_path: Path, packer: Packer) -> None:
    (tmp_path / "a").mkdir()
    where = packer(tmp_path / "a", FILES)
    with closing(open_root(where, LIMITS)) as root:
        before = {name: root.version_tag(name) for name in FILES}
        assert None not in before.values()
        assert before == {name: root.version_tag(name) for name in FILES}
        assert root.version_tag("pictures/none.png") is None
    with closing(open_root(packer(tmp_path / "a", FILES | {"top.png": b"other"}), LIMITS)) as root:
        after = {name: root.version_tag(name) for name in FILES}
    assert after["top.png"] != before["top.png"]
    if (".zip" in where and "://" not in where) or ".tar" in where:  # packed anew, what is the same has the same tag
        assert [name for name in FILES if after[name] != before[name]] == ["top.png"]


def test_an_archive_that_is_replaced_is_noticed(tmp_path: Path) -> None:
    with closing(open_root(_zip(tmp_path, {"a.png": b"old"}), LIMITS)) as root:
        assert root.read("a.png") == b"old"
        (tmp_path / "new").mkdir()
        Path(_zip(tmp_path / "new", {"a.png": b"newer", "b.png": b"b"})).replace(tmp_path / "shop.zip")
        assert root.read("a.png") == b"newer"
        assert root.read("b.png") == b"b"
        (tmp_path / "shop.zip").unlink()
        assert root.version_tag("a.png") is None
        with pytest.raises(ImageNotFound, match=r"shop\.zip"):
            root.read("a.png")


# Hostile archives


def test_a_zip_that_lies_or_hides_costs_its_image_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.png", b"good")
        archive.writestr("../outside.png", b"outside")
        archive.writestr("/absolute.png", b"absolute")
        archive.writestr("bomb.png", bytes(50_000_000))
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("broken.png", b"x" * 500, zipfile.ZIP_STORED)
        locked = zipfile.ZipInfo("locked.png")
        archive.writestr(locked, b"locked")
    data = bytearray(path.read_bytes())
    at = data.index(b"x" * 500)
    data[at : at + 4] = b"yyyy"
    central = data.rindex(b"PK\x01\x02", 0, data.rindex(b"locked.png"))
    data[central + 8] |= 1  # encrypted
    path.write_bytes(data)
    with closing(open_root(str(path), LIMITS)) as root:
        assert root.read("good.png") == b"good"
        for source, error in (
            ("outside.png", ImageNotFound),
            ("../outside.png", ImageOutsideCatalog),
            ("/absolute.png", ImageOutsideCatalog),
            ("bomb.png", ImageTooLarge),
            ("link.png", ImageSourceUnsupported),
            ("broken.png", ImageDamaged),
            ("locked.png", ImageSourceUnsupported),
        ):
            with pytest.raises(error):
                root.read(source)
    assert [entry.name for entry in tmp_path.iterdir()] == ["shop.zip"]


def test_a_tar_of_links_and_devices_holds_only_its_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "shop.tar", "w") as archive:
        for name, kind in (("sym.png", tarfile.SYMTYPE), ("hard.png", tarfile.LNKTYPE), ("fifo.png", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        for name in ("../outside.png", "/absolute.png", "good.png"):
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"data"))
    with closing(open_root(str(tmp_path / "shop.tar"), LIMITS)) as root:
        assert root.read("good.png") == b"data"
        for source in ("sym.png", "hard.png"):
            with pytest.raises(ImageSourceUnsupported, match="link"):
                root.read(source)
        for source in ("fifo.png", "outside.png", "absolute.png"):
            with pytest.raises(ImageNotFound):
                root.read(source)


def test_a_compressed_tar_that_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("images.archives.MAX_ANYWAY", 2**20)
    (tmp_path / "shop.tar.gz").write_bytes(gzip.compress(bytes(2**23)))
    with (
        closing(open_root(str(tmp_path / "shop.tar.gz"), LIMITS)) as root,
        pytest.raises(ImageNotFound, match="unpacks to more"),
    ):
        root.read("a.png")


@pytest.mark.parametrize("name", ["shop.zip", "shop.tar", "shop.tar.gz", "shop.tar.zst"])
def test_an_archive_of_other_bytes_or_cut_short_is_an_error(tmp_path: Path, name: str) -> None:
    pack: Packer = _zip if name == "shop.zip" else lambda folder, files: _tar(folder, files, name.removeprefix("shop"))
    whole = Path(pack(tmp_path, {"a.png": bytes(range(256)) * 3})).read_bytes()
    for content in (b"", b"no archive", whole[: min(700, len(whole) // 2)]):
        (tmp_path / name).write_bytes(content)
        with closing(open_root(str(tmp_path / name), LIMITS)) as root, pytest.raises(ImageError):
            root.read("a.png")


def test_absolute_paths_lead_into_folders_that_are_allowed(tmp_path: Path) -> None:
    _folder(tmp_path / "allowed", {"a.png": b"a"})
    _folder(tmp_path / "other", {"b.png": b"b"})
    (tmp_path / "allowed" / "link.png").symlink_to(tmp_path / "other" / "b.png")
    with closing(open_root(_folder(tmp_path / "shop", FILES), LIMITS, [tmp_path / "allowed"])) as root:
        assert root.read(str(tmp_path / "allowed" / "a.png")) == b"a"
        assert root.version_tag(str(tmp_path / "allowed" / "a.png"))
        assert root.read("top.png") == b"top"
        for source in ("other/b.png", "allowed/link.png", "allowed/../other/b.png"):
            with pytest.raises(ImageOutsideCatalog):
                root.read(str(tmp_path / source))


def test_storage_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of two: fsspec remembers S3's class and imports it no more, once a test has spoken to S3.
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with closing(open_root("gs://bucket/shop", LIMITS)) as root:
        assert root.version_tag("a.png") is None
        with pytest.raises(ImageSourceUnsupported, match="pip install gcsfs"):
            root.read("a.png")
