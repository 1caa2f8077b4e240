"""``python -m demo``, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("name", "text", "status"),
    [
        ("pydantic.py", "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nraise ValueError", -signal.SIGINT),
        ("npm", "#!/bin/sh\nkill -INT $PPID\nexec tail -f /dev/null", 130),
    ],
    ids=["while it imports", "while it fetches"],
)
def test_ctrl_c_shows_no_traceback(name: str, text: str, status: int, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / name).chmod(0o755)
    paths = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT)}
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # a suite in the background has it ignored
    try:
        done = subprocess.run(
            [sys.executable, "-m", "demo", tmp_path / "demo"],
            env=os.environ | {key: f"{tmp_path}{os.pathsep}{path}" for key, path in paths.items()},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.returncode, done.stderr) == (status, "")
    assert not (tmp_path / "demo").exists()
