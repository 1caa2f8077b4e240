"""Files of rejects and of same-looking images: old ones go, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.rejects import KEPT_DAYS, KEPT_FILES, JsonLinesFile


def _old(folder: Path, days: Iterable[float], name: str = "rejects") -> list[Path]:
    now = datetime.now(UTC)
    paths = [folder / f"{name}-{now - timedelta(days=day):%Y%m%dT%H%M%S.%f}.jsonl" for day in days]
    for path in paths:
        path.touch()
    return paths


def _write(folder: Path) -> Path:
    with JsonLinesFile(folder, "rejects") as file:
        file.write_line("{}", "a")
    assert file.path
    return file.path


def test_old_files_go_but_for_the_newest(tmp_path: Path) -> None:
    paths = _old(tmp_path, range(KEPT_DAYS + 1, KEPT_DAYS + KEPT_FILES + 6))
    written = _write(tmp_path)
    assert set(tmp_path.iterdir()) == {written, *paths[: KEPT_FILES - 1]}


def test_those_of_the_last_month_stay_however_many_there_are(tmp_path: Path) -> None:
    paths = _old(tmp_path, (day / 2 for day in range(1, 2 * KEPT_DAYS)))
    written = _write(tmp_path)
    assert set(tmp_path.iterdir()) == {written, *paths}


def test_files_of_other_names_stay(tmp_path: Path) -> None:
    others = [tmp_path / name for name in ("rejects-mended.jsonl", "rejects-20200101.jsonl", "mended.jsonl", "lock")]
    for path in others:
        path.touch()
    others += _old(tmp_path, range(100, 120), "same")
    _old(tmp_path, range(100, 120))
    written = _write(tmp_path)
    assert set(others) < set(tmp_path.iterdir())
    assert len(set(tmp_path.iterdir()) - {*others, written}) == KEPT_FILES - 1


def test_a_job_that_fails_or_finds_nothing_removes_none(tmp_path: Path) -> None:
    paths = _old(tmp_path, range(100, 120))
    with JsonLinesFile(tmp_path, "rejects"):
        pass
    with pytest.raises(KeyboardInterrupt), JsonLinesFile(tmp_path, "rejects") as file:
        file.write_line("{}", "a")
        raise KeyboardInterrupt
    assert set(paths) < set(tmp_path.iterdir())
