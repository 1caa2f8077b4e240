"""Jobs of several machines on one server: qdrant-client's emulator stands in for it, one call at a time as there."""

from __future__ import annotations

import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from index.lease import LEASE_SECONDS, Lease
from index.server import ServerStore
from schemas import IndexLocked
from tests.support.points import index_record, make_point

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")


class _Server:
    """A client that several threads may use: one call at a time."""

    def __init__(self) -> None:
        self.client = QdrantClient(":memory:")
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)

        def one_at_a_time(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                return call(*args, **kwargs)

        return one_at_a_time


def _locks(client: Any) -> list[str]:
    return [each.name for each in client.get_collections().collections if "--lock-" in each.name]


class _Clock:
    def __init__(self) -> None:
        self.now = 1.7e9

    def __call__(self) -> float:
        return self.now


def _lease(server: Any, token: str, clock: _Clock) -> Lease:
    return Lease(server, "products", "server", token, clock)


def test_the_second_machine_is_refused_and_told_who_holds_it() -> None:
    server, clock = _Server(), _Clock()
    with _lease(server, "a", clock).held():
        with pytest.raises(IndexLocked, match=r"process \d+ on .*, since 20.*wait"), _lease(server, "b", clock).held():
            pass
        assert len(_locks(server)) == 1
    assert _locks(server) == []
    with _lease(server, "b", clock).held():
        pass


def test_a_job_that_died_is_followed_at_once_by_the_next_on_its_machine() -> None:
    server, clock = _Server(), _Clock()
    _lease(server, "a", clock)._take()
    with _lease(server, "a", clock).held():
        assert len(_locks(server)) == 1
    assert _locks(server) == []


def test_another_machine_takes_over_when_the_lease_is_over() -> None:
    server, clock = _Server(), _Clock()
    dead = _lease(server, "a", clock)
    dead._take()
    clock.now += LEASE_SECONDS - 1
    with pytest.raises(IndexLocked), _lease(server, "b", clock).held():
        pass
    clock.now += 2
    with _lease(server, "b", clock).held():
        assert len(_locks(server)) == 1
        # And the one before, which was only slow, learns of it before it writes.
        with pytest.raises(IndexLocked, match="another one took the index"):
            dead.check()
        with pytest.raises(IndexLocked, match="another one took the index"):
            dead.check()
        with pytest.raises(IndexLocked), _lease(server, "c", clock).held():
            pass
    with pytest.raises(IndexLocked, match="it has ended"):
        dead.check()


def test_a_lease_that_is_renewed_goes_on() -> None:
    server, clock = _Server(), _Clock()
    with _lease(server, "a", clock).held():
        pass
    lease = _lease(server, "a", clock)
    lease._take()
    for _ in range(5):
        clock.now += LEASE_SECONDS * 0.9
        lease.renew()
    clock.now += LEASE_SECONDS * 1.5
    lease.check()
    with pytest.raises(IndexLocked), _lease(server, "b", clock).held():
        pass


def test_a_lock_that_says_nothing_stands_in_nobodys_way() -> None:
    server, clock = _Server(), _Clock()
    server.create_collection("products--lock-7", vectors_config={}, metadata={"storelens_holder": "{"})
    server.create_collection("products--lock-x", vectors_config={})
    with _lease(server, "a", clock).held():
        pass
    assert _locks(server) == ["products--lock-x"]


def test_of_jobs_that_start_at_once_one_holds_it() -> None:
    for _ in range(10):
        server, clock = _Server(), _Clock()
        _lease(server, "dead", clock)._take()
        clock.now += LEASE_SECONDS + 1
        start = threading.Barrier(6)

        def take(token: str, server: _Server = server, clock: _Clock = clock, start: threading.Barrier = start) -> bool:
            start.wait()
            try:
                _lease(server, token, clock)._take()
            except IndexLocked:
                return False
            return True

        with ThreadPoolExecutor(6) as jobs:
            assert list(jobs.map(take, "abcdef")).count(True) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["take", "die", "end", "check", "later"]))))
def test_never_two_hold_it(steps: list[tuple[str, str]]) -> None:
    server, clock = _Server(), _Clock()
    held: dict[str, Lease] = {}
    for token, step in steps:
        if step == "later":
            clock.now += LEASE_SECONDS * 0.7
        elif step == "take":
            lease = _lease(server, token, clock)
            try:
                lease._take()
            except IndexLocked:
                continue
            held[token] = lease
        elif token in held and step == "die":
            del held[token]
        elif token in held and step == "end":
            held.pop(token)._let_go()
        elif token in held:
            try:
                held[token].check()
            except IndexLocked:
                del held[token]
        sure = [token for token, lease in held.items() if lease._holder.until > clock.now]
        assert len(sure) <= 1


def test_jobs_of_two_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each machine has its own folder of lock files."""
    client = QdrantClient(":memory:")
    one, other = (ServerStore(client, "products", "server") for _ in range(2))
    with ExitStack() as stack:
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "one"))
        stack.enter_context(one.lock())
        build = one.begin(index_record())
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "other"))
        with pytest.raises(IndexLocked, match="another job is writing"), other.lock():
            pass
        build.upsert([make_point(1)])
        build.commit()
    with other.lock():
        assert other.begin(index_record()).index.count() == 1
    assert _locks(client) == []
