"""What commands print."""

from __future__ import annotations

import json
from typing import Any

import pytest


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The JSON object of the last line on standard output."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found
