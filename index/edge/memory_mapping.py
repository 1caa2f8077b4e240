"""How much of the index's mapped files counts as resident memory of this process."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path

_MAPS = Path("/proc/self/maps")


def release(folder: Path) -> None:
    """Take the files of a folder out of the process' resident memory; Linux only, elsewhere nothing happens.

    Edge writes through mappings, and the kernel counts every page that was touched until it needs room: the files
    grow with the catalog, and so would what a job seems to take. The pages stay in the system's cache, changed ones
    too, and come back when they are touched. Nothing may unmap files of the folder meanwhile.
    """
    try:
        maps = _MAPS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    inside = f"{folder.resolve()}/"
    libc = ctypes.CDLL(None)
    for line in maps.splitlines():
        addresses, permissions, _, _, _, *path = line.split(maxsplit=5)
        # Of private mappings changes would be lost.
        if permissions.endswith("s") and path and path[0].startswith(inside):
            start, end = (int(address, 16) for address in addresses.split("-"))
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
