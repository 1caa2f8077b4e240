"""The right to write to an index on a server: a lock among machines, made of what Qdrant has.

A lock is a collection ``NAME--lock-NUMBER`` whose metadata say who holds it and until when. It has no shard, and so no
point, and every node of a cluster can read it whichever other nodes are away. Creating a collection is one entry in the
log that the nodes agree on: if two jobs create the same one, one succeeds, and whoever creates one sees, on the node it
asked, everything that was created before.

The holder renews its lock. One that was not renewed has run out, and is taken over by creating one of a higher number.
The old one is not removed first, as two jobs could do that in turn. Numbers are made of the time, so that none is used
again while a job that was stopped for long may still take it for its own. Two jobs may create two numbers without
having seen each other's. So after creating a lock, a job looks again; if another lock is valid it withdraws its own,
and tries again after a random time. Of the two the later one always withdraws. Clocks of machines that write to one
index must agree to within a third of ``LEASE_SECONDS``.
"""

from __future__ import annotations

import logging
import os
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError
from qdrant_client import QdrantClient, models

from index.server.engine import answering
from schemas import IndexLocked, IndexUnavailable

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
_RENEWED_EVERY = LEASE_SECONDS / 6
_LOOKED_EVERY = 1.0
_TRIES = 10
_HOLDER = "storelens_holder"


class _Holder(BaseModel):
    model_config = ConfigDict(frozen=True)

    token: str
    pid: int
    host: str
    since: datetime
    until: float

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since.isoformat(' ', 'seconds')}"


class _Taken(Exception):
    """Another job's lock counts; ``now`` where it was created in this very moment."""

    def __init__(self, holder: _Holder | None, *, now: bool = False) -> None:
        super().__init__()
        self.holder = holder
        self.now = now


class Lease:
    """One job's claim.

    Args:
        token: Says which local lock file the claim goes with: whoever holds that file knows that a claim
            with its token is of a job that died, and goes on with it at once.
        now: Seconds since 1970.
    """

    def __init__(
        self,
        client: QdrantClient,
        alias: str,
        url: str,
        token: str,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client = client
        self._prefix = f"{alias}--lock-"
        self._url = url
        self._now = now
        self._sleep = sleep
        since = datetime.now(UTC)
        self._holder = _Holder(token=token, pid=os.getpid(), host=socket.gethostname(), since=since, until=0.0)
        self._name = ""
        self._stop = threading.Event()

    @contextmanager
    def held(self, wait: float | None = None) -> Iterator[None]:
        """Raises IndexLocked, as ``take`` does."""
        self.take(wait)
        renewing = threading.Thread(target=self._renew_again_and_again, name="lease", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            self._stop.set()
            renewing.join(timeout=1.0)
            self.let_go()

    def take(self, wait: float | None = None) -> None:
        """Raises IndexLocked where another job's claim counts, after ``wait`` seconds.

        Without ``wait`` a claim is watched until it runs out, as its job may have died. One that is renewed or given
        up meanwhile is of a job that lives, and is not waited for.
        """
        try:
            self._take()
        except _Taken as taken:
            if wait is None:
                self._outlast(taken)
            else:
                self._await(taken, wait)

    def _outlast(self, taken: _Taken) -> None:
        dead = taken.holder
        if dead is None or taken.now:
            raise _locked(dead)
        seconds = min(dead.until - self._now(), LEASE_SECONDS * 4 / 3)
        log.warning("another job holds this index (%s); waiting up to %.0f s to see if it died", dead, seconds)
        end = self._now() + seconds
        while self._now() < end:
            self._sleep(_LOOKED_EVERY)
            if self._now() < end and self._other(self._locks()) != dead:
                raise _locked(dead)
        try:
            self._take()
        except _Taken as again:
            raise _locked(again.holder) from None

    def _await(self, taken: _Taken, wait: float) -> None:
        end = self._now() + wait
        if wait:
            log.warning("another job holds this index (%s); waiting up to %.0f s", taken.holder, wait)
        while self._now() < end:
            self._sleep(_LOOKED_EVERY)
            try:
                return self._take()
            except _Taken as again:
                taken = again
        raise _locked(taken.holder)

    @property
    def until(self) -> float:
        """When the claim runs out unless it is renewed, in seconds since 1970."""
        return self._holder.until

    def check(self) -> None:
        """Before every write. Raises IndexLocked when the claim ran out, as in a long outage, and another job has
        taken the index meanwhile."""
        if self._now() >= self._holder.until:
            self.renew()

    def renew(self) -> None:
        """Raises IndexLocked when the claim is lost, IndexUnavailable when that cannot be told."""
        # While it counts nobody takes it over: another claim beside it is one that will give way.
        counted = self._now() < self._holder.until - LEASE_SECONDS / 3
        self._write(self._name)
        locks = self._locks()
        mine = locks.get(self._name)
        other = None if counted else self._other(locks)
        if other is not None or mine is None or mine.token != self._holder.token:
            self.let_go()
            self._holder = self._holder.model_copy(update={"until": 0.0})
            raise IndexLocked(
                f"this job did not reach {self._url} for a while, and another one took the index"
                f" ({other or 'it has ended'}); run it again to go on where it was"
            )
        self._holder = mine

    def _take(self) -> None:
        """Raises _Taken where another job's lock counts."""
        for _ in range(_TRIES):
            locks = self._locks()
            if (other := self._other(locks)) is not None:
                raise _Taken(other)
            number = 1 + max(map(self._number, locks), default=0)
            self._name = f"{self._prefix}{max(number, int(self._now() / LEASE_SECONDS))}"
            self._create()
            after = self._locks()
            mine = after.pop(self._name, None)
            if mine is not None and mine.token == self._holder.token and self._other(after) is None:
                self._holder = mine
                for name in after:
                    self._delete(name)
                return
            self.let_go()
            self._sleep(random.uniform(0.1, 1.0))
        raise _Taken(None)

    def _number(self, name: str) -> int:
        return int(name.removeprefix(self._prefix))

    def _create(self) -> None:
        """Raises _Taken where another job was quicker."""
        try:
            with answering(self._url):
                self._client.create_collection(
                    self._name,
                    vectors_config={},
                    sharding_method=models.ShardingMethod.CUSTOM,
                    metadata=self._claim(),
                )
        except (IndexUnavailable, ValueError) as error:  # qdrant-client's emulator raises a ValueError
            locks = self._locks()
            holder = locks.get(self._name)
            if self._name not in locks:
                if "already exists" in str(error):  # another job was quicker, and has given way to a third one since
                    raise _Taken(None, now=True) from None
                raise
            # Another job was quicker; or this one was, and the answer was lost.
            if holder is None or holder.token != self._holder.token:
                raise _Taken(holder, now=True) from None

    def _write(self, name: str) -> None:
        # Where it does not come through, what is read afterwards says so.
        with suppress(IndexUnavailable, ValueError), answering(self._url):
            self._client.update_collection(name, metadata=self._claim())

    def _claim(self) -> dict[str, str]:
        holder = self._holder.model_copy(update={"until": self._now() + LEASE_SECONDS})
        return {_HOLDER: holder.model_dump_json()}

    def _locks(self) -> dict[str, _Holder | None]:
        """Every lock by name, in the order of their numbers; None of one that does not say whose it is."""
        with answering(self._url):
            names = [collection.name for collection in self._client.get_collections().collections]
        locks: dict[str, _Holder | None] = {}
        names = [name for name in names if re.fullmatch(re.escape(self._prefix) + r"\d{1,12}", name)]
        for name in sorted(names, key=self._number):
            try:
                locks[name] = self._read(name)
            except (IndexUnavailable, ValueError):
                with answering(self._url):
                    gone = not self._client.collection_exists(name)
                if not gone:
                    raise
        return locks

    def _read(self, name: str) -> _Holder | None:
        """Whose a lock is; None where it does not say."""
        with answering(self._url):
            metadata = self._client.get_collection(name).config.metadata or {}
        try:
            return _Holder.model_validate_json(metadata.get(_HOLDER, ""))
        except ValidationError:
            return None

    def _other(self, locks: dict[str, _Holder | None]) -> _Holder | None:
        others = (holder for holder in locks.values() if holder and holder.token != self._holder.token)
        return next((holder for holder in others if holder.until > self._now()), None)

    def let_go(self) -> None:
        """Give up this job's claim, and none of another job that has come by its name. What cannot be removed runs out
        by itself."""
        with suppress(IndexUnavailable, ValueError):
            holder = self._read(self._name)
            if holder and holder.token == self._holder.token:
                self._delete(self._name)

    def _delete(self, name: str) -> None:
        with answering(self._url):
            self._client.delete_collection(name)

    def _renew_again_and_again(self) -> None:
        while not self._stop.wait(_RENEWED_EVERY):
            # A lost claim and an outage are told to the job by its next ``check``.
            with suppress(IndexLocked, IndexUnavailable):
                self.renew()


def _locked(holder: _Holder | None) -> IndexLocked:
    who = holder or "it has not said who it is"
    ends = f"; a job that died is forgotten {LEASE_SECONDS:.0f} s after its last sign of life" if holder else ""
    return IndexLocked(f"another job is writing to this index ({who}); wait until it has ended{ends}")
