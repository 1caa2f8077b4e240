"""The service as it is really served: heads, slow clients, overload, leaving and stopping."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from PIL import Image

import api.connection
import api.server
from api.inputs import JSON_BYTES
from api.middleware.limits import AT_WORK
from tests.integration.api.conftest import Drawn
from tests.support.images import encode
from tests.support.serving import Served, ingest, received, served
from tests.support.waiting import within

ROOT = Path(__file__).resolve().parents[3]
LINE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
UPLOAD = POST + b"Content-Length: 1000\r\n\r\n"


@pytest.fixture(scope="module")
def service(drawn: Drawn) -> Iterator[Served]:
    with served(drawn.data) as running:
        yield running


def assert_problem(answers: bytes, status: int, code: str) -> None:
    """The last of the answers is one."""
    head, _, body = answers[answers.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status, answers[-500:]
    assert b"application/problem+json" in head
    assert json.loads(body)["code"] == code


@pytest.mark.parametrize(
    "head",
    [
        LINE + b"".join(b"x-%d: 1\r\n" % number for number in range(50_000)) + b"\r\n",
        LINE + b"".join(b"x-%d: 1\r\n" % number for number in range(101)) + b"\r\n",
        LINE + b"x: " + b"a" * 4_000_000,
        LINE + b"x" * 100_000 + b": a\r\n\r\n",
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz?" + b"a" * 1_000_000,
        LINE + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: " + b"a" * 1_000_000,
        LINE + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 1_000_000,
    ],
    ids=["many", "too many", "long", "long name", "path", "query", "trailer", "chunk extension"],
)
def test_a_head_has_limits(service: Served, head: bytes) -> None:
    assert_problem(service.send(head), 431, "headers-too-large")


def test_a_head_within_the_limits_is_answered(service: Served) -> None:
    headers = b"".join(b"x-%d: %b\r\n" % (number, b"a" * 300) for number in range(98))
    assert service.send(LINE + b"Connection: close\r\n" + headers + b"\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"nonsense\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\n" * 20,
        LINE + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        (LINE + b"\r\n") * 1_000,
    ],
    ids=["TLS", "nonsense", "CONNECT", "version", "two lengths", "no header", "no chunk", "pipelined"],
)
def test_what_is_not_to_be_understood_ends_the_connection_and_harms_nobody(service: Served, said: bytes) -> None:
    answers = service.send(said).split(b"HTTP/1.1 ")
    assert all(answer[:3] in (b"200", b"400") for answer in answers[1:])
    if answers[-1].startswith(b"400"):
        assert b"application/problem+json" in answers[-1]
    assert httpx.get(f"{service.url}/healthz").status_code == 200


def test_requests_on_one_connection_are_answered_in_order(service: Served) -> None:
    search = UPLOAD.replace(b"1000", b"15") + b'{"text":"star"}'
    answers = service.send((LINE + b"\r\n" + search) * 4 + LINE + b"Connection: close\r\n\r\n").split(b"HTTP/1.1 200 ")
    assert [b"hits" in answer for answer in answers[1:]] == [False, True] * 4 + [False]


@pytest.mark.parametrize(
    "body",
    [
        b'Content-Length: 15\r\n\r\n{"text":"star"}',
        b'Transfer-Encoding: chunked\r\n\r\nf\r\n{"text":"star"}\r\n0\r\n\r\n',
    ],
    ids=["length", "chunked"],
)
@pytest.mark.parametrize("at", [1, 60, 200])
def test_an_offer_of_another_protocol_is_declined(service: Served, body: bytes, at: int) -> None:
    """Java's HTTP client offers HTTP/2 with its first request, which may well have a body."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
    request = POST + offer + body
    answer = service.send(request[:-at], request[-at:])
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"star-' in answer


def test_an_offer_without_a_body_ends_nothing(service: Served) -> None:
    offer = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    last = LINE + b"Connection: close\r\n\r\n"
    assert service.send((LINE + offer + b"\r\n") * 3 + last).count(b"HTTP/1.1 200 ") == 4


@pytest.mark.parametrize("how", [b"", b"Connection: close\r\n", b"Expect: 100-continue\r\n"], ids=str)
def test_a_client_that_is_refused_gets_its_answer_though_it_still_sends(drawn: Drawn, how: bytes) -> None:
    """And nothing of what it sends is kept: it is refused by its head."""
    with served(drawn.data, api_keys="key") as service, service.connect() as connection:
        connection.sendall(UPLOAD.replace(b"1000", b"20000000").replace(b"\r\n\r\n", b"\r\n" + how + b"\r\n"))
        for _ in range(20):
            connection.sendall(b" " * 10**6)
        answer = connection.recv(2**16)
        assert_problem(answer, 401, "unauthorized")
        if not how:
            connection.sendall(LINE + b"\r\n")
            assert connection.recv(2**16).startswith(b"HTTP/1.1 200 ")


def test_a_photo_in_json_may_be_as_large_as_an_upload(drawn: Drawn) -> None:
    data = encode(Image.effect_noise((1200, 1200), 100), "PNG")
    assert len(data) > JSON_BYTES
    written = {"image": {"base64": base64.b64encode(data).decode()}, "limit": 3}
    for limit, status in ((len(data), 200), (len(data) - 1, 413)):
        with served(drawn.data, max_upload_bytes=limit) as service:
            assert httpx.post(f"{service.url}/v1/search", json=written).status_code == status
            uploaded = httpx.post(f"{service.url}/v1/search/image", files={"file": data})
            assert uploaded.status_code == status


@pytest.fixture(scope="class")
def impatient(drawn: Drawn) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api.connection, "TIMEOUT_SECONDS", 2)
        patch.setattr(api.connection, "IDLE_SECONDS", 2)
        with served(drawn.data) as running:
            yield running


class TestSlowClients:
    @pytest.mark.parametrize(
        ("said", "status"),
        [
            (b"", None),
            (b"\r\n", None),
            (b"G", 408),
            (LINE, 408),
            (UPLOAD, 408),
            (UPLOAD + b"{", 408),
            (UPLOAD.replace(b"search", b"search/image").replace(b"application/json", b"multipart/form-data"), 408),
            (LINE + b"\r\n", 200),
            (LINE + b"\r\nGET", 200),
            (LINE + b"Content-Length: 1000\r\n\r\n{", 200),
        ],
        ids=["nothing", "newline", "byte", "head", "no body", "body", "form", "idle", "next", "unread body"],
    )
    def test_are_left(self, impatient: Served, said: bytes, status: int | None) -> None:
        answer = impatient.send(said)
        if status == 408:
            assert_problem(answer, 408, "request-timeout")
        else:
            assert answer.count(b"HTTP/1.1 200 ") == (status is not None) == bool(answer)

    def test_are_left_though_they_send_now_and_then(self, impatient: Served) -> None:
        stop = threading.Event()
        with impatient.connect() as connection:
            connection.sendall(LINE)

            def drip() -> None:
                while not stop.wait(0.1):
                    with suppress(OSError):
                        connection.sendall(b"x: 1\r\n")

            dripping = threading.Thread(target=drip)
            dripping.start()
            try:
                assert_problem(connection.recv(2**16), 408, "request-timeout")
            finally:
                stop.set()
                dripping.join()

    def test_are_left_where_they_do_not_read(self, tmp_path: Path) -> None:
        noise = Image.effect_noise((2200, 2200), 100)
        noise.save(tmp_path / "large.png", compress_level=0)
        (tmp_path / "catalog.jsonl").write_text(
            '{"id": "a", "title": "Noise", "image": "large.png"}\n', encoding="utf-8"
        )
        ingest(tmp_path / "catalog.jsonl", tmp_path / "data")
        with (
            pytest.MonkeyPatch.context() as patch,
            served(tmp_path / "data") as service,
            socket.socket() as connection,
        ):
            patch.setattr(api.connection, "TIMEOUT_SECONDS", 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", service.port))
            connection.sendall(b"GET /v1/products/a/images/0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(12).startswith(b"HTTP/1.1 200")
            assert within(60, lambda: not service.server.server_state.connections)


def test_more_requests_than_can_wait_are_refused_at_once_and_health_is_answered(drawn: Drawn) -> None:
    with served(drawn.data, max_waiting=1) as service:
        stalled = [service.connect() for _ in range(AT_WORK + 1)]
        for connection in stalled:
            connection.sendall(UPLOAD.replace(b"1000", b"15"))
        search = f"{service.url}/v1/search"
        assert within(60, lambda: httpx.post(search, json={"text": "star"}).status_code == 503)
        refused = httpx.post(search, json={"text": "star"})
        assert (refused.json()["code"], refused.headers["content-type"]) == ("overloaded", "application/problem+json")
        assert int(refused.headers["retry-after"]) > 0
        for path in ("/healthz", "/readyz", "/metrics", "/"):
            assert httpx.get(service.url + path).status_code == 200
        for connection in stalled:
            connection.sendall(b'{"text":"star"}')
            assert connection.recv(2**16).startswith(b"HTTP/1.1 200 ")
            connection.close()
        assert within(60, lambda: httpx.post(search, json={"text": "star"}).status_code == 200)


@pytest.mark.parametrize("path", ["search", "search/image"])
def test_a_client_that_leaves_while_it_sends_is_no_error_of_ours(
    service: Served, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    upload = UPLOAD.replace(b"/v1/search", f"/v1/{path}".encode())
    for linger in (b"", struct.pack("ii", 1, 0)):  # closed, and reset
        with service.connect() as connection:
            if linger:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.sendall(upload + b"{")

    def statuses() -> list[tuple[str, str]]:
        metrics = httpx.get(f"{service.url}/metrics").text
        return re.findall(rf'route="/v1/{path}",status="(\d+)"}} (\d)', metrics)

    assert within(60, lambda: ("499", "2") in statuses()), statuses()
    assert "500" not in dict(statuses())
    assert caplog.records == []


def test_a_client_that_leaves_before_it_is_answered_is_no_error_of_ours(
    service: Served, caplog: pytest.LogCaptureFixture
) -> None:
    search = UPLOAD.replace(b"1000", b"15") + b'{"text":"star"}'
    for requests in (search, search * 2, search * 5, UPLOAD + b"x" * 1000 + LINE):
        for _ in range(5):
            with service.connect() as connection:
                connection.sendall(requests)
    state = service.server.server_state
    assert within(60, lambda: not state.connections and not state.tasks)
    assert caplog.records == []


def test_a_stop_does_not_wait_for_a_client_that_stalls(drawn: Drawn, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api.server, "GRACE_SECONDS", 0.5)
        with served(drawn.data) as service:
            idle, stalled = service.connect(), service.connect()
            stalled.sendall(UPLOAD + b"{")
            assert within(60, lambda: len(service.server.server_state.tasks) == 1)
            service.server.should_exit = True
            assert received(idle) == b""
            assert_problem(received(stalled), 503, "stopping")
            idle.close()
            stalled.close()
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_stops_with_status_0_and_without_a_word(number: signal.Signals, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STORELENS_")}
    command = [sys.executable, "-m", "api", "--data-dir", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = re.search(r"http://\S+", process.stderr.readline())
        assert address
        assert within(60, lambda: httpx.get(f"{address[0]}healthz").is_success)
        process.send_signal(number)
        said = process.stderr.read()
        assert process.wait(60) == 0
    assert "Traceback" not in said
    assert "KeyboardInterrupt" not in said
