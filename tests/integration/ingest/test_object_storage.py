"""Catalogs and images over the real protocol of S3, from a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from images import ImageLimits, open_root
from ingest.catalog import open_catalog
from ingest.readers import Row
from ingest.settings import IngestSettings
from schemas import CatalogError, ImageNotFound
from tests.integration.ingest.jobs import draw, indexed, ingest


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    fs = s3fs.S3FileSystem()
    if not fs.exists("bucket"):  # every server of a process has the same things
        fs.mkdir("bucket")
    yield fs
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_a_catalog_beside_its_images(bucket: s3fs.S3FileSystem, tmp_path: Path) -> None:
    bucket.pipe_file("bucket/shop/c.csv", b"id,title,image\na,Tee,pictures/a.png\nb,Cap,pictures/none.png\n")
    bucket.pipe_file("bucket/shop/pictures/a.png", draw(tmp_path / "a.png").read_bytes())
    report = ingest("s3://bucket/shop/c.csv", tmp_path / "data")
    assert (report.indexed, report.degraded, report.embedded_images) == (2, 1, 1)
    assert indexed(tmp_path / "data")["a"].payload["root"] == "s3://bucket/shop"
    with closing(open_root("s3://bucket/shop", ImageLimits())) as root:
        before = root.version_tag("pictures/a.png")
        assert root.version_tag("pictures/none.png") is None
        with pytest.raises(ImageNotFound):
            root.read("pictures/none.png")
    bucket.pipe_file("bucket/shop/pictures/a.png", draw(tmp_path / "a.png", "blue").read_bytes())
    bucket.invalidate_cache()
    with closing(open_root("s3://bucket/shop", ImageLimits())) as root:
        assert None is not root.version_tag("pictures/a.png") != before


def test_a_prefix_of_images_and_what_is_not_there(bucket: s3fs.S3FileSystem) -> None:
    bucket.pipe_file("bucket/photos/red-shoe.png", b"x")
    with open_catalog(IngestSettings(catalog="s3://bucket/photos/")) as reader:
        rows = [row.values for row in reader.rows() if isinstance(row, Row)]
    assert rows == [{"id": "red-shoe.png", "title": "red shoe", "image": "red-shoe.png"}]
    for location, says in (("s3://bucket/none.csv", "nothing of that name"), ("s3://nobucket/c.csv", "cannot read")):
        with pytest.raises(CatalogError, match=says):
            open_catalog(IngestSettings(catalog=location))
