"""What a run finds, written as it comes into a file of its own beside the index."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

KEPT, KEPT_DAYS = 10, 30
_NAMED = "%Y%m%dT%H%M%S.%f.jsonl"


class LinesFile:
    """Lines ``NAME-<time>.jsonl`` in a folder; there is no file while there are none.

    One that was written takes old ones of its name away.

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
            self.path = self._folder / f"{self._name}-{datetime.now(UTC):{_NAMED}}"
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
            if error is None:  # a job that failed may have been told to try one of them again
                self._remove_old()

    def _remove_old(self) -> None:
        """The newest ten stay, and those of the last thirty days; a file of another name is somebody's own."""
        written = []
        for path in self._folder.glob(f"{self._name}-*"):
            with suppress(ValueError):
                begun = datetime.strptime(path.name.removeprefix(f"{self._name}-"), _NAMED).replace(tzinfo=UTC)
                written.append((begun, path))
        for begun, path in sorted(written)[:-KEPT]:
            if begun < datetime.now(UTC) - timedelta(days=KEPT_DAYS):
                with suppress(OSError):
                    path.unlink()
