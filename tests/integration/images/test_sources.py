"""Every kind of source through one door."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog import kept_hash
from images import PictureLimits, PictureSettings, PictureStore, hash_bytes, is_kept, open_pictures
from schemas import PictureError, PictureHostRefused, PictureNotFound, PictureOutsideCatalog, PictureSourceUnsupported
from tests.support.picture_server import PictureServer
from tests.support.pictures import photo

PHOTO = photo()
LIMITS = PictureLimits()


def test_each_source_goes_where_it_belongs(server: PictureServer, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a file")
    os.utime(tmp_path / "a.jpg", (1, 1))
    store = PictureStore(tmp_path / "data" / "pictures")
    inline = f"picture:{store.put(b'inline')}"
    url = server.gives("/a.jpg", PHOTO)
    pictures = open_pictures(str(tmp_path), store, PictureSettings(picture_private_addresses=True), LIMITS)
    assert [pictures.read(source) for source in ("a.jpg", inline, url)] == [b"a file", b"inline", PHOTO]
    assert pictures.read(url.replace("http", "HTTP")) == PHOTO
    assert [pictures.mark(source) for source in (inline, url)] == [hash_bytes(b"inline"), hash_bytes(PHOTO)]
    before = pictures.mark("a.jpg")
    (tmp_path / "a.jpg").write_bytes(b"another file")
    assert pictures.mark("a.jpg") is None  # it may be written to again within the same tick of the clock
    os.utime(tmp_path / "a.jpg", (1, 1))
    assert pictures.mark("a.jpg") not in (None, before)
    pictures.close()


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("file:///etc/passwd", PictureSourceUnsupported),
        ("ftp://example.com/a.jpg", PictureSourceUnsupported),
        ("data:image/png;base64,AAAA", PictureSourceUnsupported),
        ("http:/example.com/a.jpg", PictureNotFound),
        ("http://", PictureSourceUnsupported),
        ("http://127.0.0.1/a.jpg", PictureHostRefused),
        ("picture:../../etc/passwd", PictureNotFound),
        ("picture:" + "0" * 32, PictureNotFound),
        ("picture:", PictureNotFound),
        ("/etc/passwd", PictureOutsideCatalog),
    ],
)
def test_what_leads_nowhere(tmp_path: Path, source: str, error: type[PictureError]) -> None:
    pictures = open_pictures(str(tmp_path), PictureStore(tmp_path / "pictures"), PictureSettings(), LIMITS)
    with pytest.raises(error) as raised:
        pictures.read(source)
    assert type(raised.value) is error
    pictures.mark(source)
    pictures.close()


def test_a_run_that_fetches_nothing_loads_no_http_client(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from images import *; "
        f"folder = Path({str(tmp_path)!r}); "
        "p = open_pictures(str(folder), PictureStore(folder), PictureSettings(), PictureLimits()); "
        "p.mark('https://example.com/a.jpg'); p.mark('a.jpg'); print(*{'httpx', 'httpcore'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []


def test_where_a_kept_picture_is() -> None:
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
    assert [kept_hash(payload, at) for at in (1, 2, 3)] == [None, "1" * 32, "3" * 32]
    assert kept_hash({"product": payload["product"]}, 1) is None
