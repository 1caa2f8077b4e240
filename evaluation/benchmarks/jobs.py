"""Jobs as a user runs them: ``python -m ingest`` in a process of its own, its memory watched."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter

import psutil

from schemas import ConfigurationError, IngestReport

_SAMPLED_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a job and of the processes it has started, ``seconds`` after its start."""

    seconds: float
    own: int
    """What is theirs alone and would not fit elsewhere: neither programs nor files of the index that are mapped."""
    resident: int


@dataclass(frozen=True, slots=True)
class Job:
    report: IngestReport
    seconds: float
    """From start to end, the interpreter's included."""
    memory: list[Memory]

    @property
    def peak(self) -> Memory:
        return max(self.memory, key=lambda sample: sample.own)


def run_job(catalog: Path, model: str, data_dir: Path, *options: str) -> Job:
    """
    Raises:
        ConfigurationError: the job failed; the message is its own.
    """
    command = [sys.executable, "-m", "ingest", str(catalog), "--model", model, "--data-dir", str(data_dir), *options]
    with TemporaryFile("w+", encoding="utf-8") as out, TemporaryFile("w+", encoding="utf-8") as err:
        start = perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        memory = [Memory(0.0, 0, 0)]
        try:
            while process.poll() is None:
                memory.append(_sample(process.pid, perf_counter() - start))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_SAMPLED_EVERY)
        finally:
            process.kill()
            process.wait()
        seconds = perf_counter() - start
        lines = [stream.read().strip().splitlines() or [""] for stream in (out, err) if not stream.seek(0)]
    if process.returncode != 0:
        raise ConfigurationError(f"the ingest failed: {lines[1][-1]}")
    return Job(IngestReport.model_validate_json(lines[0][-1]), seconds, memory)


def _sample(pid: int, seconds: float) -> Memory:
    own = resident = 0
    with contextlib.suppress(psutil.Error):  # it has just ended
        job = psutil.Process(pid)
        for process in [job, *job.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                used = process.memory_info()
                resident += used.rss
                own += used.rss - getattr(used, "shared", 0)  # Linux tells what is backed by files
    return Memory(seconds, own, resident)
