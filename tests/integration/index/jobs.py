"""Jobs that tests run in processes of their own, and kill."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from index.edge.store import EmbeddedStore
from index.protocols import CatalogIndex
from schemas import IndexDiskFull
from tests.support.harm import die_at_step
from tests.support.points import index_record, make_point

POINTS = 30

# Children are forked from a process that has the imports and nothing open: quick to start, safe to fork.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


def start(job: Any, *arguments: Any) -> tuple[ForkServerProcess, Connection]:
    """A running job and the end of the pipe it reports to."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=job, args=(*arguments, sender), daemon=True)
    process.start()
    sender.close()
    return process, receiver


def kill(process: BaseProcess) -> None:
    process.kill()
    process.join()


def store(folder: Path) -> EmbeddedStore:
    return EmbeddedStore(folder, "products")


def ingest(folder: Path) -> None:
    """Give every point the number of the next round, a few at a time, and commit."""
    job = store(folder)
    with job.lock():
        build = job.begin(index_record())
        following = 1 + served_round(job)
        for first in range(0, POINTS, 10):
            build.upsert([make_point(n, {"stock": following}) for n in range(first, first + 10)])
        build.commit()


def served_round(job: EmbeddedStore) -> int:
    """The round of what serves; 0 when nothing does."""
    if job.version() is None:
        return 0
    index = job.open()
    try:
        return round_of(index)
    finally:
        index.close()


def round_of(index: CatalogIndex) -> int:
    """The one round that all points are of: a generation that mixes rounds is not whole."""
    ((value, count),) = index.facet("stock", None, 10)
    assert count == index.count() == POINTS
    assert set(index.fetch(index.scan(None, POINTS))) == set(index.scan(None, POINTS))
    return int(value)


def ingest_forever(folder: Path, report: Connection) -> None:
    while True:
        report.send("begins")
        ingest(folder)


def ingest_until(folder: Path, step: int, report: Connection) -> None:
    """Ingest, and die by SIGKILL before the given step of those that change the folder's own files."""
    die_at_step(folder, step)
    ingest(folder)
    report.send("done")


def write_and_wait(folder: Path, report: Connection) -> None:
    with store(folder).lock():
        build = store(folder).begin(index_record())
        build.upsert([make_point(1), make_point(2)])
        build.upsert([make_point(3)])
        report.send("written")
        signal.pause()


def hold_lock(folder: Path, report: Connection) -> None:
    with store(folder).lock():
        report.send(os.getpid())
        signal.pause()


def read_forever(folder: Path, report: Connection) -> None:
    """Open what serves, check that it is whole, close, again; reports each round it saw."""
    while True:
        report.send(served_round(store(folder)))


def ingest_on_a_full_disk(folder: Path, stage: str, report: Connection) -> None:
    """Ingest twice and read; somebody else fills the disk as the given stage begins. Reports what came of it."""

    def begins(now: str) -> None:
        if now == stage:
            with (folder / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
                while True:
                    ballast.write(bytes(4096))

    job = store(folder)
    try:
        for first in ("first ", ""):
            begins(first + "lock")
            with job.lock():
                begins(first + "begin")
                build = job.begin(index_record())
                begins(first + "upsert")
                build.upsert([make_point(n, {"stock": 1}) for n in range(POINTS)])
                begins(first + "payload")
                build.set_payload({make_point(1).id: make_point(1, {"stock": 1}).payload})
                begins(first + "optimize")
                build.optimize()
                begins(first + "commit")
                build.commit()
        begins("read")
        served_round(job)
    except IndexDiskFull as error:
        report.send(error.message)
    else:
        report.send("done")
    # As at the end of a process of one's own; the end of this one skips it.
    del job, build
    gc.collect()
