"""Every variable of README's table of settings, as a real environment variable, with the programs that it is for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api import settings as api_settings
from index import IndexSettings
from ingest import settings as ingest_settings

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
READ_DIRECTLY = {"STORELENS_DEBUG", "STORELENS_COMMAND"}
"""Variables that no settings class has."""

HERE = Path(__file__).parent.resolve()
# What is written into the variable, and what the program is to make of it.
VALUES: dict[str, tuple[str, Any]] = {
    "DATA_DIR": ("/elsewhere", Path("/elsewhere")),
    "QDRANT_URL": ("http://qdrant:6333", "http://qdrant:6333"),
    "QDRANT_API_KEY": ("hush", "hush"),
    "QDRANT_SECONDS": ("7", 7.0),
    "SHARDS": ("3", 3),
    "REPLICAS": ("2", 2),
    "WAIT": ("30", 30.0),
    "COLLECTION": ("shoes", "shoes"),
    "MODEL": ("builtin", "builtin"),
    "FORMAT": ("tsv", "tsv"),
    "ENCODING": ("cp1250", "cp1250"),
    "MAP": ("title=name,images=a,images=b", ("title=name", "images=a", "images=b")),
    "MAP_FILE": ("map.yaml", Path("map.yaml")),
    "GUESS": ("false", False),
    "PRUNE": ("true", True),
    "CATALOG": ("catalog.csv", "catalog.csv"),
    "REJECTS": ("rejects.jsonl", Path("rejects.jsonl")),
    "PRECISION": ("int8", "int8"),
    "CROPS": ("no", False),
    "FORCE": ("1", True),
    "DRY_RUN": ("yes", True),
    "NO_CALIBRATION": ("yes", True),
    "STRICT": ("on", True),
    "PICTURE_HOSTS": ("a.example, *.b.example", ("a.example", "*.b.example")),
    "PICTURE_FOLDERS": (f"{HERE}, {HERE.parent}", (HERE, HERE.parent)),
    "PICTURE_PRIVATE_ADDRESSES": ("true", True),
    "PICTURE_MAX_AGE": ("0.5", 0.5),
    "PICTURE_SECONDS": ("3", 3.0),
    "PICTURE_CONNECTIONS": ("2", 2),
    "IMAGE_URLS": ("true", True),
    "LOG": ("json", "json"),
    "REPORT": (f"{HERE}/run.html", HERE / "run.html"),
    "HOST": ("::1", "::1"),
    "PORT": ("0", 0),
    "API_KEYS": ("first, second", ("first", "second")),
    "POLICY": ("retail", "retail"),
    "LABEL_SET": ("category", "category"),
    "REVIEW_KEYS": ("first, second", ("first", "second")),
    "MAX_UPLOAD_BYTES": ("1000000", 1_000_000),
    "MAX_PIXELS": ("1000000", 1_000_000),
    "MAX_WAITING": ("0", 0),
}


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    programs: str
    default: str


ROWS = [
    Row(*(cell.strip() for cell in cells))
    for cells in re.findall(r"^\| `STORELENS_([A-Z_]+)` \|([^|]*)\|([^|]*)\|", README, flags=re.M)
    if f"STORELENS_{cells[0]}" not in READ_DIRECTLY
]
PROGRAMS: dict[str, Callable[[Sequence[str]], IndexSettings]] = {
    "API": api_settings.parse,
    "job": ingest_settings.parse,
}


def _plain(value: Any) -> Any:
    """Settings compare with what was meant once their secrets are shown."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_documented_variable_does_what_the_table_says(
    row: Row, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = row.name.lower()
    arguments = ["c.jsonl"] if program == "job" and row.name not in ("CATALOG", "REJECTS") else []
    if row.name in ("SHARDS", "REPLICAS"):
        arguments += ["--qdrant-url", "http://qdrant:6333"]
    written, meant = VALUES[row.name]
    monkeypatch.setenv(f"STORELENS_{row.name}", written)
    settings = PROGRAMS[program](arguments)
    if row.programs not in (program, "both"):
        # One environment may be for both programs, as a container's.
        assert not hasattr(settings, field) or field in IndexSettings.model_fields
        with pytest.raises(SystemExit):
            PROGRAMS[program]([*arguments, f"--{row.name.lower().replace('_', '-')}", written])
        return
    default = type(settings).model_fields[field].default
    assert _plain(getattr(settings, field)) == meant != default
    if default not in (None, ()):
        assert str(default).lower() in re.findall(r"[\w.-]+", row.default), f"the default is {default}"


def test_every_variable_is_tried() -> None:
    assert {row.name for row in ROWS} == VALUES.keys()
