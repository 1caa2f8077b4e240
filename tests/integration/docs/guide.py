"""The guide's shell blocks, and a checkout of its own to run them in."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from schemas import IngestReport

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "catalogs.md"
PACKAGES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]

LIST = ".venv/bin/python -m ingest generations"

_TOO_LONG = 120.0


def blocks() -> dict[str, list[str]]:
    """Section -> its shell blocks in order, without those that say that they are not run."""
    sections = re.split(r"^## (.+)$", GUIDE.read_text(encoding="utf-8"), flags=re.M)
    found: dict[str, list[str]] = {}
    for title, text in zip(sections[1::2], sections[2::2], strict=True):
        every = re.findall(r"```sh\n(.*?)```", text, flags=re.S)
        found[title] = [block for block in every if not block.startswith("# not run")]
    return {title: its for title, its in found.items() if its}


@dataclass(frozen=True)
class Done:
    """What a block of commands did."""

    status: int
    out: str
    err: str

    @cached_property
    def reports(self) -> list[IngestReport]:
        """Those on stdout, one for each job."""
        lines = [line for line in self.out.splitlines() if line.startswith('{"catalog"')]
        return [IngestReport.model_validate_json(line) for line in lines]

    @property
    def report(self) -> IngestReport:
        (report,) = self.reports
        return report


class Checkout:
    """A folder with the packages and ``.venv/bin/python`` in it, where commands run as the guide's readers run them.

    Args:
        python: What runs them.
        environment: Of theirs, besides that of the tests.
    """

    def __init__(self, folder: Path, python: Path, **environment: str) -> None:
        self.folder = folder
        for package in PACKAGES:
            (folder / package).symlink_to(ROOT / package)
        installed = folder / ".venv" / "bin" / "python"
        installed.parent.mkdir(parents=True)
        installed.write_text(
            f'#!/bin/sh\nexec {shlex.quote(str(python))} "$@"\n'
        )  # a link would be another environment
        installed.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("STORELENS_", "HF_", "AWS_"))}
        # A thread for a tiny model: more of them wait for each other where cores are busy, in a loop. No calibration
        # after each first ingest: it takes longer than all else of so few products.
        self._environment = kept | {"OMP_NUM_THREADS": "1", "STORELENS_NO_CALIBRATION": "1"} | environment

    def run(
        self, block: str, *, also: Mapping[str, str] | None = None, status: int = 0, seconds: float = _TOO_LONG
    ) -> Done:
        """A block by bash; its status is that of its last command.

        Args:
            also: What stands in the guide for a name that is known only here -> that name.
            seconds: After which it has taken too long.
        """
        for written, meant in (also or {}).items():
            assert written in block, f"{written} is not in\n{block}"
            block = block.replace(written, meant)
        done = subprocess.run(
            ["bash", "-c", block],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == status, f"status {done.returncode} of\n{block}\n{done.stderr}"
        return Done(done.returncode, done.stdout, done.stderr)

    def generations(self) -> list[dict[str, object]]:
        """As they are listed, oldest first."""
        listed: list[dict[str, object]] = json.loads(self.run(LIST).out)["generations"]
        return listed
