"""The images of products, wherever they came from, as they are shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import psutil
import pytest

from api import ApiSettings
from api.images import MAX_ROOTS, ProductImages
from images import ImageLimits, ImageStore
from schemas import ProductImageNotFound
from tests.support.image_server import image_server
from tests.support.images import encode, photo, quarters
from tests.support.serving import DECODERS, client, ingest

PHOTO, OTHER = photo(), photo(200, 150)


@pytest.fixture
def images(tmp_path: Path) -> Iterator[ProductImages]:
    settings = ApiSettings(data_dir=tmp_path / "data", picture_private_addresses=True)
    opened = ProductImages(settings, ImageLimits(), DECODERS)
    yield opened
    opened.close()


def _payload(root: object, *sources: str, **more: Any) -> dict[str, Any]:
    return {"root": str(root), "product": {"image": sources[0], "images": list(sources[1:])}} | more


def test_what_was_fetched_is_shown_as_it_was_and_not_fetched(images: ProductImages, tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "data" / "pictures")
    (tmp_path / "a.bmp").write_bytes(encode(quarters(), "BMP"))
    with image_server() as server:
        url = server.gives("/a.jpg", OTHER)
        payload = _payload(
            tmp_path,
            url,
            "a.bmp",
            f"picture:{store.put(OTHER)}",
            url,
            pictures=[{"at": 0, "hash": store.put(PHOTO)}, {"at": 1, "hash": "1" * 32}],
        )
        assert images.show(payload, 0, "1") == (PHOTO, "image/jpeg")
        assert images.show(payload, 1, "1")[1] == "image/jpeg"
        assert images.show(payload, 2, "1") == (OTHER, "image/jpeg")
        with pytest.raises(ProductImageNotFound):
            images.show(payload, 3, "1")  # it was not usable when it was ingested
        assert not server.asked


def test_what_is_not_kept_is_not_found(images: ProductImages, tmp_path: Path) -> None:
    for source in ("https://example.com/a.jpg", "picture:" + "0" * 32, "picture:../../a.jpg"):
        payload = _payload(tmp_path, source, pictures=[{"at": 0, "hash": "0" * 32}])
        with pytest.raises(ProductImageNotFound, match="not kept"):
            images.show(payload, 0, "1")


def test_catalogs_are_kept_open_but_not_without_end(images: ProductImages, tmp_path: Path) -> None:
    for number in range(3 * MAX_ROOTS):
        with ZipFile(tmp_path / f"{number}.zip", "w") as packed:
            packed.writestr("a.jpg", PHOTO)
        assert images.show(_payload(tmp_path / f"{number}.zip", "a.jpg"), 0, "1")[0] == PHOTO
    open_files = {Path(file.path) for file in psutil.Process().open_files()}
    assert {path.stem for path in open_files if path.parent == tmp_path} == {
        str(number) for number in range(2 * MAX_ROOTS, 3 * MAX_ROOTS)
    }


def test_folders_that_images_may_come_from_are_shown_too(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(PHOTO)
    payload = _payload(tmp_path / "catalog", str(tmp_path / "photos" / "a.jpg"))
    (tmp_path / "catalog").mkdir()
    for folders, shown in (((tmp_path / "photos",), True), ((), False)):
        settings = ApiSettings(data_dir=tmp_path / "data", picture_folders=folders)
        images = ProductImages(settings, ImageLimits(), DECODERS)
        if shown:
            assert images.show(payload, 0, "1")[0] == PHOTO
        else:
            with pytest.raises(ProductImageNotFound, match="picture-outside-catalog"):
                images.show(payload, 0, "1")


@pytest.fixture
def scattered(tmp_path: Path) -> Path:
    """An index of images beside the catalog, in another folder, by a link into that one, and in the row itself."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "catalog").mkdir()
    for place in ("photos/a.jpg", "catalog/a.jpg"):
        (tmp_path / place).write_bytes(PHOTO)
    (tmp_path / "catalog/link.jpg").symlink_to(tmp_path / "photos/a.jpg")
    inline = f"data:image/jpeg;base64,{base64.b64encode(OTHER).decode()}"
    sources = ["a.jpg", "link.jpg", str(tmp_path / "photos/a.jpg"), inline]
    rows = [{"id": str(number), "title": "A", "image": source} for number, source in enumerate(sources)]
    (tmp_path / "catalog/rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = ingest(tmp_path / "catalog/rows.jsonl", tmp_path / "data", picture_folders=(tmp_path / "photos",))
    assert (report.indexed, report.degraded) == (4, 0)
    return tmp_path


def test_images_that_cannot_be_shown_here_are_said_to_be(scattered: Path, caplog: pytest.LogCaptureFixture) -> None:
    def notices(**settings: Any) -> list[str]:
        caplog.clear()
        with client(scattered / "data", **settings) as api:
            ready: list[str] = api.get("/readyz").json().get("notices", [])
            assert all(notice in caplog.messages and str(scattered) not in notice for notice in ready)
            return ready

    folders = {"picture_folders": (scattered / "photos",)}
    assert notices(**folders) == []
    (outside,) = notices()
    assert outside.startswith("2 of 4 images") and "STORELENS_PICTURE_FOLDERS" in outside
    (scattered / "photos/a.jpg").unlink()
    (scattered / "data/pictures").rename(scattered / "elsewhere")
    absent, kept = sorted(notices(**folders), reverse=True)
    assert absent.startswith("2 of 4") and "not where they were" in absent
    assert kept.startswith("1 of 4") and "DATA_DIR/pictures" in kept


def test_nobody_is_shown_where_images_lie_on_the_server(scattered: Path) -> None:
    with client(scattered / "data", picture_folders=(scattered / "photos",)) as api:
        found = api.post("/v1/search", json={"text": "a"})
        assert str(scattered) not in found.text
        shown = {hit["id"]: hit["product"]["image"] for hit in found.json()["hits"]}
        assert (shown["0"], shown["2"]) == ("a.jpg", "a.jpg")
        assert api.get("/v1/products/2").json()["product"]["image"] == "a.jpg"
        assert api.get("/v1/products/2/images/0").content == PHOTO


@pytest.mark.parametrize("number", [-1, 1, 10**30])
def test_there_is_no_such_image(images: ProductImages, tmp_path: Path, number: int) -> None:
    with pytest.raises(ProductImageNotFound, match="1 images"):
        images.show(_payload(tmp_path, "a.jpg"), number, "1")
