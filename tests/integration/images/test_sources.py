"""Every kind of source through one door."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog import stored_image_hash
from images import ImageLimits, ImageSettings, ImageStore, hash_bytes, is_kept, open_images
from schemas import ImageError, ImageHostRefused, ImageNotFound, ImageOutsideCatalog, ImageSourceUnsupported
from tests.support.image_server import ImageServer
from tests.support.images import photo

PHOTO = photo()
LIMITS = ImageLimits()


def test_each_source_goes_where_it_belongs(server: ImageServer, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a file")
    os.utime(tmp_path / "a.jpg", (1, 1))
    store = ImageStore(tmp_path / "data" / "pictures")
    inline = f"picture:{store.put(b'inline')}"
    url = server.gives("/a.jpg", PHOTO)
    images = open_images(str(tmp_path), store, ImageSettings(picture_private_addresses=True), LIMITS)
    assert [images.read(source) for source in ("a.jpg", inline, url)] == [b"a file", b"inline", PHOTO]
    assert images.read(url.replace("http", "HTTP")) == PHOTO
    assert [images.version_tag(source) for source in (inline, url)] == [hash_bytes(b"inline"), hash_bytes(PHOTO)]
    before = images.version_tag("a.jpg")
    (tmp_path / "a.jpg").write_bytes(b"another file")
    assert images.version_tag("a.jpg") is None  # it may be written to again within the same tick of the clock
    os.utime(tmp_path / "a.jpg", (1, 1))
    assert images.version_tag("a.jpg") not in (None, before)
    images.close()


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("file:///etc/passwd", ImageSourceUnsupported),
        ("ftp://example.com/a.jpg", ImageSourceUnsupported),
        ("data:image/png;base64,AAAA", ImageSourceUnsupported),
        ("http:/example.com/a.jpg", ImageNotFound),
        ("http://", ImageSourceUnsupported),
        ("http://127.0.0.1/a.jpg", ImageHostRefused),
        ("picture:../../etc/passwd", ImageNotFound),
        ("picture:" + "0" * 32, ImageNotFound),
        ("picture:", ImageNotFound),
        ("/etc/passwd", ImageOutsideCatalog),
    ],
)
def test_what_leads_nowhere(tmp_path: Path, source: str, error: type[ImageError]) -> None:
    images = open_images(str(tmp_path), ImageStore(tmp_path / "pictures"), ImageSettings(), LIMITS)
    with pytest.raises(error) as raised:
        images.read(source)
    assert type(raised.value) is error
    images.version_tag(source)
    images.close()


def test_a_run_that_fetches_nothing_loads_no_http_client(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from images import *; "
        f"folder = Path({str(tmp_path)!r}); "
        "p = open_images(str(folder), ImageStore(folder), ImageSettings(), ImageLimits()); "
        "p.version_tag('https://example.com/a.jpg'); p.version_tag('a.jpg'); "
        "print(*{'httpx', 'httpcore'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []


def test_where_a_kept_image_is() -> None:
    url = "https://example.com/a.jpg"
    payload = {
        "product": {"image": "a.jpg", "images": [url, "picture:" + "1" * 32, url]},
        "pictures": [{"at": 0, "hash": "0" * 32}, {"at": 3, "hash": "3" * 32}],
    }
    assert [is_kept(source) for source in ("a.jpg", url, "HTTP://x/", "picture:1", "https.jpg")] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert [stored_image_hash(payload, at) for at in (1, 2, 3)] == [None, "1" * 32, "3" * 32]
    assert stored_image_hash({"product": payload["product"]}, 1) is None
