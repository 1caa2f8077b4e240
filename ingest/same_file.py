"""The same-looking pictures that a job found, kept beside its rejects."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from schemas import SamePair


class SameFile:
    """JSON Lines of pairs, written as they come; there is no file while there are none.

    ``counts`` has how many there were of each kind.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: TextIO | None = None
        self.path: Path | None = None
        self.counts: Counter[str] = Counter()

    def write(self, pair: SamePair) -> None:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self.path = self._folder / f"same-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.jsonl"
            self._file = self.path.open("x", encoding="utf-8")
        self._file.write(pair.model_dump_json() + "\n")
        self.counts[pair.kind] += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
