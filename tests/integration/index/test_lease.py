"""Jobs of several machines on one server: qdrant-client's emulator stands in for it, one call at a time as there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from index.server.lease import LEASE_SECONDS, Lease
from index.server.store import ServerStore
from index.settings import IndexSettings
from schemas import IndexLocked
from tests.support.clock import Clock
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


def _lease(server: Any, token: str, clock: Clock, sleep: Callable[[float], object] | None = None) -> Lease:
    return Lease(server, "products", "server", token, clock, sleep or clock.sleep)


def test_the_second_machine_is_refused_and_told_who_holds_it() -> None:
    server, clock = _Server(), Clock()
    with _lease(server, "a", clock).held():
        with (
            pytest.raises(IndexLocked, match=r"process \d+ on .*, since 20.*wait"),
            _lease(server, "b", clock).held(wait=0),
        ):
            pass
        assert len(_locks(server)) == 1
    assert _locks(server) == []
    with _lease(server, "b", clock).held():
        pass


def test_a_job_that_died_is_followed_at_once_by_the_next_on_its_machine() -> None:
    server, clock = _Server(), Clock()
    _lease(server, "a", clock).take(wait=0)
    with _lease(server, "a", clock).held():
        assert len(_locks(server)) == 1
    assert _locks(server) == []


def test_another_machine_takes_over_when_the_lease_is_over() -> None:
    server, clock = _Server(), Clock()
    dead = _lease(server, "a", clock)
    dead.take(wait=0)
    clock.now += LEASE_SECONDS - 1
    with pytest.raises(IndexLocked), _lease(server, "b", clock).held(wait=0):
        pass
    clock.now += 2
    with _lease(server, "b", clock).held():
        assert len(_locks(server)) == 1
        # And the one before, which was only slow, learns of it before it writes.
        with pytest.raises(IndexLocked, match="another one took the index"):
            dead.check()
        with pytest.raises(IndexLocked, match="another one took the index"):
            dead.check()
        with pytest.raises(IndexLocked), _lease(server, "c", clock).held(wait=0):
            pass
    with pytest.raises(IndexLocked, match="it has ended"):
        dead.check()


def test_a_lease_that_is_renewed_goes_on() -> None:
    server, clock = _Server(), Clock()
    with _lease(server, "a", clock).held():
        pass
    lease = _lease(server, "a", clock)
    lease.take(wait=0)
    for _ in range(5):
        clock.now += LEASE_SECONDS * 0.9
        lease.renew()
    clock.now += LEASE_SECONDS * 1.5
    lease.check()
    with pytest.raises(IndexLocked), _lease(server, "b", clock).held(wait=0):
        pass


def test_another_claim_beside_one_that_counts_is_not_given_way_to() -> None:
    """A job on a node that is behind did not see it, and will look again."""
    server, clock = _Server(), Clock()
    lease = _lease(server, "a", clock)
    lease.take(wait=0)
    late = {"token": "b", "pid": 1, "host": "behind", "since": "2026-01-01T00:00:00Z", "until": clock.now + 60}
    server.create_collection("products--lock-1", vectors_config={}, metadata={"storelens_holder": json.dumps(late)})
    lease.renew()
    lease.check()
    assert lease.until > clock.now


def test_a_claim_that_another_job_has_by_now_is_not_given_up_for_it() -> None:
    server, clock = _Server(), Clock()
    slow = _lease(server, "a", clock)
    slow.take(wait=0)
    (name,) = _locks(server)
    server.delete_collection(name)
    with _lease(server, "b", clock).held():
        assert _locks(server) == [name]
        slow.let_go()
        assert _locks(server) == [name]
        with pytest.raises(IndexLocked), _lease(server, "c", clock).held(wait=0):
            pass
    slow.let_go()
    assert _locks(server) == []


class TestWaiting:
    def test_a_claim_that_may_be_of_a_dead_job_is_outlasted_and_that_is_said(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        server, clock = _Server(), Clock()
        _lease(server, "dead", clock).take(wait=0)
        clock.now += 20
        started = clock.now
        with _lease(server, "b", clock).held():
            assert 40 <= clock.now - started <= 42
        assert "waiting up to 40 s to see if it died" in caplog.text

    def test_one_that_is_renewed_is_of_a_job_that_lives(self) -> None:
        server, clock = _Server(), Clock()
        other = _lease(server, "a", clock)
        other.take(wait=0)
        started = clock.now

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            if clock.now - started > 9:
                other.renew()

        with pytest.raises(IndexLocked, match="another job is writing"):
            _lease(server, "b", clock, sleep).take()
        assert clock.now - started < 12
        assert len(_locks(server)) == 1

    def test_so_is_one_that_is_given_up(self) -> None:
        server, clock = _Server(), Clock()
        other = _lease(server, "a", clock)
        other.take(wait=0)

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            other.let_go()

        with pytest.raises(IndexLocked, match="another job is writing"):
            _lease(server, "b", clock, sleep).take()

    def test_whoever_asks_for_it_waits_for_any_job(self, caplog: pytest.LogCaptureFixture) -> None:
        server, clock = _Server(), Clock()
        other = _lease(server, "a", clock)
        other.take(wait=0)
        started = clock.now

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            other.renew() if clock.now - started < 200 else other.let_go()

        with pytest.raises(IndexLocked):
            _lease(server, "b", clock, sleep).take(wait=100)
        _lease(server, "b", clock, sleep).take(wait=1000)
        assert "waiting up to 1000 s" in caplog.text


def test_a_lock_that_says_nothing_stands_in_nobodys_way() -> None:
    server, clock = _Server(), Clock()
    server.create_collection("products--lock-7", vectors_config={}, metadata={"storelens_holder": "{"})
    server.create_collection("products--lock-x", vectors_config={})
    with _lease(server, "a", clock).held():
        pass
    assert _locks(server) == ["products--lock-x"]


def test_of_jobs_that_start_at_once_one_holds_it() -> None:
    for _ in range(10):
        server, clock = _Server(), Clock()
        _lease(server, "dead", clock).take(wait=0)
        clock.now += LEASE_SECONDS + 1
        start = threading.Barrier(6)

        def take(token: str, server: _Server = server, clock: Clock = clock, start: threading.Barrier = start) -> bool:
            start.wait()
            try:
                _lease(server, token, clock).take(wait=0)
            except IndexLocked:
                return False
            return True

        with ThreadPoolExecutor(6) as jobs:
            assert list(jobs.map(take, "abcdef")).count(True) == 1


class _GivenUp(_Server):
    """Another job has created the first lock that is asked for, and has removed it again by the time anybody looks."""

    refusals = 1

    def create_collection(self, name: str, **kwargs: Any) -> bool:
        if self.refusals:
            self.refusals -= 1
            raise ValueError(f"Collection {name} already exists")
        return self.client.create_collection(name, **kwargs)


def test_whoever_meets_a_job_that_gives_way_is_refused_and_may_wait() -> None:
    with pytest.raises(IndexLocked, match="another job is writing"):
        _lease(_GivenUp(), "a", Clock()).take(wait=0)
    server = _GivenUp()
    _lease(server, "a", Clock()).take(wait=1)
    assert len(_locks(server)) == 1


class _Behind(_Server):
    """Every job has looked before any creates, and created before any looks again."""

    def __init__(self, jobs: int) -> None:
        super().__init__()
        self._all = threading.Barrier(jobs)
        self._created = threading.local()

    def create_collection(self, *args: Any, **kwargs: Any) -> bool:
        first = not getattr(self._created, "once", False)
        self._created.once = True
        if first:
            self._all.wait()
        try:
            with self._lock:
                return self.client.create_collection(*args, **kwargs)
        finally:
            if first:
                self._all.wait()


@pytest.mark.parametrize("clocks", [(0, 0), (0, 30), (30, 0), (0, 30, 60)])
def test_of_jobs_that_did_not_see_each_other_one_holds_it(clocks: tuple[int, ...]) -> None:
    """Also where a minute ends between them, so that each creates a number of its own."""
    for _ in range(10):
        server, start = _Behind(len(clocks)), (1.7e9 // LEASE_SECONDS) * LEASE_SECONDS + 45

        def take(number: int, server: _Server = server, start: float = start) -> bool:
            clock = Clock()
            clock.now = start + clocks[number]
            try:
                _lease(server, f"job {number}", clock).take(wait=0)
            except IndexLocked as locked:
                assert "another job is writing" in locked.message
                return False
            return True

        with ThreadPoolExecutor(len(clocks)) as jobs:
            assert list(jobs.map(take, range(len(clocks)))).count(True) == 1
        assert len(_locks(server)) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["take", "die", "end", "check", "later"]))))
def test_never_two_hold_it(steps: list[tuple[str, str]]) -> None:
    server, clock = _Server(), Clock()
    held: dict[str, Lease] = {}
    for token, step in steps:
        if step == "later":
            clock.now += LEASE_SECONDS * 0.7
        elif step == "take":
            lease = _lease(server, token, clock)
            try:
                lease.take(wait=0)
            except IndexLocked:
                continue
            held[token] = lease
        elif token in held and step == "die":
            del held[token]
        elif token in held and step == "end":
            held.pop(token).let_go()
        elif token in held:
            try:
                held[token].check()
            except IndexLocked:
                del held[token]
        sure = [token for token, lease in held.items() if lease.until > clock.now]
        assert len(sure) <= 1


def test_jobs_of_two_machines(tmp_path: Path) -> None:
    """Each machine has its own data."""
    client = QdrantClient(":memory:")
    one, other = (ServerStore(client, IndexSettings(data_dir=tmp_path / name), "server") for name in ("one", "other"))
    with one.lock():
        build = one.begin(index_record())
        with pytest.raises(IndexLocked, match="another job is writing"), other.lock(wait=0):
            pass
        build.upsert([make_point(1)])
        build.commit()
    with other.lock():
        assert other.begin(index_record()).index.count() == 1
    assert _locks(client) == []
