"""The same rows come out, wherever a catalog is and whatever it is packed in."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pytest
from backports import zstd
from pyarrow import parquet

from images import ImageLimits, open_root
from ingest.catalog import Catalog, open_catalog
from ingest.readers import Row
from ingest.settings import IngestSettings
from schemas import CatalogError, Rejection

ROWS: list[dict[str, Any]] = [
    {"id": "a", "title": "Café", "image": "pictures/a.png", "weight": 1.5},
    {"id": "b", "title": "Tee", "image": "pictures/b.png", "weight": 2.0},
]
IMAGES = {"pictures/a.png": b"image a", "pictures/b.png": b"image b"}


def _jsonl() -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def _table(delimiter: str = ",") -> bytes:
    lines = [list(ROWS[0]), *([str(value) for value in row.values()] for row in ROWS)]
    return "".join(delimiter.join(line) + "\n" for line in lines).encode()


def _parquet() -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(ROWS), buffer)
    return buffer.getvalue()


CATALOGS: dict[str, bytes] = {
    "c.jsonl": _jsonl(),
    "c.ndjson": _jsonl(),
    "c.csv": _table(),
    "c.tsv": _table("\t"),
    "c.parquet": _parquet(),
    "c.jsonl.gz": gzip.compress(_jsonl()),
    "c.jsonl.zst": zstd.compress(_jsonl()),
    "c.csv.gz": gzip.compress(_table()),
    "c.csv.zst": zstd.compress(_table()[:20]) + zstd.compress(_table()[20:]),
    "c.tsv.gz": gzip.compress(_table("\t")[:20]) + gzip.compress(_table("\t")[20:]),
}


def opened(catalog: Path | str, **options: Any) -> Catalog:
    return open_catalog(IngestSettings(catalog=str(catalog), **options))


def values(reader: Catalog) -> list[dict[str, Any]]:
    items = list(reader.rows())
    assert [item for item in items if isinstance(item, Rejection)] == []
    return [item.values for item in items if isinstance(item, Row)]


def check(reader: Catalog) -> None:
    """The rows twice over, and their images from where the reader says that they are."""
    with reader:
        assert values(reader) == ROWS
        assert values(reader) == ROWS
        reader.check_unchanged()
        with closing(open_root(reader.root, ImageLimits())) as root:
            assert {row["image"]: root.read(row["image"]) for row in ROWS} == IMAGES


def _write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def _zip(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def _tar(path: Path, files: Mapping[str, bytes]) -> Path:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    pack: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".tgz": gzip.compress, ".zst": zstd.compress}
    path.write_bytes(pack.get(path.suffix, bytes)(buffer.getvalue()))
    return path


@pytest.fixture
def memory() -> Iterator[Callable[[Mapping[str, bytes]], str]]:
    fs = fsspec.filesystem("memory")

    def put(files: Mapping[str, bytes]) -> str:
        for name, data in files.items():
            fs.pipe_file(f"/bucket/shop/{name}", data)
        return "memory://bucket/shop"

    yield put
    fs.store.clear()


@pytest.mark.parametrize("name", CATALOGS)
def test_a_file(tmp_path: Path, name: str) -> None:
    _write(tmp_path, IMAGES | {name: CATALOGS[name]})
    check(opened(tmp_path / name))
    check(opened(f"file://{tmp_path}/{name}"))


@pytest.mark.parametrize("name", CATALOGS)
@pytest.mark.parametrize("folder", ["", "export/2024/"])
def test_a_zip(tmp_path: Path, name: str, folder: str) -> None:
    files = {folder + path: data for path, data in (IMAGES | {name: CATALOGS[name]}).items()}
    path = _zip(tmp_path / "shop.zip", files | {"__MACOSX/._c.csv": b"junk", "readme.txt": b"hello"})
    check(opened(path))
    check(opened(f"{path}!/{folder}{name}"))


@pytest.mark.parametrize("archive", ["shop.tar", "shop.tar.gz", "shop.tgz", "shop.tar.zst"])
@pytest.mark.parametrize("name", ["c.jsonl", "c.csv.gz", "c.parquet"])
def test_a_tar(tmp_path: Path, archive: str, name: str) -> None:
    check(opened(_tar(tmp_path / archive, IMAGES | {name: CATALOGS[name]})))


@pytest.mark.parametrize("name", CATALOGS)
def test_object_storage(memory: Callable[[Mapping[str, bytes]], str], name: str) -> None:
    check(opened(f"{memory(IMAGES | {name: CATALOGS[name]})}/{name}"))


def test_archives_folders_and_parts_in_object_storage(
    tmp_path: Path, memory: Callable[[Mapping[str, bytes]], str]
) -> None:
    where = memory({"shop.zip": _zip(tmp_path / "z.zip", IMAGES | {"c.csv": CATALOGS["c.csv"]}).read_bytes()})
    check(opened(f"{where}/shop.zip"))
    where = memory({f"folder/{name}": data for name, data in (IMAGES | {"catalog.csv": CATALOGS["c.csv"]}).items()})
    check(opened(f"{where}/folder"))
    memory({f"photos/{name}": data for name, data in IMAGES.items()})
    with opened(f"{where}/photos/") as reader:
        assert [row["id"] for row in values(reader)] == list(IMAGES)
        assert open_root(reader.root, ImageLimits()).read("pictures/a.png") == b"image a"
    with pytest.raises(CatalogError, match="nothing"):
        opened(f"{where}/none/")
    with pytest.raises(CatalogError, match="nothing of that name"):
        opened(f"{where}/none.csv")


@pytest.mark.parametrize("name", CATALOGS)
def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    _write(tmp_path, IMAGES | {name: CATALOGS[name]})
    monkeypatch.chdir(tmp_path)
    for options in ({}, {"format": name.split(".")[1].replace("ndjson", "jsonl")}):
        with (tmp_path / name).open("rb") as file:
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(file))
            check(opened("-", **options))


def test_standard_input_that_is_no_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    for content, says in (
        (b"", "is empty"),
        (b"PK\x03\x04", "save it to a file"),
        (gzip.compress(b"x")[:-4], "breaks off"),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        with pytest.raises(CatalogError, match=says):
            opened("-")


def test_the_format_may_be_said(tmp_path: Path) -> None:
    _write(tmp_path, IMAGES | {"export": CATALOGS["c.csv"], "export.txt.gz": CATALOGS["c.csv.gz"]})
    check(opened(tmp_path / "export", format="csv"))
    check(opened(tmp_path / "export.txt.gz", format="csv"))
    with pytest.raises(CatalogError, match="--format says"):
        opened(tmp_path / "export")


def test_a_folder_of_parquet_parts(tmp_path: Path) -> None:
    for at, row in enumerate(ROWS):
        parquet.write_table(pa.Table.from_pylist([row]), tmp_path / f"part-{at}.parquet")
    (tmp_path / "_SUCCESS").touch()
    _write(tmp_path, IMAGES)
    check(opened(tmp_path))
    with opened(tmp_path) as reader:
        assert [row.line for row in reader.rows() if isinstance(row, Row)] == [1, 2]
        with pytest.raises(CatalogError, match="changed"):
            for _ in reader.rows():
                os.utime(tmp_path / "part-1.parquet", (1, 1))
                os.utime(tmp_path / "part-0.parquet", (1, 1))
                reader.check_unchanged()


def test_a_folder_that_holds_a_catalog(tmp_path: Path) -> None:
    check(opened(_write(tmp_path, IMAGES | {"catalog.jsonl": CATALOGS["c.jsonl"], "notes.csv": b"x"})))


@pytest.mark.parametrize("pack", [_zip, _tar])
def test_an_archive_of_images_alone(tmp_path: Path, pack: Callable[[Path, Mapping[str, bytes]], Path]) -> None:
    path = pack(tmp_path / f"photos{'.zip' if pack is _zip else '.tar'}", IMAGES | {"notes.txt": b"x"})
    for where, ids in ((path, list(IMAGES)), (f"{path}!/pictures", ["a.png", "b.png"])):
        with opened(where) as reader:
            assert [row["id"] for row in values(reader)] == ids
            with closing(open_root(reader.root, ImageLimits())) as root:
                assert root.read(ids[0]) == b"image a"


def test_the_catalog_of_an_archive_is_the_one_nearest_the_top_or_named_so(tmp_path: Path) -> None:
    jsonl, other = CATALOGS["c.jsonl"], b'{"id": "other", "title": "x"}\n'
    for files in (
        {"c.jsonl": jsonl, "deep/d.jsonl": other},
        {"catalog.jsonl": jsonl, "d.jsonl": other, "e.csv": b"x"},
        {"in/Catalog.JSONL": jsonl, "top.json": other},
    ):
        with opened(_zip(tmp_path / "shop.zip", files)) as reader:
            assert values(reader) == ROWS
    _zip(tmp_path / "shop.zip", {"a.csv": b"id,title\n", "b.jsonl": b"", "deep/c.csv": b""})
    with pytest.raises(CatalogError, match=r"2 files that could be the catalog: a\.csv, b\.jsonl"):
        opened(tmp_path / "shop.zip")


@pytest.mark.parametrize("name", ["c.jsonl.gz", "c.jsonl.zst", "c.csv.gz", "c.csv.zst", "c.parquet"])
def test_what_is_cut_short_or_is_something_else_is_an_error(tmp_path: Path, name: str) -> None:
    for content in (CATALOGS[name][:-6], b"something else entirely"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CatalogError, match=r"c\."), opened(tmp_path / name) as reader:
            list(reader.rows())


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("nowhere.zip", "no catalog at"),
        ("shop.zip!/none.csv", "no none.csv in"),
        ("http://shop.example/c.csv", "curl"),
        ("nosuch://bucket/c.csv", "no address"),
        ("hf://datasets/x", "ORG/NAME"),
        ("broken.zip", "cannot be read as zip"),
        ("broken.tar.gz", "breaks off"),
        ("empty.zip", "holds no files"),
        ("texts.zip", "no images"),
        ("locked.zip", "encrypted"),
    ],
)
def test_locations_that_lead_nowhere_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    _zip(tmp_path / "shop.zip", {"c.csv": b"id,title\n"})
    _zip(tmp_path / "empty.zip", {})
    _zip(tmp_path / "texts.zip", {"a.txt": b""})
    _write(tmp_path, {"broken.zip": b"no zip", "broken.tar.gz": gzip.compress(bytes(5000))[:20]})
    locked = bytearray(_zip(tmp_path / "locked.zip", {"c.csv": b"id,title\n"}).read_bytes())
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    with pytest.raises(CatalogError, match=says):
        opened(location)


def test_an_archive_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = _zip(tmp_path / "shop.zip", {"c.csv": CATALOGS["c.csv"]})
    with opened(path) as reader:
        reader.check_unchanged()
        os.utime(path, (1, 1))
        with pytest.raises(CatalogError, match="changed"):
            reader.check_unchanged()


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    path = _tar(tmp_path / "shop.tar.gz", {"c.parquet": CATALOGS["c.parquet"]})
    before = len(list(Path("/proc/self/fd").iterdir()))
    with opened(path) as reader:
        assert values(reader) == ROWS
        assert list((tmp_path / "tmp").iterdir()) == []  # what is unpacked has no name, and dies with the process
    assert len(list(Path("/proc/self/fd").iterdir())) == before
