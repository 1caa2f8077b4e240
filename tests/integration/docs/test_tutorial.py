"""Every command of docs/tutorial.md says what stands under it, on the demo catalog.

Measurements may differ a little from one processor to another: the last digits of a cosine do.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.integration.docs.tutorial import DEMO, TUTORIAL, blocks, run

_NUMBER = re.compile(r"\b\d+(?:\.\d+)?\b")


def test_every_command_says_what_the_tutorial_says(python: Path, tmp_path: Path) -> None:
    photographed = (DEMO / "catalog" / "ATTRIBUTION.txt").exists()
    if not (photographed and (DEMO / "index" / "products" / "documents").exists()):
        # Continuous integration makes the demo first, and the photographs can be had there.
        assert "CI" not in os.environ or not photographed, "make demo has left no calibrated index"
        pytest.skip("no demo catalog here: `make demo DEMO_ONLY=ingest` makes it")
    told = blocks(TUTORIAL.read_text(encoding="utf-8"))
    for (commands, expected), said in zip(told, run([commands for commands, _ in told], tmp_path, python), strict=True):
        if expected is not None:
            assert _NUMBER.sub("#", said) == _NUMBER.sub("#", expected), f"{commands}\nsays\n{said}"
            numbers = [[float(number) for number in _NUMBER.findall(text)] for text in (said, expected)]
            assert numbers[0] == pytest.approx(numbers[1], rel=0.05, abs=0.1), f"{commands}\nsays\n{said}"
