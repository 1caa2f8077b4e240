"""A process that works on bytes which may be malicious, and that can be killed at any moment.

Why no library's pool: processes of pebble share a queue, and one that was killed while it held the queue's lock stopped
the whole pool; the standard library's pool fails all its tasks when one process dies, and cannot end a task. Here each
process has a pipe of its own. They are forked from a process that has imported what they need, so that a new one takes
20 ms instead of a second.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path
from typing import Any

START_SECONDS = 120.0
"""For the imports, on a machine that has much else to do."""

STALLED_SECONDS = 10
"""After which a process that takes or gives half a message is as good as dead."""

GIVING_WAY = 5
"""More niceness: with the least priority of all an image would never be done on a machine that is busy."""


_STARTING = threading.Lock()
"""One at a time: of two threads that find the process that forks dead, as when memory is short, one would have the
other's address of it taken away."""
_TRIES = 3


class ChildDied(Exception):
    """The process is gone, or as good as that."""


class Child:
    """One process, for one caller at a time; ready once ``start`` has returned.

    Ctrl-C is its parent's to answer, and the system ends it, even in the middle of a decoder, when its parent is gone.
    """

    def __init__(
        self,
        name: str,
        context: BaseContext | None = None,
        setup: Callable[[], object] | None = None,
        memory: int | None = None,
        niceness: int = 0,
    ) -> None:
        """
        Args:
            name: Of the process, for people.
            context: Left out, it is forked from the process described above; for work that needs other imports,
                and once, another context.
            setup: Called there before all else: like everything that goes there, something of a module.
            memory: Bytes of address space it may take beyond what its imports have taken; left out, any.
            niceness: How far it gives way to others, from 0 to 19.
        """
        self._pipe, theirs = Pipe()
        _never_stall(self._pipe)
        if context is None:
            context = get_context("forkserver")
            context.set_forkserver_preload(["images.decode_pool", *([setup.__module__] if setup else [])])
        self._process = context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, setup, memory, niceness), name=name, daemon=True
        )
        self.idle = False
        """Whether it can be given something to do."""
        # Ctrl-C is kept from the process that forks, and so from all it forks, from before its first import.
        with _STARTING:
            ensure_running()  # here, since it unblocks the signal where it starts what it ensures
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                self._fork()
            except BaseException:
                self._pipe.close()
                raise
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                theirs.close()

    def _fork(self) -> None:
        """Again where the process that forks dies meanwhile: the next try has a new one."""
        for left in reversed(range(_TRIES)):
            try:
                self._process.start()
            except (EOFError, ConnectionError):
                if not left:
                    raise
            else:
                return

    def start(self) -> None:
        """Wait until it is ready. Raises ChildDied."""
        with _may_die():
            if not self._pipe.poll(START_SECONDS):
                raise ChildDied
            self._pipe.recv()
        self.idle = True

    def begin(self, work: Callable[[], object]) -> None:
        """Raises ChildDied."""
        self.idle = False
        with _may_die():
            self._pipe.send(work)

    def wait(self, seconds: float | None = None) -> bool:
        """Whether the work is done, within so many seconds, or however long it takes. Raises ChildDied."""
        with _may_die():
            return self._pipe.poll(seconds)

    def result(self) -> Any:
        """What the work returned; raises what it raised, and ChildDied."""
        with _may_die():
            value, error = self._pipe.recv()
        self.idle = True
        if error is not None:
            raise error
        return value

    def cpu_seconds(self) -> float:
        """What it has taken of processors since it began; 0 where the system does not tell."""
        with suppress(OSError):
            # As Linux' C libraries write clock_getcpuclockid.
            return time.clock_gettime((~(self._process.pid or 0) << 3) | 2)
        return 0.0

    def give_way(self) -> None:
        """Get a third of the share that it had of a busy processor from now on. Raises ChildDied."""
        with _may_die():
            pid = self._process.pid or 0
            os.setpriority(os.PRIO_PROCESS, pid, min(os.getpriority(os.PRIO_PROCESS, pid) + GIVING_WAY, 19))

    def kill(self) -> None:
        """At once, whatever it is doing. Another thread may be waiting for it: that gets ChildDied."""
        with suppress(ValueError):  # ended by its caller meanwhile
            self._process.kill()

    def end(self) -> None:
        self.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()


def _serve(pipe: Connection, setup: Callable[[], object] | None, memory: int | None, niceness: int) -> None:
    """The life of a child: do what is asked until nobody is there to ask."""
    _die_with_parent()
    os.nice(niceness)
    if memory is not None:
        _bound(resource.RLIMIT_AS, _address_space() + memory)
    _bound(resource.RLIMIT_CORE, 0)
    if setup:
        setup()
    # What decoders have to say, and some write it there, is for nobody: standard output is for a job's report.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    with suppress(EOFError, ConnectionError):
        pipe.send(None)
        while True:
            pipe.send(_outcome(pipe.recv()))


def _outcome(work: Callable[[], object]) -> tuple[object, Exception | None]:
    try:
        return work(), None
    except Exception as error:
        return None, error


def _die_with_parent() -> None:
    """Have the system send a signal when the parent's end of a pipe closes, one that nobody handles.

    Its action is then to end the process, also in code that never lets Python run.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGIO})
    parent = parent_process()
    assert parent is not None
    fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, os.O_ASYNC)
    if not parent.is_alive():  # gone before that
        os._exit(1)


def _bound(what: int, most: int) -> None:
    _, allowed = resource.getrlimit(what)
    resource.setrlimit(what, (most if allowed == resource.RLIM_INFINITY else min(most, allowed), allowed))


def _address_space() -> int:
    """Of this process, in bytes; 0 where the system is another than Linux."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


@contextmanager
def _may_die() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:  # the other end of the pipe is gone, or stalled
        raise ChildDied from error


def _never_stall(pipe: Connection) -> None:
    """Have reads and writes fail that wait too long for the other end: a process may be stopped."""
    with socket.socket(fileno=os.dup(pipe.fileno())) as end:
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            end.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", STALLED_SECONDS, 0))
