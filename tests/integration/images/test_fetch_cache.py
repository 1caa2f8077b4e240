"""Images by URL over a store on disk: what is asked for again, and when."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from images import ImageLimits, ImageSettings, ImageStore, forget_urls, hash_bytes
from images.fetch.cache import UrlImages
from schemas import ImageHostRefused, ImageNotFound, ImageUnreachable, NotAImage
from tests.integration.images.conftest import MakeFetcher
from tests.support.clock import Clock
from tests.support.image_server import Asked, ImageServer
from tests.support.images import photo

OLD, NEW = photo(), photo(200, 150)
DAY = 86_400.0
MakeImages = Callable[..., UrlImages]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "pictures")


@pytest.fixture
def run(store: ImageStore, clock: Clock, make_fetcher: MakeFetcher) -> Iterator[MakeImages]:
    """A run's images; each call is another run over the same store."""
    with ExitStack() as opened:

        def make(max_age: float = 7, **settings: object) -> UrlImages:
            built = ImageSettings.model_validate({"picture_max_age": max_age})
            images = UrlImages(store, built, ImageLimits(), lambda: make_fetcher(**settings), clock)
            opened.callback(images.close)
            return images

        yield make


def test_a_young_image_is_not_asked_for_again(
    server: ImageServer, run: MakeImages, store: ImageStore, clock: Clock
) -> None:
    url = server.gives("/a.jpg", OLD)
    assert run().version_tag(url) is None
    assert run().read(url) == OLD
    clock.now += 6.9 * DAY
    later = run()
    assert (later.version_tag(url), later.read(url)) == (hash_bytes(OLD), OLD)
    assert server.times("/a.jpg") == 1
    assert store.get(hash_bytes(OLD)) == OLD


def test_an_old_one_is_asked_for_only_if_it_changed(server: ImageServer, run: MakeImages, clock: Clock) -> None:
    url = server.gives("/a.jpg", OLD, ETag='"one"', Last_Modified="Wed, 01 Jul 2026 10:00:00 GMT")
    run().read(url)
    server.gives("/a.jpg", b"", 304)  # what it calls this state need not be said again
    for _ in range(2):
        clock.now += 7.1 * DAY
        later = run()
        assert (later.version_tag(url), later.read(url)) == (None, OLD)
        assert later.version_tag(url) == hash_bytes(OLD)
        assert server.asked[-1][1]["If-None-Match"] == '"one"'
        assert server.asked[-1][1]["If-Modified-Since"] == "Wed, 01 Jul 2026 10:00:00 GMT"
    assert server.times("/a.jpg") == 3


def test_what_changed_is_another_image(server: ImageServer, run: MakeImages, clock: Clock) -> None:
    url = server.gives("/a.jpg", OLD, ETag='"one"')
    run().read(url)
    server.gives("/a.jpg", NEW, ETag='"two"')
    clock.now += 8 * DAY
    later = run()
    assert later.read(url) == NEW
    assert later.version_tag(url) == hash_bytes(NEW)


def test_in_every_run_where_the_age_is_none_but_once_in_it(server: ImageServer, run: MakeImages, clock: Clock) -> None:
    url = server.gives("/a.jpg", OLD)
    for asked in (1, 2):
        clock.now += 1
        images = run(max_age=0)
        assert images.version_tag(url) is None
        for _ in range(3):
            clock.now += 1
            assert images.read(url) == OLD
        assert server.times("/a.jpg") == asked


def test_a_clock_that_was_set_back_does_not_keep_a_image_for_ever(
    server: ImageServer, run: MakeImages, clock: Clock
) -> None:
    url = server.gives("/a.jpg", OLD)
    run().read(url)
    clock.now -= 1000 * DAY
    assert run().version_tag(url) is None


@pytest.mark.parametrize("ill", ["down", "a page", "endless"])
def test_one_that_cannot_be_fetched_again_is_what_it_was_and_that_is_said(
    server: ImageServer, run: MakeImages, clock: Clock, caplog: pytest.LogCaptureFixture, ill: str
) -> None:
    url = server.gives("/a.jpg", OLD)
    run().read(url)
    clock.now += 8 * DAY
    if ill == "down":
        server.gives("/a.jpg", b"", 503)
    elif ill == "a page":
        server.gives("/a.jpg", b"<h1>We are moving</h1>")
    else:
        server.gives("/a.jpg", b"", Content_Length=str(2**40))
    later = run()
    assert later.read(url) == OLD
    assert later.version_tag(url) is None
    with caplog.at_level(logging.WARNING):
        later.close()
    (record,) = caplog.records
    assert record.getMessage().startswith("1 images could not be fetched again")
    server.gives("/a.jpg", NEW)
    assert run().read(url) == NEW


def test_one_that_is_gone_is_gone(server: ImageServer, run: MakeImages, clock: Clock) -> None:
    url = server.gives("/a.jpg", OLD)
    run().read(url)
    server.gives("/a.jpg", b"", 410)
    clock.now += 8 * DAY
    with pytest.raises(ImageNotFound):
        run().read(url)


def test_a_host_that_may_no_longer_be_asked_gives_nothing_more(
    server: ImageServer, run: MakeImages, clock: Clock
) -> None:
    url = server.gives("/a.jpg", OLD)
    run().read(url)
    clock.now += 8 * DAY
    with pytest.raises(ImageHostRefused):
        run(private_addresses=False).read(url)


def test_what_failed_is_not_asked_for_again_in_the_same_run(server: ImageServer, run: MakeImages) -> None:
    images = run()
    ill = server.gives("/b.jpg", b"", 503)
    for _ in range(3):
        with pytest.raises(ImageNotFound, match="404"):
            images.read(server.url("/a.jpg"))
        with pytest.raises(ImageUnreachable, match="503"):
            images.read(ill)
    asked = (server.times("/a.jpg"), server.times("/b.jpg"))
    assert asked[0] == 1
    with pytest.raises(ImageUnreachable):
        run().read(ill)
    assert server.times("/b.jpg") == 2 * asked[1]


def test_what_is_no_image_is_not_kept(server: ImageServer, run: MakeImages, store: ImageStore) -> None:
    url = server.gives("/a.jpg", b"<h1>Soon</h1>")
    with pytest.raises(NotAImage):
        run().read(url)
    assert not store.folder.exists()
    server.gives("/a.jpg", OLD)
    assert run().read(url) == OLD


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b"{}", b'{"hash": 1}', b"null", b"\xff", b'"x"', None])
def test_what_is_remembered_may_be_damaged_or_lost(
    server: ImageServer, run: MakeImages, store: ImageStore, left: bytes | None
) -> None:
    url = server.gives("/a.jpg", OLD)
    run().read(url)
    (remembered,) = (store.folder / "urls").rglob("*.json")
    if left is None:
        remembered.unlink()
    else:
        remembered.write_bytes(left)
    later = run()
    assert (later.version_tag(url), later.read(url), later.version_tag(url)) == (None, OLD, hash_bytes(OLD))


def test_a_kept_image_may_be_lost(server: ImageServer, run: MakeImages, store: ImageStore) -> None:
    url = server.gives("/a.jpg", OLD, ETag='"one"')
    hash = hash_bytes(OLD)
    run().read(url)
    (store.folder / hash[:2] / hash).unlink()
    later = run()
    assert (later.version_tag(url), later.read(url)) == (None, OLD)
    assert "If-None-Match" not in server.asked[-1][1]
    assert store.get(hash) == OLD


def test_what_is_written_down_holds_no_secret_of_a_url(server: ImageServer, run: MakeImages, store: ImageStore) -> None:
    server.gives("/a.jpg?key=s3cret", OLD)
    run().read(server.url("/a.jpg?key=s3cret").replace("http://", "http://me:s3cret@"))
    (remembered,) = (store.folder / "urls").rglob("*.json")
    assert "s3cret" not in remembered.read_text() + str(remembered)
    assert set(json.loads(remembered.read_text())) == {"hash", "etag", "last_modified", "fetched"}


@pytest.mark.parametrize("etag", ['"ü"', '"' + "x" * 2_000 + '"'])
def test_what_a_server_calls_a_state_may_be_odd(server: ImageServer, run: MakeImages, clock: Clock, etag: str) -> None:
    url = server.gives("/a.jpg", OLD, ETag=etag)
    run().read(url)
    clock.now += 8 * DAY
    assert run().read(url) == OLD
    assert "If-None-Match" not in server.asked[-1][1]


def test_many_threads_may_ask_for_the_same(server: ImageServer, run: MakeImages) -> None:
    together = threading.Barrier(4)

    def answer(asked: Asked) -> None:
        together.wait()
        asked.reply(200, OLD)

    url, images, came = server.does("/a.jpg", answer), run(), []
    threads = [threading.Thread(target=lambda: came.append(images.read(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert came == [OLD] * 4


def test_urls_are_forgotten_with_their_images(server: ImageServer, run: MakeImages, store: ImageStore) -> None:
    urls = [server.gives("/a.jpg", OLD), server.gives("/b.jpg", NEW)]
    images = run()
    for url in urls:
        images.read(url)
    store.remove_unused({hash_bytes(NEW)}, time.time() + 60)
    forget_urls(store)
    assert len(list((store.folder / "urls").rglob("*.json"))) == 1
    assert run().read(urls[0]) == OLD
    assert (server.times("/a.jpg"), server.times("/b.jpg")) == (2, 1)
