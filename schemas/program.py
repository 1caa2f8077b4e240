"""What a hint calls the job."""

from __future__ import annotations

import os


def ingest_command() -> str:
    """How the job is started here: ``STORELENS_COMMAND`` says so where it is another way, as with compose."""
    return os.environ.get("STORELENS_COMMAND") or "python -m ingest"
