"""What importing the package costs."""

from __future__ import annotations

import subprocess
import sys


def test_a_spec_of_builtin_is_had_without_torch() -> None:
    code = (
        "import sys, embedding; embedding.load_spec('builtin'); "
        "print([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
