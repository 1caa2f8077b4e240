"""What a run finds, written as it comes into a file of its own beside the index."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO


class LinesFile:
    """Lines ``NAME-<time>.jsonl`` in a folder; there is no file while there are none.

    ``counts`` has how many there were of each kind.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._file: TextIO | None = None
        self.path: Path | None = None
        self.counts: Counter[str] = Counter()

    def write_line(self, line: str, kind: str) -> None:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self.path = self._folder / f"{self._name}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.jsonl"
            self._file = self.path.open("x", encoding="utf-8", buffering=1)  # a line survives the job's death
        self._file.write(line + "\n")
        self.counts[kind] += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
