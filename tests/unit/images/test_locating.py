from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from images import ImageLimits, locate_image, read_image
from schemas import (
    ImageError,
    ImageNotFound,
    ImageOutsideCatalog,
    ImageSourceUnsupported,
    ImageTooLarge,
    NotAImage,
)
from tests.support import images

LIMITS = ImageLimits()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "images").mkdir(parents=True)
    (root / "images" / "a.png").write_bytes(images.encode(images.quarters(), "PNG"))
    (tmp_path / "secret.png").write_bytes(b"secret")
    return root


@pytest.mark.parametrize("source", ["images/a.png", "./images/a.png", "images//a.png"])
def test_a_image_inside_the_catalog_s_folder(shop: Path, source: str) -> None:
    path = locate_image(shop, source)
    assert path == shop.resolve() / "images" / "a.png"
    assert read_image(path, LIMITS) == path.read_bytes()


def test_names_of_any_script_and_with_odd_characters(shop: Path) -> None:
    for name in ("überzug ñ.png", "茄子.png", "a:b c%20d#e?f.png", "-rf", "~tilde/../x".replace("/../", "_")):
        source = f"images/{name}"
        (shop / source).write_bytes(b"x")
        assert read_image(locate_image(shop, source), LIMITS) == b"x"


@pytest.mark.parametrize(
    "source",
    [
        "../secret.png",
        "images/../../secret.png",
        "images/../images/a.png",
        "..",
        "/etc/passwd",
        "//server/share.png",
        "~/secret.png",
        "~root/secret.png",
        "C:\\secret.png",
        "c:/secret.png",
    ],
)
def test_paths_that_lead_outside(shop: Path, source: str) -> None:
    with pytest.raises(ImageOutsideCatalog) as raised:
        locate_image(shop, source)
    assert raised.value.field == "image"


@pytest.mark.parametrize(
    "source",
    [
        "http://example.com/a.png",
        "HTTPS://example.com/a.png",
        "ftp://example.com/a.png",
        "s3://bucket/a.png",
        "file:///etc/passwd",
        "file:a.png",
        "data:image/png;base64,AAAA",
        "images\\a.png",
        "images/a.png\0.jpg",
    ],
)
def test_sources_that_are_no_paths(shop: Path, source: str) -> None:
    with pytest.raises(ImageSourceUnsupported) as raised:
        locate_image(shop, source)
    assert "\0" not in raised.value.message


@pytest.mark.parametrize("source", ["images/b.png", "images/a.png/b", "x" * 5_000, "a/" * 5_000, "\ud800.png"])
def test_nothing_is_there(shop: Path, source: str) -> None:
    with pytest.raises(ImageNotFound) as raised:
        locate_image(shop, source)
    raised.value.message.encode()
    assert len(raised.value.message) < 400


def test_links_are_followed_only_inside(shop: Path) -> None:
    (shop / "inside.png").symlink_to("images/a.png")
    (shop / "outside.png").symlink_to(shop.parent / "secret.png")
    (shop / "folder").symlink_to(shop.parent)
    (shop / "loop.png").symlink_to("loop.png")
    assert locate_image(shop, "inside.png") == shop.resolve() / "images" / "a.png"
    for source in ("outside.png", "folder/secret.png"):
        with pytest.raises(ImageOutsideCatalog):
            locate_image(shop, source)
    with pytest.raises(ImageNotFound):
        locate_image(shop, "loop.png")


def test_a_catalog_whose_folder_is_itself_a_link(shop: Path) -> None:
    link = shop.parent / "link"
    link.symlink_to(shop)
    assert locate_image(link, "images/a.png") == shop.resolve() / "images" / "a.png"


@given(
    st.lists(st.sampled_from(["..", ".", "images", "a.png", "~", "", "\\", "C:", "folder", "secret.png"]), max_size=8)
)
def test_no_path_leads_outside(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    root = tmp_path_factory.getbasetemp() / "fuzzed" / "shop"
    (root / "images").mkdir(parents=True, exist_ok=True)
    (root / "images" / "a.png").touch()
    (root.parent / "secret.png").touch()
    if not (root / "folder").is_symlink():
        (root / "folder").symlink_to("..")
    with suppress(ImageError):
        assert locate_image(root, "/".join(parts)).is_relative_to(root.resolve())


@given(st.text(max_size=40))
def test_any_text_is_a_path_inside_or_a_image_s_error(tmp_path_factory: pytest.TempPathFactory, source: str) -> None:
    root = tmp_path_factory.getbasetemp()
    try:
        assert locate_image(root, source).is_relative_to(root.resolve())
    except ImageError as error:
        error.message.encode()


def test_only_files_are_read(shop: Path) -> None:
    os.mkfifo(shop / "pipe.png")
    for source in ("images", ".", "pipe.png"):
        with pytest.raises(NotAImage):
            read_image(locate_image(shop, source), LIMITS)
    with pytest.raises(ImageNotFound):
        read_image(shop / "gone.png", LIMITS)


def test_a_file_of_too_many_bytes(shop: Path) -> None:
    path = shop / "large.png"
    path.write_bytes(b"0123456789")
    assert read_image(path, ImageLimits(max_bytes=10)) == b"0123456789"
    with pytest.raises(ImageTooLarge, match="9 bytes"):
        read_image(path, ImageLimits(max_bytes=9))


def test_folders_that_images_may_come_from_besides(shop: Path, tmp_path: Path) -> None:
    photos = (tmp_path / "photos").resolve()
    photos.mkdir()
    (photos / "a.png").write_bytes(b"x")
    (shop / "link.png").symlink_to(photos / "a.png")
    for source in (f"{photos}/a.png", f"{photos}//./a.png", "link.png"):
        assert locate_image(shop, source, [photos]) == photos / "a.png"
        with pytest.raises(ImageOutsideCatalog, match="STORELENS_PICTURE_FOLDERS"):
            locate_image(shop, source)
    for source in (f"{photos}/../secret.png", str(tmp_path / "secret.png"), f"{photos}-else/a.png", "~/a.png", "/"):
        with pytest.raises(ImageError):
            locate_image(shop, source, [photos])
    (photos / "out.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(ImageOutsideCatalog):
        locate_image(shop, f"{photos}/out.png", [photos])
