"""Pictures decoded in processes of their own.

A file made to hurt takes down its decoder, or keeps it busy for ever, and not the job: the process is
replaced, and the picture is a reject. Each process has a pipe to itself. Pebble's share a queue: one that
was killed while it held the queue's lock stopped the pool for good when that was tried. The standard
library's pool gives up all its tasks when one process dies, and cannot end a task at its deadline.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.resource_tracker import ensure_running
from queue import LifoQueue
from types import TracebackType
from typing import NamedTuple, Self

from catalog import PictureLimits, crops, decode_picture, perceptual_hash
from embedding import Pixels, Preparer, keep_freed_memory
from schemas import PictureDamaged, PictureError

SECONDS = 60.0
"""For one picture; the largest that limits allow takes a few."""

ATTEMPTS = 3
"""Processes that may die over a picture before it is held to be the reason: one may be killed for another's memory."""

STARTS = 10

# Spawned: a fork would inherit locks of threads that are not there, and the index's files.
_CONTEXT = get_context("spawn")


@dataclass(frozen=True, slots=True)
class Decoded:
    """``pixels`` are ``views`` arrays ``(height, width, 3) uint8`` as the encoder wants them, or none where nobody
    asked for them."""

    pixels: tuple[Pixels, ...]
    phash: str


class _Task(NamedTuple):
    data: bytes
    limits: PictureLimits
    prepare: Preparer | None
    views: int


class DecodePool:
    """As many processes as pictures are asked for at once, up to ``workers``; any number of threads may ask."""

    def __init__(self, workers: int | None = None, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        # One more than cores: while a process waits for its next picture, another has one.
        self._count = workers or (os.cpu_count() or 1) + 1
        self._idle: LifoQueue[_Worker | None] = LifoQueue()
        for _ in range(self._count):
            self._idle.put(None)  # the place of a process that is yet to be started

    def decode(self, data: bytes, limits: PictureLimits, prepare: Preparer | None, views: int) -> Decoded:
        """Waits for the picture.

        Raises:
            PictureError: as ``decode_picture``; PictureDamaged where decoders die of it or do not end.
        """
        task = _Task(data, limits, prepare, views)
        for _ in range(ATTEMPTS):
            worker = self._idle.get()
            try:
                worker = worker or _started()
                result = worker.run(task, self._seconds)
            except TimeoutError as error:
                raise PictureDamaged(f"the picture is not decoded within {self._seconds:g} s", field="image") from error
            except (EOFError, OSError):  # the other end of the pipe is gone
                continue
            finally:
                self._idle.put(worker if worker and worker.usable else None)
            if isinstance(result, PictureError):
                raise result
            return result
        raise PictureDamaged("decoders die of the picture", field="image")

    def close(self) -> None:
        """End the processes; nobody may be waiting for a picture."""
        for worker in [self._idle.get() for _ in range(self._count)]:
            if worker:
                worker.end()
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Worker:
    """One process, and this side of its pipe."""

    def __init__(self) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs,), name="decoder", daemon=True)
        # Ctrl-C is the job's to answer: it is kept from the process from before its first import.
        ensure_running()  # here, since it unblocks the signal where it starts what it ensures
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.usable = False

    def wait(self) -> bool:
        """Until it is ready; False where it dies before that."""
        try:
            return bool(self._pipe.recv())
        except (EOFError, OSError):
            self.end()
            return False

    def run(self, task: _Task, seconds: float) -> Decoded | PictureError:
        """Raises EOFError or OSError where the process died, TimeoutError where it does not answer; it then ends."""
        self.usable = False
        try:
            self._pipe.send(task)
            if not self._pipe.poll(seconds):
                raise TimeoutError
            result: Decoded | PictureError = self._pipe.recv()
        except BaseException:
            self.end()
            raise
        self.usable = True
        return result

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _started() -> _Worker:
    """A process that is ready: what it takes to start one is no picture's fault."""
    for _ in range(STARTS):
        worker = _Worker()
        if worker.wait():
            return worker
    raise RuntimeError("processes that decode pictures do not start; is the machine out of memory?")


def _serve(pipe: Connection) -> None:
    """Decode until the job is gone: then the pipe is at its end."""
    keep_freed_memory()
    pipe.send(True)
    while True:
        try:
            task: _Task = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_result(task))


def _result(task: _Task) -> Decoded | PictureError:
    try:
        image = decode_picture(task.data, task.limits)
        phash = perceptual_hash(image)
        prepare = task.prepare
        return Decoded(tuple(prepare(view) for view in crops(image, task.views)) if prepare else (), phash)
    except PictureError as error:
        return error
    except Exception as error:  # whatever a poisoned picture does, memory errors included, it is one picture's
        return PictureDamaged(f"the picture does not decode: {type(error).__name__}: {error}", field="image")
