"""Images in processes of their own: whatever happens there, here it is an error of that one image."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from embedding import keep_freed_memory
from embedding.builtin import TRANSFORM
from images import WITH_CROPS, DecodePool, ImageLimits, QueueLimits, decode_for_model
from images.arrays import Pixels
from images.child_process import GIVING_WAY
from schemas import ClientGone, ImageDamaged, ImageTooCostly, Overloaded
from tests.support.decoders import decoders, forkservers
from tests.support.encoders import mean_colors
from tests.support.harm import (
    compute_from,
    die,
    fail,
    hang_from,
    modules,
    niceness_here,
    speak,
    take_memory,
    take_time,
)
from tests.support.images import photo
from tests.support.waiting import within

ROOT = Path(__file__).parents[3]
LIMITS = ImageLimits()
FOR_EVER = 1_000.0


def start(
    workers: int = 1,
    seconds: float = FOR_EVER,
    cpu_seconds: float = FOR_EVER,
    quick: float = FOR_EVER,
    most: int = 9,
    timeout: float = FOR_EVER,
) -> DecodePool:
    return DecodePool(
        LIMITS, workers, seconds, keep_freed_memory, QueueLimits(quick, most, timeout), cpu_seconds, niceness=1
    )


@pytest.fixture(scope="module", autouse=True)
def none_from_before() -> None:
    """Other tests of this process may have started what forks, with other imports than a pool's."""
    for one in forkservers():
        one.kill()
    within(10, lambda: not forkservers())


@pytest.fixture(scope="module")
def pool() -> Iterator[DecodePool]:
    with start(cpu_seconds=1) as opened:
        yield opened


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def test_what_comes_back_is_what_is_decoded_here(pool: DecodePool) -> None:
    for crops_per_image in (1, WITH_CROPS):
        there = pool.decode(photo(), TRANSFORM.prepare, crops_per_image)
        here = decode_for_model(photo(), LIMITS, TRANSFORM.prepare, crops_per_image)
        assert (there.phash, there.ground, len(there.pixels)) == (here.phash, here.ground, crops_per_image)
        assert all(np.array_equal(one, other) for one, other in zip(there.pixels, here.pixels, strict=True))


def test_a_process_holds_little_gives_way_and_is_quiet(pool: DecodePool, capfd: pytest.CaptureFixture[str]) -> None:
    pool.decode(photo(), TRANSFORM.prepare)
    assert not {"torch", "qdrant_client", "qdrant_edge", "fastapi"} & pool.run(modules)
    assert pool.run(niceness_here) == os.getpriority(os.PRIO_PROCESS, 0) + 1
    pool.run(speak)
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_is_for_others_to_answer(pool: DecodePool) -> None:
    pid = pool.run(os.getpid)
    for process in (*forkservers(), *decoders()):
        process.send_signal(signal.SIGINT)
    assert pool.run(os.getpid) == pid


@pytest.mark.parametrize(
    ("prepare", "error"),
    [(take_memory, ImageTooCostly), (take_time, ImageTooCostly), (die, ImageDamaged), (fail, ImageDamaged)],
)
def test_what_a_image_does_there_is_an_error_of_that_image(
    pool: DecodePool, prepare: Callable[[Image.Image], Pixels], error: type[Exception]
) -> None:
    with pytest.raises(error):
        pool.decode(photo(), prepare)
    assert pool.decode(photo(), mean_colors).pixels


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_is_killed_or_stopped_is_replaced(how: signal.Signals) -> None:
    before = decoders()
    with start(seconds=2) as pool:
        pool.decode(photo(), None)
        (process,) = decoders() - before
        process.send_signal(how)
        with suppress(ImageTooCostly):  # nobody can tell whether a stopped one is at work
            pool.decode(photo(), None)
        assert pool.decode(photo(), mean_colors).pixels
        assert process not in decoders()


def test_what_nobody_waits_for_is_ended(threads: ThreadPoolExecutor, tmp_path: Path) -> None:
    left = threading.Event()
    with start() as pool:
        process = psutil.Process(pool.run(os.getpid))
        decoding = threads.submit(pool.decode, photo(), partial(hang_from, tmp_path / "begun"), gone=left.is_set)
        assert within(FOR_EVER, (tmp_path / "begun").exists)
        waiting = threads.submit(pool.decode, photo(), mean_colors, gone=left.is_set)
        left.set()
        for future in (decoding, waiting):
            with pytest.raises(ClientGone):
                future.result()
        assert not process.is_running()
        assert pool.decode(photo(), mean_colors).pixels


def test_what_takes_long_lets_others_pass_as_long_as_there_is_not_too_much_of_it(
    threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    left = threading.Event()
    with start(quick=0.2) as pool:
        for name in ("first", "again"):
            left.clear()
            slow = threads.submit(pool.decode, photo(), partial(compute_from, tmp_path / name), gone=left.is_set)
            assert within(FOR_EVER, (tmp_path / name).exists)
            assert pool.decode(photo(), mean_colors).pixels  # there is one place
            giving_way = min(os.getpriority(os.PRIO_PROCESS, 0) + 1 + GIVING_WAY, 19)
            assert pool.run(niceness_here) < giving_way
            assert giving_way in {process.nice() for process in decoders()}
            with pytest.raises(Overloaded, match="takes long"):
                pool.decode(photo(), take_time)
            assert pool.decode(photo(), mean_colors).pixels
            assert not slow.done()
            left.set()
            with pytest.raises(ClientGone):
                slow.result()


def test_so_many_wait_and_no_more(threads: ThreadPoolExecutor, tmp_path: Path) -> None:
    left = threading.Event()
    with start(most=2) as pool:
        decoding = threads.submit(pool.decode, photo(), partial(hang_from, tmp_path / "begun"), gone=left.is_set)
        assert within(FOR_EVER, (tmp_path / "begun").exists)
        others = [threads.submit(pool.decode, photo(), mean_colors, gone=left.is_set) for _ in range(5)]
        for refused in islice(as_completed(others), 3):
            with pytest.raises(Overloaded, match="too many images wait"):
                refused.result()
        left.set()
        with pytest.raises(ClientGone):
            decoding.result()
        assert pool.decode(photo(), mean_colors).pixels


def test_nobody_waits_for_ever(threads: ThreadPoolExecutor, tmp_path: Path) -> None:
    left = threading.Event()
    with start(timeout=0.1) as pool:
        pool.decode(photo(), None)
        decoding = threads.submit(pool.decode, photo(), partial(hang_from, tmp_path / "begun"), gone=left.is_set)
        assert within(FOR_EVER, (tmp_path / "begun").exists)
        with pytest.raises(Overloaded, match="other images take long"):
            pool.decode(photo(), mean_colors)
        left.set()
        with pytest.raises(ClientGone):
            decoding.result()


def test_closing_ends_what_is_at_work(threads: ThreadPoolExecutor, tmp_path: Path) -> None:
    before = decoders()
    pool = start(workers=2, quick=0.2)
    pool.warm()
    begun = [tmp_path / "one", tmp_path / "other"]
    slow = [threads.submit(pool.decode, photo(), partial(compute_from, path)) for path in begun]
    for path in begun:
        assert within(FOR_EVER, path.exists)
    assert pool.decode(photo(), mean_colors).pixels
    pool.close()
    for future in slow:
        with pytest.raises(Overloaded, match="the program ends"):
            future.result()
    assert decoders() == before


def test_processes_die_with_their_parent_also_where_a_decoder_does_not_let_python_run(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from tests.integration.images.test_decode_pool import Path, os, partial, start\n"
        "from tests.support.harm import let_nothing_run_from\n"
        "pool = start()\n"
        "print(pool.run(os.getpid), flush=True)\n"
        "pool.run(partial(let_nothing_run_from, Path(sys.argv[1])))\n"
    )
    begun = tmp_path / "begun"
    command = [sys.executable, "-c", program, str(begun)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert within(FOR_EVER, begun.exists)
        parent.kill()
    assert within(FOR_EVER, lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
