"""POST /v1/search with {"image": {"url": ..}}: off unless switched on, and as careful as a job."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.query_images import AT_ONCE
from tests.integration.api.conftest import Drawn
from tests.support.image_server import Asked, ImageServer, image_server
from tests.support.images import bomb, photo, scanned
from tests.support.serving import client

STAR = "star-plain-red"


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with image_server() as running:
        yield running


@pytest.fixture(scope="module")
def fetching(drawn: Drawn) -> Iterator[TestClient]:
    settings = {"image_urls": True, "picture_private_addresses": True, "picture_connections": 100}
    with client(drawn.data, max_upload_bytes=2**20, **settings) as opened:
        yield opened


def ask(api: TestClient, url: str, **more: Any) -> Any:
    return api.post("/v1/search", json={"image": {"url": url}, **more})


def assert_problem(response: Any, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    body = response.json()
    assert body["code"] == code
    assert [error["field"] for error in body["errors"]] == ["image.url"]


def test_it_is_off_unless_it_is_switched_on(api: TestClient, server: ImageServer) -> None:
    refused = ask(api, server.gives("/a.jpg", photo()))
    assert_problem(refused, 422, "request-invalid")
    assert "STORELENS_IMAGE_URLS" in refused.json()["detail"]
    assert not server.asked


def test_a_photo_by_its_url_finds_what_the_photo_itself_finds(
    fetching: TestClient, server: ImageServer, drawn: Drawn
) -> None:
    data = (drawn.catalog.parent / f"pictures/{STAR}.png").read_bytes()
    by_url = ask(fetching, server.gives("/a.png", data), limit=5).json()
    uploaded = fetching.post("/v1/search/image", files={"file": data}, data={"request": '{"limit": 5}'}).json()
    assert [hit["id"] for hit in by_url["hits"]] == [hit["id"] for hit in uploaded["hits"]]
    second = ask(fetching, server.url("/a.png"), limit=5, cursor=by_url["next_cursor"])
    assert second.status_code == 200
    assert not {hit["id"] for hit in second.json()["hits"]} & {hit["id"] for hit in by_url["hits"]}


def test_nothing_of_it_is_kept(fetching: TestClient, server: ImageServer, drawn: Drawn) -> None:
    url = server.gives("/a.jpg", photo())
    for _ in range(2):
        assert ask(fetching, url).status_code == 200
    assert server.times("/a.jpg") == 2
    assert not (drawn.data / "pictures").exists()


@pytest.mark.parametrize(
    ("body", "status", "problem", "code"),
    [
        (b"<html>", 200, 415, "not-a-picture"),
        (photo()[:2000], 200, 415, "picture-damaged"),
        (bytes(photo()) + bytes(2**20), 200, 413, "picture-too-large"),
        (bomb(), 200, 422, "picture-too-many-pixels"),
        (scanned(200), 200, 422, "picture-too-costly"),
        (b"", 404, 422, "picture-not-found"),
        (b"", 302, 502, "picture-unreachable"),
    ],
)
def test_what_can_go_wrong_there_has_a_name(
    fetching: TestClient, server: ImageServer, body: bytes, status: int, problem: int, code: str
) -> None:
    response = ask(fetching, server.gives("/a.jpg", body, status, Location="/a.jpg"))
    assert response.status_code == problem, response.text
    assert response.json()["code"] == code


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("http://127.0.0.1/a.jpg", 422, "picture-host-refused"),
        ("http://169.254.169.254/latest/meta-data/", 422, "picture-host-refused"),
        ("http://[::1]/a.jpg", 422, "picture-host-refused"),
        ("//127.0.0.1:9/a.jpg", 422, "picture-host-refused"),
        ("file:///etc/passwd", 422, "picture-source-unsupported"),
        ("picture:" + "0" * 32, 422, "picture-source-unsupported"),
        ("a.jpg", 422, "picture-source-unsupported"),
        ("", 422, "request-invalid"),
        ("http://" + "a" * 5_000, 422, "request-invalid"),
    ],
)
def test_what_is_not_to_be_asked(drawn: Drawn, url: str, status: int, code: str) -> None:
    with client(drawn.data, image_urls=True) as api:
        assert_problem(ask(api, url), status, code)


def test_a_server_that_stalls_is_left_in_time(drawn: Drawn, server: ImageServer) -> None:
    settings = {"image_urls": True, "picture_private_addresses": True, "picture_seconds": 0.1}
    url = server.does("/a.jpg", Asked.stall)
    with client(drawn.data, **settings) as api:
        assert_problem(ask(api, url), 502, "picture-unreachable")


def test_photos_on_their_way_do_not_take_the_threads_that_searches_need(
    fetching: TestClient, server: ImageServer
) -> None:
    on_their_way, go_on = threading.Semaphore(0), threading.Event()

    def answer(asked: Asked) -> None:
        on_their_way.release()
        go_on.wait()
        asked.reply(200, photo())

    url, came = server.does("/a.jpg", answer), []
    threads = [threading.Thread(target=lambda: came.append(ask(fetching, url).status_code)) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        on_their_way.acquire()
    refused = ask(fetching, url)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert fetching.post("/v1/search", json={"text": "red star"}).status_code == 200
    go_on.set()
    for thread in threads:
        thread.join()
    assert came == [200] * AT_ONCE
    assert ask(fetching, url).status_code == 200


@pytest.mark.parametrize("image", [{}, {"base64": "AAAA", "url": "http://x/"}, {"base64": None}, {"uri": "http://x/"}])
def test_a_photo_is_given_in_one_way(fetching: TestClient, image: dict[str, Any]) -> None:
    response = fetching.post("/v1/search", json={"image": image})
    assert (response.status_code, response.json()["code"]) == (422, "request-invalid")
