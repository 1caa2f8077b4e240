"""The tutorial's commands, run as its reader runs them: one after another, in one shell.

``python -m tests.integration.docs.tutorial`` writes what they say into the tutorial.
"""

from __future__ import annotations

import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.integration.docs.guide import ROOT, Checkout

TUTORIAL = ROOT / "docs" / "tutorial.md"
DEMO = ROOT / ".demo"
"""What ``make demo`` left."""

PORT = "8000"
_BLOCK = re.compile(r"```sh\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.S)
_END = "---- end of a block ----"
_TOO_LONG = 600.0


def blocks(text: str) -> list[tuple[str, str | None]]:
    """Commands, and what stands under them, if anything does."""
    found = [(match[1], match[2]) for match in _BLOCK.finditer(text)]
    return [(commands, said) for commands, said in found if not commands.startswith("# not run")]


def run(commands: Sequence[str], folder: Path, python: Path) -> list[str]:
    """What each block says on standard output, in a checkout with a copy of the demo's index."""
    checkout = Checkout(folder, python)
    (folder / ".demo").mkdir()
    (folder / ".demo" / "catalog").symlink_to(DEMO / "catalog")
    shutil.copytree(DEMO / "index", folder / ".demo" / "index")
    script = "".join(f"{block}\necho '{_END}'\n" for block in commands)
    port = _free_port()
    also = {f":{PORT}": f":{port}", f"--port {PORT}": f"--port {port}"}
    done = checkout.run(f"trap 'kill $(jobs -p) 2>/dev/null' EXIT\n{script}", also=also, seconds=_TOO_LONG)
    *said, _ = done.out.split(f"{_END}\n")
    assert len(said) == len(commands), done.err
    return said


def _free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        port: int = some.getsockname()[1]
        return port


def main() -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        outputs = iter(run([commands for commands, _ in blocks(text)], Path(folder), Path(sys.executable)))

    def filled(match: re.Match[str]) -> str:
        if match[1].startswith("# not run"):
            return match[0]
        said = next(outputs)
        return match[0] if match[2] is None else f"```sh\n{match[1]}```\n\n```text\n{said}```"

    TUTORIAL.write_text(_BLOCK.sub(filled, text), encoding="utf-8")


if __name__ == "__main__":
    main()
