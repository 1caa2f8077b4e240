"""What is done in decode processes: something of a module, since it goes there by its name."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from images.arrays import Pixels
from tests.support.encoders import crash, hang


def modules() -> set[str]:
    return set(sys.modules)


def speak() -> None:
    print("to nobody", flush=True)
    os.write(2, b"here neither")


def take_memory(_: Image.Image) -> Pixels:
    return np.ones(4 * 2**30, np.uint8)


def take_time(_: Image.Image) -> Pixels:
    while True:
        pass


def die(_: Image.Image) -> Pixels:
    crash()
    raise AssertionError


def fail(_: Image.Image) -> Pixels:
    raise OSError("no file of ours")


def hang_from(begun: Path, _: Image.Image) -> Pixels:
    begun.touch()
    hang()
    raise AssertionError


def compute_from(begun: Path, _: Image.Image) -> Pixels:
    begun.write_text(str(os.getpid()))
    while True:
        pass


ENCODING = "storelens.tests.encoding"
"""A step of ``die_at_step``, where an encoder says it with ``sys.audit``."""

_STEPS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "shutil.copytree", "shutil.rmtree"}


def die_at_step(folder: Path, step: int) -> None:
    """Have this process die by SIGKILL before the given step, from 0, of those that change the folder's own files."""
    steps = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        if event != ENCODING:
            if event not in _STEPS:
                return
            path = str(arguments[0])
            if not path.startswith(str(folder)) or "/shard/" in path or "/views" in path:
                return
            if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
                return
        if steps == step:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    sys.addaudithook(count)


def niceness_here() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def let_nothing_run_from(begun: Path) -> int:
    begun.touch()
    number: int = 7 ** (10**8)
    return number
