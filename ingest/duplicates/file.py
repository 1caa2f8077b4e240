"""The same-looking images that a job found, kept beside its rejects."""

from __future__ import annotations

from pathlib import Path

from ingest.lines_file import LinesFile
from schemas import SamePair


class SameFile(LinesFile):
    """JSON Lines of pairs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "same")

    def write(self, pair: SamePair) -> None:
        self.write_line(pair.model_dump_json(), pair.kind)
