"""The Makefile, as far as it can be run without installing anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

MAKEFILE = Path(__file__).parents[3] / "Makefile"


def _make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    make = shutil.which("make")
    assert make, "make is needed"
    command = [make, "-f", str(MAKEFILE), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


def test_without_a_fitting_python_it_says_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "bin" / "python3"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = _make(tmp_path, ".venv/created", PATH=str(old.parent))
    assert done.returncode != 0
    assert "Python 3.11 or newer" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_nothing_is_installed_twice(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    (tmp_path / ".venv").mkdir()
    for name in ("created", "demo.installed"):
        (tmp_path / ".venv" / name).touch()
    done = _make(tmp_path, "--question", ".venv/demo.installed", PATH="/usr/bin:/bin")
    assert done.returncode == 0, done.stdout
