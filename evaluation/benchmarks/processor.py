"""Which processor was measured. Linux tells it in one file; py-cpuinfo, which knows more systems, takes a second and
starts processes to find the same out."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

INSTRUCTIONS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8")
"""Those that the speed of a model hangs on, as Linux names them."""


@dataclass(frozen=True, slots=True)
class Processor:
    name: str
    cores: int
    """That this process may use."""
    instructions: tuple[str, ...]
    """Those of ``INSTRUCTIONS`` that it has; none where the system does not tell."""

    def __str__(self) -> str:
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{self.name}, {cores}, {' '.join(self.instructions) or 'instructions unknown'}"


def this_processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> Processor:
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    said = {name.strip(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}
    flags = set(said.get("flags", "").split())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Processor(
        name=said.get("model name") or platform.processor() or platform.machine(),
        cores=cores,
        instructions=tuple(name for name in INSTRUCTIONS if name in flags),
    )
