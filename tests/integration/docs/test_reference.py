"""The reference is what the code says of itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_reference_is_made_from_the_code_as_it_is(python: Path) -> None:
    show = "import sys; sys.path[:0] = ['.', 'docs']; import reference; sys.stdout.write(reference.reference())"
    done = subprocess.run([python, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True)
    written = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert done.stdout == written, "run `make reference`"
