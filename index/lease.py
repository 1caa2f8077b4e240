"""The right to write to an index on a server: a lock among machines, made of what Qdrant has.

A lock is a collection ``NAME--lock-NUMBER`` without points, whose metadata say who holds it and until
when. Creating a collection is atomic: of two jobs that create the same one, one succeeds. The holder
renews it; one that was not renewed counts no more, and is taken over by creating a higher number,
never by removing the old one first, which two jobs could do in turn. Numbers are of the time, so that
none comes again that a job, stopped for long, might still take for its own. After creating or
renewing, a job looks for others' locks that count, and gives way where there is one: of two jobs one
looks last. Clocks of machines that write to one index must agree to within a third of ``LEASE_SECONDS``.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, ValidationError
from qdrant_client import QdrantClient, models

from index.server_engine import answering
from schemas import IndexLocked, IndexUnavailable

LEASE_SECONDS = 60.0
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


class Lease:
    """One job's claim.

    Args:
        token: Says which local lock file the claim goes with: whoever holds that file knows that a claim
            with its token is of a job that died, and goes on with it at once.
        now: Seconds since 1970.
    """

    def __init__(
        self, client: QdrantClient, alias: str, url: str, token: str, now: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._prefix = f"{alias}--lock-"
        self._url = url
        self._now = now
        since = datetime.now(UTC)
        self._holder = _Holder(token=token, pid=os.getpid(), host=socket.gethostname(), since=since, until=0.0)
        self._name = ""
        self._stop = threading.Event()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises IndexLocked at once when another job's claim counts."""
        self._take()
        renewing = threading.Thread(target=self._renew_again_and_again, name="lease", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            self._stop.set()
            renewing.join(timeout=1.0)
            self._let_go()

    def check(self) -> None:
        """Before every write. Raises IndexLocked when the claim ran out, as in a long outage, and another job has
        taken the index meanwhile."""
        if self._now() >= self._holder.until:
            self.renew()

    def renew(self) -> None:
        """Raises IndexLocked when the claim is lost, IndexUnavailable when that cannot be told."""
        self._write(self._name)
        locks = self._locks()
        mine = locks.get(self._name)
        other = self._other(locks)
        if other is not None or mine is None or mine.token != self._holder.token:
            self._let_go()
            self._holder = self._holder.model_copy(update={"until": 0.0})
            raise IndexLocked(
                f"this job did not reach {self._url} for a while, and another one took the index"
                f" ({other or 'it has ended'}); run it again to go on where it was"
            )
        self._holder = mine

    def _take(self) -> None:
        locks = self._locks()
        if (other := self._other(locks)) is not None:
            raise _locked(other)
        left = [name for name, holder in locks.items() if holder and holder.token == self._holder.token]
        if left:
            self._name = left[-1]
            self._write(self._name)
        else:
            next_number = 1 + max(map(self._number, locks), default=0)
            self._name = f"{self._prefix}{max(next_number, int(self._now() / LEASE_SECONDS))}"
            self._create()
        after = self._locks()
        mine = after.pop(self._name, None)
        if self._other(after) is not None or mine is None or mine.token != self._holder.token:
            self._let_go()
            raise _locked(self._other(after))
        self._holder = mine
        for name in after:
            self._delete(name)

    def _number(self, name: str) -> int:
        return int(name.removeprefix(self._prefix))

    def _create(self) -> None:
        metadata = self._claim()
        try:
            with answering(self._url):
                self._client.create_collection(
                    self._name, vectors_config={}, wal_config=models.WalConfigDiff(wal_capacity_mb=1), metadata=metadata
                )
        except (IndexUnavailable, ValueError):  # qdrant-client's emulator raises a ValueError
            locks = self._locks()
            holder = locks.get(self._name)
            if self._name not in locks:
                raise
            # Another job was quicker; or this one was, and the answer was lost.
            if holder is None or holder.token != self._holder.token:
                raise _locked(holder) from None

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
                with answering(self._url):
                    metadata = self._client.get_collection(name).config.metadata or {}
                locks[name] = _Holder.model_validate_json(metadata.get(_HOLDER, ""))
            except ValidationError:
                locks[name] = None
            except (IndexUnavailable, ValueError):
                with answering(self._url):
                    gone = not self._client.collection_exists(name)
                if not gone:
                    raise
        return locks

    def _other(self, locks: dict[str, _Holder | None]) -> _Holder | None:
        others = (holder for holder in locks.values() if holder and holder.token != self._holder.token)
        return next((holder for holder in others if holder.until > self._now()), None)

    def _let_go(self) -> None:
        # What cannot be removed runs out by itself.
        with suppress(IndexUnavailable):
            self._delete(self._name)

    def _delete(self, name: str) -> None:
        with answering(self._url):
            self._client.delete_collection(name)

    def _renew_again_and_again(self) -> None:
        while not self._stop.wait(LEASE_SECONDS / 3):
            # A lost claim and an outage are told to the job by its next ``check``.
            with suppress(IndexLocked, IndexUnavailable):
                self.renew()


def _locked(holder: _Holder | None) -> IndexLocked:
    who = holder or "it has not said who it is"
    ends = f"; a job that died is forgotten {LEASE_SECONDS:.0f} s after its last sign of life" if holder else ""
    return IndexLocked(f"another job is writing to this index ({who}); wait until it has ended{ends}")
