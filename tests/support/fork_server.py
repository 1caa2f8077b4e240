"""``python -m MODULE`` and ``python -c CODE`` without their imports: a process that has them forks for each command.

For tests that run many commands and are about what these do: sentence_transformers alone takes five seconds to import.
What a shell sees of a command is as ever: it has the files that were open for it and may write none that is too large
for it, SIGTERM and SIGINT reach what was forked, and it is killed when whoever started it is. What is imported has read
its environment by then, so a command with an environment of its own for libraries (model hubs, say) is started as
usual.

Run as a program, this file is that process; ``CLIENT`` is what stands in for ``python``.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import json
import os
import resource
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from multiprocessing import resource_tracker, spawn
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

CLIENT = """
import json, os, resource, signal, socket, sys
with os.scandir("/proc/self/fd") as files:
    opened = [number for number in map(int, (file.name for file in files)) if os.get_inheritable(number)]
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    asked = json.dumps({
        "arguments": sys.argv[2:],
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "opened": opened,
        "largest_file": resource.getrlimit(resource.RLIMIT_FSIZE),
    }).encode()
    socket.send_fds(server, [len(asked).to_bytes(4, "big")], opened)
    server.sendall(asked)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: server.sendall(bytes([number])))
    status = server.recv(1)
sys.exit(status[0] if status else 70)
"""


WHOLE = (
    "embedding.sentence_transformer",
    "ingest.command",
    "ingest.commands.moderate",
    "api.app",
    "api.server",
    "evaluation.__main__",
)
"""What any of the three programs imports, with models."""

_MOST_FILES = 250
"""That are sent at once."""


@contextmanager
def fork_server(folder: Path, *imported: str) -> Iterator[Path]:
    """A program that stands in for ``python`` where the command is ``python -m MODULE``, while the process runs.

    Args:
        imported: The modules that commands find imported, with all that these import.
    """
    with subprocess.Popen(_command(folder, *imported), **_OPTIONS) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"ready\n"
            yield _python(folder)
        finally:
            process.terminate()


def shared_python(folder: Path, runner: int) -> Path:
    """The same with everything imported, for all workers of a run: it goes on until the process ``runner`` ends.

    Args:
        folder: Known to all of them.
    """
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "python").exists():
            return folder / "python"
        subprocess.run(_command(folder, *WHOLE, until=runner), **_OPTIONS, check=True)
        return _python(folder)


@contextmanager
def children_of(python: Path) -> Iterator[None]:
    """Processes that ``multiprocessing`` spawns are commands of this program."""
    before = spawn.get_executable()
    resource_tracker.ensure_running()  # it goes on afterwards, and is none of them
    spawn.set_executable(str(python))
    try:
        yield
    finally:
        spawn.set_executable(before)


_OPTIONS: dict[str, Any] = {
    "cwd": Path(__file__).parents[2],
    "env": os.environ | {"OMP_NUM_THREADS": "1"},  # threads would not be forked with it
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE,
}


def _command(folder: Path, *imported: str, until: int = 0) -> list[str]:
    return [sys.executable, "-m", "tests.support.fork_server", str(folder / "socket"), str(until), *imported]


def _python(folder: Path) -> Path:
    python = folder / "python"
    client = shlex.join([sys.executable, "-I", "-S", "-c", CLIENT, str(folder / "socket")])
    # Without bytecode, an option of what ``multiprocessing`` spawns, is how the process that forks was started as well.
    command = '[ "$1" != -B ] || shift'
    itself = f'[ "$1" = -m ] || [ "$1" = -c ] || exec {shlex.quote(sys.executable)} "$@"'
    python.write_text(f'#!/bin/sh\n{command}\n{itself}\nexec {client} "$@"\n')
    python.chmod(0o755)
    return python


def _main(address: str, until: str, *imported: str) -> None:
    """Serve; with a process ``until`` whose end it goes on, in the background."""
    for module in imported:
        import_module(module)
    gc.freeze()  # what every command has is not looked through by each
    threads = list(Path("/proc/self/task").iterdir())
    assert len(threads) == 1, "a thread was started by an import, and would be missing after a fork"
    with socket.create_server(address, family=socket.AF_UNIX) as server:
        ends: list[Any] = []
        if int(until):
            if os.fork():
                os._exit(0)
            os.setsid()
            ends = [os.pidfd_open(int(until))]
        os.write(1, b"ready\n")
        os.dup2(2, 1)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
        while not set(ends).intersection(select.select([server, *ends], [], [])[0]):
            client, _ = server.accept()
            with closing(client):
                if os.fork() == 0:
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    server.close()
                    _keep(client, str(Path(address).with_name("python")))


def _keep(client: socket.socket, python: str) -> None:
    """Run the command in a process of its own, pass signals on to it, and say its exit status."""
    size, received, _, _ = socket.recv_fds(client, 4, _MOST_FILES)
    asked = b""
    length = int.from_bytes(size, "big")
    while len(asked) < length:
        asked += client.recv(length - len(asked))
    command = os.fork()
    if command == 0:
        client.close()
        sys.executable = python  # of commands that it runs itself
        _run(received, **json.loads(asked))
    for file in received:
        os.close(file)
    ended = os.pidfd_open(command)
    listened: list[Any] = [ended, client]
    while ended not in select.select(listened, [], [])[0]:
        if number := client.recv(1):
            os.kill(command, number[0])
        else:  # whoever asked was killed
            os.kill(command, signal.SIGKILL)
            listened = [ended]
    _, status = os.waitpid(command, 0)
    with suppress(BrokenPipeError):
        client.sendall(bytes([os.waitstatus_to_exitcode(status) % 256]))
    os._exit(0)


def _run(
    received: list[int],
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    opened: list[int],
    largest_file: tuple[int, int],
) -> NoReturn:
    """As ``python -m`` and ``python -c`` do.

    Args:
        received: What are to be the files ``opened``.
    """
    option, what, *rest = arguments
    # Out of the way first: one may have the number that another is to have.
    aside = [fcntl.fcntl(file, fcntl.F_DUPFD, max(opened) + 1) for file in received]
    for file in received:
        os.close(file)
    for number, file in zip(opened, aside, strict=True):
        os.dup2(file, number)
        os.close(file)
    resource.setrlimit(resource.RLIMIT_FSIZE, largest_file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = folder
    sys.argv = [what if option == "-m" else option, *rest]
    status: Any = 0
    try:
        if option == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            sys.modules["__main__"] = ModuleType("__main__")
            exec(what, vars(sys.modules["__main__"]))
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
        status = 1
    if not isinstance(status, int):
        print(status, file=sys.stderr)
        status = 1
    # As the interpreter ends, without taking apart all that was imported: that takes longer than most commands.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    _main(*sys.argv[1:])
