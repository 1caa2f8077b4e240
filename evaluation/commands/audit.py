"""``audit``: what is wrong in an index."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import Any

from evaluation import audit
from index import IndexSettings, add_settings, build_settings, open_store


def add_commands(commands: Any) -> None:
    command = commands.add_parser("audit", help="what is wrong in an index, point by point")
    add_settings(command, IndexSettings)
    command.add_argument("--json", action="store_true", help="Print one JSON object.")
    command.set_defaults(run=partial(_audit, command))


def _audit(parser: Any, given: Any) -> str:
    with closing(open_store(build_settings(IndexSettings, parser, given)).open()) as index:
        return audit.report(audit.audit(index), as_json=given.json)
