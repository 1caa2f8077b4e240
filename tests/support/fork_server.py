"""``python -m MODULE`` without its imports: a process that has them forks for each command.

For tests that run many commands and are about what these do: sentence_transformers alone takes five seconds to import.
What a shell sees of a command is as ever, but for signals: they do not reach what was forked. What is imported has read
its environment by then, so a command with an environment of its own for libraries (model hubs, say) is started as
usual.

Run as a program, this file is that process; ``CLIENT`` is what stands in for ``python``.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import NoReturn

CLIENT = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    asked = json.dumps({"arguments": sys.argv[2:], "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
    socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(asked)
    status = server.recv(1)
sys.exit(status[0] if status else 70)
"""


WITH_MODELS = ("embedding.sentence_transformer", "ingest.command", "ingest.moderate")
"""What a job imports that loads a model."""


@contextmanager
def fork_server(folder: Path, *imported: str) -> Iterator[Path]:
    """A program that stands in for ``python`` where the command is ``python -m MODULE``, while the process runs.

    Args:
        imported: The modules that commands find imported, with all that these import.
    """
    address, python = folder / "socket", folder / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-I", "-S", "-c", CLIENT, str(address)])} "$@"\n')
    python.chmod(0o755)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # threads would not be forked with it
    command = [sys.executable, "-m", "tests.support.fork_server", str(address), *imported]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"ready\n"
            yield python
        finally:
            process.terminate()


def _main(address: str, *imported: str) -> None:
    for module in imported:
        import_module(module)
    gc.freeze()  # what every command has is not looked through by each
    threads = list(Path("/proc/self/task").iterdir())
    assert len(threads) == 1, "a thread was started by an import, and would be missing after a fork"
    with socket.create_server(address, family=socket.AF_UNIX) as server:
        os.write(1, b"ready\n")
        while True:
            client, _ = server.accept()
            with closing(client):
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
                if os.fork() == 0:
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    server.close()
                    _keep(client)


def _keep(client: socket.socket) -> None:
    """Run the command in a process of its own, and say its exit status."""
    size, descriptors, _, _ = socket.recv_fds(client, 4, 3)
    asked = b""
    while len(asked) < int.from_bytes(size, "big"):
        asked += client.recv(2**16)
    command = os.fork()
    if command == 0:
        client.close()
        for own, given in enumerate(descriptors):
            os.dup2(given, own)
            os.close(given)
        _run(**json.loads(asked))
    for descriptor in descriptors:
        os.close(descriptor)
    _, status = os.waitpid(command, 0)
    client.sendall(bytes([os.waitstatus_to_exitcode(status) % 256]))
    os._exit(0)


def _run(arguments: list[str], folder: str, environment: dict[str, str]) -> NoReturn:
    """As ``python -m`` does."""
    option, module, *rest = arguments
    assert option == "-m", arguments
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = folder
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    _main(*sys.argv[1:])
