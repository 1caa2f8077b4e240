"""``python -m evaluation judging``, on few products and without a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluation.benchmarks.judging import measure
from ingest.commands import moderate
from tests.support.commands import printed


def test_an_edited_policy_writes_what_it_decides_otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def judge(folder: Path) -> dict[str, Any]:
        assert moderate.main(["--policy", "house", "--data-dir", str(folder)]) == 0
        said: dict[str, Any] = printed(capsys)
        assert said["products"] == 200
        return said

    measured = measure(200, tmp_path, judge)
    assert 0 < measured["first"]["changed"] < 200
    assert measured["unchanged"]["changed"] == 0
    assert 0 < measured["edited"]["changed"] < 200
    assert all(measured[what]["with_start"] >= 0 for what in ("first", "unchanged", "edited"))
