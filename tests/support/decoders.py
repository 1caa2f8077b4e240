"""The processes of decode pools, told from others that tests start in the same process, as a browser."""

from __future__ import annotations

from contextlib import suppress

import psutil


def forkservers() -> list[psutil.Process]:
    """What forks decoders."""
    found = []
    for one in psutil.Process().children():
        with suppress(psutil.ZombieProcess):
            if any("forkserver" in part for part in one.cmdline()):
                found.append(one)
    return found


def decoders() -> set[psutil.Process]:
    """Processes of pools."""
    return {child for one in forkservers() for child in one.children()}
