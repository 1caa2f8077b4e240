"""Decodes images in separate processes.

A malicious file can crash its decoder or keep it busy, and nothing else: the process is killed and replaced. In the
API, where people wait, an image that takes long goes on at lower priority, and only a few of such at once.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, LifoQueue
from types import TracebackType
from typing import Any, Self, TypeVar

from PIL import Image

from images.arrays import Pixels
from images.background import Ground
from images.child_process import Child, ChildDied
from images.crops import WHOLE, cropped, crops
from images.decode import decode_on_ground, memory_refused
from images.fingerprint import image_fingerprint
from images.limits import ImageLimits
from schemas import ClientGone, Crop, ImageDamaged, ImageError, ImageTooCostly, Overloaded

Result = TypeVar("Result")
Prepare = Callable[[Image.Image], Pixels]
"""Makes of an image ``(height, width, 3) uint8`` for a model; goes to other processes, so it pickles."""

ATTEMPTS = 3
"""Processes that may die over an image before it is held to be the reason: one may be killed for another's memory."""

STARTS = 10

MEMORY, MEMORY_PER_PIXEL = 512 * 2**20, 24
"""Bytes of address space of a process, and more for each pixel that limits allow: WebP with transparency takes 21."""

_TICK = 0.05
"""Seconds between two looks at whether anybody still waits."""

_BUSY = 10
"""How much longer, by the clock, something that takes a second of a processor may be on a machine that has others."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """``pixels`` are those of the image's crops, ``(height, width, 3) uint8`` as the model wants them, or none where
    nobody asked for them; ``ground`` is what it was laid on where it is transparent."""

    pixels: tuple[Pixels, ...]
    phash: str
    ground: Ground | None


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many may wait where people do, and how long, in seconds.

    An image has one of the places for ``quick`` seconds of a processor; then it is decoded beside them, after all
    else, as long as there are not more of such than places. ``most`` callers wait for a place, for ``timeout``
    seconds.
    """

    quick: float
    most: int
    timeout: float


class DecodePool:
    """As many processes as images are asked for at once, up to ``workers``; any number of threads may ask.

    Args:
        seconds: For one image, by the clock.
        cpu_seconds: For one image, of a processor.
        setup: Called in every process when it starts: a function of a module.
        waiting: None has everybody wait for as long as it takes.
        niceness: Of the processes, from 0 to 19.
    """

    def __init__(
        self,
        limits: ImageLimits,
        workers: int,
        seconds: float,
        setup: Callable[[], object],
        waiting: QueueLimits | None = None,
        cpu_seconds: float = math.inf,
        niceness: int = 0,
    ) -> None:
        self._limits = limits
        self._memory = MEMORY + MEMORY_PER_PIXEL * limits.max_pixels
        self._workers = workers
        self._seconds = seconds
        self._cpu_seconds = cpu_seconds
        self._setup = setup
        self._waiting = waiting
        self._niceness = niceness
        self._idle: LifoQueue[Child | None] = LifoQueue()
        for _ in range(workers):
            self._idle.put(None)  # the place of a process that is yet to be started
        self._slow = threading.BoundedSemaphore(workers)
        self._queue = threading.BoundedSemaphore(waiting.most if waiting else 1)
        self._children: set[Child] = set()
        self._closed = False

    def decode(
        self,
        data: bytes,
        prepare: Prepare | None,
        crops_per_image: int = WHOLE,
        gone: Callable[[], bool] | None = None,
        crop: Crop | None = None,
    ) -> Decoded:
        """Raises as ``decode_image`` and ``run`` do."""
        return self.run(partial(decode_for_model, data, self._limits, prepare, crops_per_image, crop), gone)

    def run(self, work: Callable[[], Result], gone: Callable[[], bool] | None = None) -> Result:
        """What the work returns when it is done in one of the processes.

        Args:
            work: As everything that goes to a process, it pickles.
            gone: Whether nobody waits for it any more: asked now and then, and the work is ended.

        Raises:
            ImageTooCostly: it takes longer than it may.
            ImageDamaged: processes die of it.
            Overloaded: too many are before it, or it takes long and so do as many others as may.
            ClientGone: nobody waits for it any more.
            Exception: what the work raises.
        """
        for _ in range(ATTEMPTS):
            with suppress(ChildDied):
                result: Result = self._attempt(work, gone or _somebody_waits)
                return result
        raise ImageDamaged("decoders die of the image", field="image")

    def warm(self) -> None:
        """Import what the processes need before anybody waits for it, in the background."""
        threading.Thread(target=self._warm, name="decoders-warm", daemon=True).start()

    def close(self) -> None:
        """End the processes; whoever waits for one gets Overloaded."""
        self._closed = True
        for child in tuple(self._children):
            child.kill()
        for _ in range(self._workers):
            self._slow.acquire()
        for idle in [self._idle.get() for _ in range(self._workers)]:
            self._end(idle)
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _attempt(self, work: Callable[[], object], gone: Callable[[], bool]) -> Any:
        """Raises ChildDied, and as ``run`` does."""
        child = self._place(gone)
        slow = False
        try:
            _check_client(gone)
            child = child or self._started()
            began, used = time.monotonic(), child.cpu_seconds()
            child.begin(work)
            while not child.wait(_TICK):
                taken, computed = time.monotonic() - began, child.cpu_seconds() - used
                _check_client(gone)
                if taken > self._seconds or computed > self._cpu_seconds:
                    within = f"{min(self._seconds, self._cpu_seconds):g} s"
                    raise ImageTooCostly(f"the image is not decoded within {within}", field="image")
                if self._waiting and not slow:
                    quick = self._waiting.quick
                    if computed > quick or taken > _BUSY * quick:
                        slow = self._let_others_pass(child)
            return child.result()
        finally:
            if child and (slow or not child.idle):
                self._end(child)
                child = None
            if slow:
                self._slow.release()
            else:
                self._idle.put(child)

    def _place(self, gone: Callable[[], bool]) -> Child | None:
        """A process that has nothing to do, or None for the place of one that is yet to be started."""
        with suppress(Empty):
            return self._idle.get_nowait()
        if self._waiting and not self._queue.acquire(blocking=False):
            raise Overloaded("too many images wait to be decoded; try again in a moment")
        try:
            until = time.monotonic() + (self._waiting.timeout if self._waiting else math.inf)
            while time.monotonic() < until:
                with suppress(Empty):
                    return self._idle.get(timeout=_TICK)
                _check_client(gone)
            raise Overloaded("other images take long to decode; try again in a moment")
        finally:
            if self._waiting:
                self._queue.release()

    def _let_others_pass(self, child: Child) -> bool:
        """Give the place of a child to others; it goes on as one of those that take long."""
        child.give_way()
        if not self._slow.acquire(blocking=False):
            raise Overloaded("the image takes long to decode, and so do others; try again in a moment")
        self._idle.put(None)
        return True

    def _warm(self) -> None:
        child = self._idle.get()
        try:
            with suppress(Overloaded):  # who needs the place tries again, and is told
                child = child or self._started()
        finally:
            self._idle.put(child)

    def _started(self) -> Child:
        """A process that is ready. What it takes to start one is no image's fault."""
        for _ in range(STARTS):
            if self._closed:
                raise Overloaded("images are not decoded any more: the program ends")
            with suppress(OSError):  # no memory for another process
                child = Child("decoder", None, self._setup, self._memory, self._niceness)
                self._children.add(child)
                try:
                    child.start()
                    return child
                except ChildDied:
                    self._end(child)
        raise Overloaded("processes that decode images do not start; is the machine out of memory?")

    def _end(self, child: Child | None) -> None:
        if child:
            self._children.discard(child)
            child.end()


def decode_for_model(
    data: bytes,
    limits: ImageLimits,
    prepare: Prepare | None,
    crops_per_image: int = WHOLE,
    crop: Crop | None = None,
) -> Decoded:
    """What the processes do, in this one; of a ``crop`` as of a whole image. Raises as ``decode_image`` does."""
    try:
        image, ground = decode_on_ground(data, limits)
        if crop is not None:
            image = cropped(image, crop)
        pixels = tuple(prepare(crop) for crop in crops(image, crops_per_image)) if prepare else ()
        return Decoded(pixels, image_fingerprint(image), ground)
    except MemoryError as error:
        raise memory_refused() from error
    except ImageError:
        raise
    except Exception as error:  # whatever a poisoned image does, it is one image's
        raise ImageDamaged(f"the image does not decode: {type(error).__name__}: {error}", field="image") from error


def _somebody_waits() -> bool:
    return False


def _check_client(gone: Callable[[], bool]) -> None:
    if gone():
        raise ClientGone("nobody waits for the image any more")
