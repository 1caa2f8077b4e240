"""One image by its URL, from servers good and bad."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from images.fetch.fetcher import ATTEMPTS, MAX_REDIRECTS
from images.fetch.hosts import FAILURES
from schemas import (
    ImageError,
    ImageHostGivenUp,
    ImageNotFound,
    ImageSourceUnsupported,
    ImageTooLarge,
    ImageUnreachable,
    NotAImage,
)
from tests.integration.images.conftest import MakeFetcher
from tests.support.image_server import Answer, Asked, ImageServer
from tests.support.images import photo

PHOTO = photo()


def test_a_image_and_what_the_server_calls_its_state(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    url = server.gives("/a.jpg", PHOTO, ETag='"one"', Last_Modified="Wed, 01 Jul 2026 10:00:00 GMT")
    fetched = make_fetcher().fetch(url)
    assert (fetched.data, fetched.etag, fetched.last_modified) == (PHOTO, '"one"', "Wed, 01 Jul 2026 10:00:00 GMT")
    ((_, headers),) = server.asked
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Host"] == f"127.0.0.1:{server.port}"


def test_what_did_not_change_is_not_sent_again(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    url = server.gives("/a.jpg", b"", 304, ETag='"one"')
    fetched = make_fetcher().fetch(url, '"one"', "Wed, 01 Jul 2026 10:00:00 GMT")
    assert (fetched.data, fetched.etag) == (None, '"one"')
    ((_, headers),) = server.asked
    assert (headers["If-None-Match"], headers["If-Modified-Since"]) == ('"one"', "Wed, 01 Jul 2026 10:00:00 GMT")
    with pytest.raises(NotAImage, match="304"):  # nobody asked it whether something changed
        make_fetcher().fetch(url)


def test_one_connection_serves_many_images(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    ports: set[int] = set()
    answers: list[Answer] = [
        lambda asked: asked.reply(200, PHOTO),
        lambda asked: asked.reply(304),
        lambda asked: asked.reply(404, b"no such image"),
        lambda asked: asked.reply(302, b"over there", Location="/0"),
    ]
    for number, answer in enumerate(answers):

        def noted(asked: Asked, answer: Answer = answer) -> None:
            ports.add(asked.client_address[1])
            answer(asked)

        server.does(f"/{number}", noted)
    fetcher = make_fetcher()
    for path in ("/0", "/1", "/2", "/3", "/0"):
        try:
            fetcher.fetch(server.url(path), etag='"one"')
        except ImageNotFound:
            assert path == "/2"
    assert len(ports) == 1


@pytest.mark.parametrize("path", ["/überzug ñ.jpg", "/%C3%BC.jpg?w=1&h=ä", "/a+b;c,d.jpg", "/%zz", "/a//b/./c.jpg#f"])
def test_paths_as_people_write_them(server: ImageServer, make_fetcher: MakeFetcher, path: str) -> None:
    with pytest.raises(ImageNotFound) as raised:
        make_fetcher().fetch(server.url(path))
    ((asked, _),) = server.asked
    assert asked.isascii()
    assert " " not in asked
    assert "#" not in asked
    assert raised.value.message.isascii() or "…" in raised.value.message


@pytest.mark.parametrize(
    ("body", "type"),
    [
        (b"<!doctype html><title>Sorry</title>", "image/jpeg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"%PDF-1.7", "image/png"),
        (b"", "image/jpeg"),
        (b"\x1f\x8b\x08" + bytes(200), "image/jpeg"),
    ],
)
def test_what_is_no_image_whatever_it_calls_itself(
    server: ImageServer, make_fetcher: MakeFetcher, body: bytes, type: str
) -> None:
    url = server.gives("/a.jpg", body, Content_Type=type)
    with pytest.raises(NotAImage) as raised:
        make_fetcher().fetch(url)
    assert raised.value.field == "image"
    assert server.times("/a.jpg") == 1


def test_a_image_that_calls_itself_a_page_is_one(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    assert make_fetcher().fetch(server.gives("/a", PHOTO, Content_Type="text/html")).data == PHOTO


def test_what_comes_packed_is_refused_and_not_unpacked(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    url = server.gives("/a", b"\x1f\x8b\x08" + bytes(200), Content_Encoding="gzip")
    with pytest.raises(NotAImage, match="packed with 'gzip'"):
        make_fetcher().fetch(url)


def _endless(start: bytes) -> Answer:
    def answer(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Transfer-Encoding", "chunked")
        asked.end_headers()
        asked.wfile.write(b"%x\r\n%b\r\n" % (len(start), start))
        while True:
            asked.wfile.write(b"10000\r\n" + bytes(2**16) + b"\r\n")

    return answer


def test_a_body_without_end_is_cut(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    with pytest.raises(ImageTooLarge, match=r"more than 1,048,576 bytes"):
        make_fetcher().fetch(server.does("/a", _endless(PHOTO)))


def test_what_is_no_image_is_not_read_to_its_end(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    with pytest.raises(NotAImage):
        make_fetcher(max_bytes=2**60).fetch(server.does("/a", _endless(b"<html>" * 40)))


def test_ten_announced_gigabytes_are_not_waited_for(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    def answer(asked: Asked) -> None:
        asked.reply(200, Content_Length=str(10 * 2**30))
        asked.stall()

    with pytest.raises(ImageTooLarge):
        make_fetcher().fetch(server.does("/a", answer))


def test_a_image_of_exactly_the_limit(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    url = server.gives("/a", PHOTO)
    assert make_fetcher(max_bytes=len(PHOTO)).fetch(url).data == PHOTO
    with pytest.raises(ImageTooLarge):
        make_fetcher(max_bytes=len(PHOTO) - 1).fetch(url)


def _stalls(asked: Asked) -> None:
    asked.stall()


def _stalls_in_the_body(asked: Asked) -> None:
    asked.reply(200, PHOTO[:-1], Content_Length=str(len(PHOTO)))
    asked.stall()


def _drips(what: bytes) -> Answer:
    def answer(asked: Asked) -> None:
        for byte in what:
            asked.wfile.write(bytes([byte]))
            if asked.server.over.wait(0.01):
                return

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        _stalls,
        _stalls_in_the_body,
        _drips(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 10_000),
        _drips(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + PHOTO[:9_000]),
        _drips(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
    ],
    ids=["before the answer", "in the body", "dripped headers", "dripped body", "endless patience"],
)
def test_a_server_that_stalls_or_drips_ends_with_the_time(
    server: ImageServer, make_fetcher: MakeFetcher, answer: Answer
) -> None:
    with pytest.raises(ImageUnreachable, match="did not come in time"):
        make_fetcher(seconds=0.15).fetch(server.does("/a", answer))


def test_a_body_that_breaks_off_is_no_image(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    def answer(asked: Asked) -> None:
        asked.reply(200, PHOTO[:-1], Content_Length=str(len(PHOTO)))
        asked.close_connection = True

    with pytest.raises(ImageUnreachable, match="broke off"):
        make_fetcher().fetch(server.does("/a", answer))
    assert server.times("/a") == ATTEMPTS


def test_a_chunked_body_that_breaks_off_is_no_image(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    def answer(asked: Asked) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + PHOTO[:5] + b"\r\n")
        asked.close_connection = True

    with pytest.raises(ImageUnreachable, match="broke off"):
        make_fetcher().fetch(server.does("/a", answer))


@pytest.mark.parametrize(
    "answer", [b"", b"HELO\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", b"\0" * 300]
)
def test_what_is_not_http(server: ImageServer, make_fetcher: MakeFetcher, answer: bytes) -> None:
    def reply(asked: Asked) -> None:
        asked.wfile.write(answer)
        asked.close_connection = True

    with pytest.raises(ImageUnreachable, match="broke off"):
        make_fetcher().fetch(server.does("/a", reply))


def test_nobody_listens(make_fetcher: MakeFetcher) -> None:
    with pytest.raises(ImageUnreachable, match="cannot be reached"):
        make_fetcher().fetch("http://127.0.0.1:9/a.jpg")


def _in_turn(*answers: Answer) -> Answer:
    left = list(answers)

    def answer(asked: Asked) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(asked)

    return answer


def _status(status: int, **headers: str) -> Answer:
    return lambda asked: asked.reply(status, b"", **headers)


def _image(asked: Asked) -> None:
    asked.reply(200, PHOTO)


def _breaks_off(asked: Asked) -> None:
    asked.close_connection = True


@pytest.mark.parametrize("first", [_status(500), _status(503), _status(429), _status(408), _breaks_off])
def test_what_a_moment_may_heal_is_tried_again(server: ImageServer, make_fetcher: MakeFetcher, first: Answer) -> None:
    url = server.does("/a", _in_turn(first, first, _image))
    assert make_fetcher().fetch(url).data == PHOTO
    assert server.times("/a") == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_refusal_is_final(server: ImageServer, make_fetcher: MakeFetcher, status: int) -> None:
    with pytest.raises(ImageNotFound, match=f"answers {status}"):
        make_fetcher().fetch(server.does("/a", _status(status)))
    assert server.times("/a") == 1


def test_a_server_that_stays_ill_is_left_after_some_attempts(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    with pytest.raises(ImageUnreachable, match="answers 503 Service Unavailable") as raised:
        make_fetcher().fetch(server.does("/a", _status(503)))
    assert (raised.value.code, raised.value.field) == ("picture-unreachable", "image")
    assert server.times("/a") == ATTEMPTS


def test_as_long_as_the_server_asks_for_is_waited_if_there_is_time(
    server: ImageServer, make_fetcher: MakeFetcher
) -> None:
    url = server.does("/a", _in_turn(_status(429, Retry_After="1"), _image))
    with pytest.raises(ImageUnreachable, match="429 Too Many Requests"):
        make_fetcher(seconds=0.9).fetch(url)
    assert server.times("/a") == 1
    url = server.does("/b", _in_turn(_status(429, Retry_After="0"), _image))
    assert make_fetcher().fetch(url).data == PHOTO
    for odd in ("soon", "-1", "1e9", "9" * 400, "Wed, 21 Oct 2026 07:28:00 GMT"):
        url = server.does("/c", _in_turn(_status(503, Retry_After=odd), _image))
        assert make_fetcher().fetch(url).data == PHOTO


def test_redirects_are_followed(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    server.gives("/b/c.jpg", PHOTO)
    server.does("/b/a", _status(302, Location="c.jpg"))
    for status in (301, 302, 303, 307, 308):
        url = server.does("/a", _status(status, Location="/b/a"))
        assert make_fetcher().fetch(url).data == PHOTO


def test_redirects_in_a_circle_end(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    server.does("/b", _status(302, Location="/a"))
    with pytest.raises(ImageUnreachable, match="redirects more than 5 times"):
        make_fetcher().fetch(server.does("/a", _status(302, Location="/b")))
    assert len(server.asked) == MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/a.jpg", "gopher://127.0.0.1:25/x", "data:image/png;base64,AA"]
)
def test_redirects_to_anything_else_are_not_followed(
    server: ImageServer, make_fetcher: MakeFetcher, location: str
) -> None:
    with pytest.raises(ImageSourceUnsupported, match="only http and https"):
        make_fetcher().fetch(server.does("/a", _status(302, Location=location)))
    assert len(server.asked) == 1


@pytest.mark.parametrize("location", ["http://[::1", "/" + "x" * 5_000, "http://exa mple:x/", "http://\x7f/"])
def test_redirects_to_nonsense(server: ImageServer, make_fetcher: MakeFetcher, location: str) -> None:
    with pytest.raises(ImageError):
        make_fetcher().fetch(server.does("/a", _status(302, Location=location)))


@pytest.mark.parametrize(
    "source",
    [
        "http://",
        "http:///a.jpg",
        "http://h:0/a",
        "http://h:x/",
        "http://h:99999/a",
        "http://[::1/a",
        "http://h\n/a",
        "http://" + "a" * 5_000,
        "https://\ud800/",
        "http://me:s3cret@[::1/a",
    ],
)
def test_what_is_no_url(make_fetcher: MakeFetcher, source: str) -> None:
    with pytest.raises(ImageSourceUnsupported) as raised:
        make_fetcher().fetch(source)
    raised.value.message.encode()
    assert len(raised.value.message) < 400
    assert "s3cret" not in raised.value.message


@pytest.mark.parametrize("host", ["a..b", "a" * 300 + ".com", "xn--", "-", "nothing.invalid"])
def test_what_is_no_host(make_fetcher: MakeFetcher, host: str) -> None:
    with pytest.raises(ImageError):
        make_fetcher().fetch(f"http://{host}/a.jpg")


def test_messages_keep_secrets(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    url = server.url("/a.jpg?X-Amz-Signature=s3cret").replace("http://", "http://me:s3cret@")
    with pytest.raises(ImageNotFound) as raised:
        make_fetcher().fetch(url)
    assert "s3cret" not in raised.value.message
    assert "/a.jpg?…" in raised.value.message


def test_credentials_are_for_their_own_server(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    server.does("/a", _status(302, Location=server.url("/b", "localhost").replace("http://", "http://x:y@")))
    server.does("/b", _status(302, Location=server.url("/c")))
    server.gives("/c", PHOTO)
    assert make_fetcher().fetch(server.url("/a").replace("http://", "http://me:s3cret@")).data == PHOTO
    sent = {path: headers.get("Authorization") for path, headers in server.asked}
    assert sent == {"/a": "Basic bWU6czNjcmV0", "/b": None, "/c": "Basic bWU6czNjcmV0"}


def test_proxies_of_the_environment_are_not_used(
    server: ImageServer, make_fetcher: MakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert make_fetcher().fetch(server.gives("/a", PHOTO)).data == PHOTO


def _at_once(count: int, work: Callable[[int], object]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_host_is_asked_for_no_more_at_once_than_is_set(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    lock, full = threading.Lock(), threading.Event()
    now = most = 0

    def answer(asked: Asked) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == 3:
                full.set()
        full.wait()
        asked.reply(200, PHOTO)
        with lock:
            now -= 1

    fetcher = make_fetcher(connections=3)
    url = server.does("/a", answer)
    _at_once(12, lambda _: fetcher.fetch(url))
    assert (server.times("/a"), most) == (12, 3)


def test_a_dead_host_is_given_up_on_and_the_others_are_not(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    dead = server.does("/a", _status(500))
    alive = server.gives("/b", PHOTO).replace("127.0.0.1", "localhost")
    fetcher = make_fetcher()
    codes = []
    for _ in range(100):
        with pytest.raises(ImageUnreachable) as raised:
            fetcher.fetch(dead)
        codes.append(raised.value.code)
    assert server.times("/a") == FAILURES
    assert codes.count("picture-host-given-up") == 100 - FAILURES // ATTEMPTS
    assert fetcher.fetch(alive).data == PHOTO


def test_images_that_are_not_there_are_no_fault_of_the_host(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher()
    for number in range(2 * FAILURES):
        with pytest.raises(ImageNotFound):
            fetcher.fetch(server.url(f"/{number}"))
    with pytest.raises(ImageUnreachable) as raised:
        fetcher.fetch(server.does("/a", _status(500)))
    assert not isinstance(raised.value, ImageHostGivenUp)


def test_closing_ends_the_waiting(server: ImageServer, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(backoff=60, seconds=3_000)

    def answer(asked: Asked) -> None:
        fetcher.close()
        asked.reply(503)

    url = server.does("/a", answer)
    with pytest.raises(ImageUnreachable):
        fetcher.fetch(url)
