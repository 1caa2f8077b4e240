"""Turns, room for bodies, and who is asked first."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest
from pydantic import SecretStr
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Scope

from api.middleware.auth import LocalNames, RequireKey
from api.middleware.limits import AT_WORK, QUERY_IMAGES_AT_WORK, Admission, Bodies, Workers
from schemas import BodyTooLarge, ClientGone, Overloaded

Handler = Callable[[Scope, Any, Any], Awaitable[None]]


def scope(path: str = "/v1/search", **headers: str) -> Scope:
    encoded = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "path": path, "headers": encoded, "query_string": b""}


async def unread() -> Message:
    raise AssertionError("the body is not to be read")


async def stays() -> Message:
    await anyio.sleep_forever()
    raise AssertionError


async def leaves() -> Message:
    return {"type": "http.disconnect"}


async def ask(app: Any, asked: Scope) -> int:
    """The status of an answer that reads no body; 0 where there was none."""
    status = 0

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    await app(asked, unread, send)
    return status


async def reached(scope: Scope, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer one", 200),
        ("bearer  two", 200),
        ("BEARER one", 200),
        ("Bearer on", 401),
        ("Bearer one two", 401),
        ("Bearer", 401),
        ("one", 401),
        ("Basic one", 401),
        ("", 401),
        ("Bearer schl\xfcssel", 401),
    ],
)
def test_a_key_is_asked_for_before_the_body_is_read(header: str, status: int) -> None:
    app = RequireKey(reached, [SecretStr("one"), SecretStr("two")])
    assert anyio.run(ask, app, scope(authorization=header)) == status


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/healthz", 200), ("/page/app.js", 200), ("/page", 401), ("/metrics", 401), ("/nope", 401)],
)
def test_what_is_not_open_to_all_needs_a_key(path: str, status: int) -> None:
    assert anyio.run(ask, RequireKey(reached, [SecretStr("key")]), scope(path)) == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:80", 200),
        ("[::1]", 200),
        ("", 400),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("localhost:80@evil.example", 400),
        ("evil.example:localhost", 400),
        ("::1", 400),
    ],
)
def test_without_a_key_this_machine_s_names_alone_are_answered(host: str, status: int) -> None:
    assert anyio.run(ask, LocalNames(reached, "127.0.0.1"), scope(host=host)) == status


def test_a_bounded_number_of_requests_is_let_in_and_the_rest_refused_at_once() -> None:
    async def test() -> None:
        inside, let_go = 0, anyio.Event()

        async def work(scope: Scope, receive: Any, send: Any) -> None:
            nonlocal inside
            inside += 1
            await let_go.wait()

        app = Admission(work, waiting=3)
        async with anyio.create_task_group() as tasks:
            for _ in range(AT_WORK + 3):
                tasks.start_soon(ask, app, scope())
            await anyio.wait_all_tasks_blocked()
            assert await ask(app, scope()) == 503
            assert inside == AT_WORK + 3
            let_go.set()
        for path in ("/healthz", "/metrics", "/"):
            assert await ask(Admission(reached, waiting=0), scope(path)) == 200
        assert await ask(app, scope()) == 0  # there is room again

    anyio.run(test)


def test_requests_without_a_photo_do_not_wait_behind_those_with_one() -> None:
    async def test() -> None:
        let_go = threading.Event()
        workers, request = Workers(), Request(scope(), stays)
        async with anyio.create_task_group() as tasks:
            for _ in range(QUERY_IMAGES_AT_WORK + 1):
                tasks.start_soon(lambda: workers.run(request, lambda _: let_go.wait(), query_image=True))
            await anyio.wait_all_tasks_blocked()
            assert await workers.run(request, lambda _: "words") == "words"
            let_go.set()

    anyio.run(test)


def test_whoever_left_while_waiting_costs_no_turn() -> None:
    worked: list[str] = []

    async def test() -> None:
        let_go = threading.Event()
        workers, raised = Workers(), 0

        async def wait_and_leave() -> None:
            nonlocal raised
            try:
                await workers.run(Request(scope(), leaves), lambda _: worked.append("in vain"))
            except ClientGone:
                raised += 1

        async with anyio.create_task_group() as tasks:
            for _ in range(AT_WORK):
                tasks.start_soon(workers.run, Request(scope(), stays), lambda _: let_go.wait())
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(wait_and_leave)
            await anyio.wait_all_tasks_blocked()
            let_go.set()
        assert (raised, worked) == (1, [])

    anyio.run(test)


class TestBodies:
    @staticmethod
    def request(*chunks: bytes, announced: int | None = None, leaves: bool = False) -> Request:
        async def parts() -> AsyncIterator[Message]:
            for chunk in chunks:
                yield {"type": "http.request", "body": chunk, "more_body": True}
            yield {"type": "http.disconnect"} if leaves else {"type": "http.request", "body": b"", "more_body": False}

        messages = parts()
        headers = {} if announced is None else {"content_length": str(announced)}
        return Request(scope(**headers), lambda: anext(messages))

    def test_a_body_is_read_up_to_its_limit(self) -> None:
        async def test() -> None:
            bodies = Bodies(10, 100)
            async with bodies.read(self.request(b"12345", b"67890")) as body:
                assert body == b"1234567890"
            for request in (self.request(b"12345", b"678901"), self.request(announced=11)):
                with pytest.raises(BodyTooLarge):
                    async with bodies.read(request):
                        pass

        anyio.run(test)

    def test_all_bodies_together_have_a_limit_and_leave_their_room(self) -> None:
        async def test() -> None:
            bodies = Bodies(10, 15)
            for _ in range(5):
                async with bodies.read(self.request(b"1234567890")) as body:
                    with pytest.raises(Overloaded):
                        async with bodies.read(self.request(b"123456")):
                            pass
                    async with bodies.read(self.request(b"12345")):
                        body.clear()
                for request in (self.request(b"1" * 11), self.request(b"1", leaves=True)):
                    with pytest.raises((BodyTooLarge, ClientDisconnect)):
                        async with bodies.read(request):
                            pass

        anyio.run(test)
