"""Every command of docs/tutorial.md says what stands under it, on the demo catalog."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.docs.tutorial import DEMO, TUTORIAL, blocks, run


def test_every_command_says_what_the_tutorial_says(tmp_path: Path) -> None:
    photographed = (DEMO / "catalog" / "ATTRIBUTION.txt").exists()
    if not (photographed and (DEMO / "index" / "products" / "documents").exists()):
        # Continuous integration makes the demo first, and the photographs can be had there.
        assert "CI" not in os.environ or not photographed, "make demo has left no calibrated index"
        pytest.skip("no demo catalog here: `make demo DEMO_ONLY=ingest` makes it")
    told = blocks(TUTORIAL.read_text(encoding="utf-8"))
    for (commands, expected), said in zip(told, run([commands for commands, _ in told], tmp_path), strict=True):
        assert expected is None or said == expected, f"{commands}\nsays\n{said}"
