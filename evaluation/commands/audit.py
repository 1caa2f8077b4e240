"""``audit``: whether an index is in order, and what has moved since another generation of it."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from functools import partial
from typing import Any

from evaluation.audit import audit, drift
from evaluation.audit.audit import text
from evaluation.audit.drift import text as drift_text
from evaluation.configuration import Configuration
from evaluation.report.audit import audit_page
from evaluation.report.images import ReportImages
from evaluation.report.page import add_report, check_report, write_report
from index import IndexSettings, add_settings, build_settings


def add_commands(commands: Any) -> None:
    command = commands.add_parser("audit", help="what is wrong in an index: its vectors, duplicates, hubs, drift")
    add_settings(command, IndexSettings)
    command.add_argument("--generation", metavar="NAME", help="A kept generation; left out, the one that serves.")
    command.add_argument("--against", metavar="NAME", help="Also what has moved since this generation.")
    add_report(command)
    command.add_argument("--json", action="store_true", help="Print one JSON object.")
    command.set_defaults(run=partial(_audit, command))


def _audit(parser: ArgumentParser, given: Namespace) -> str:
    settings = build_settings(IndexSettings, parser, given)
    configuration = Configuration(settings, given.generation)
    page = None if given.report is None else check_report(given.report)
    with configuration.index() as index:
        found = audit(index)
        if given.against is not None:
            with configuration.changed([f"generation={given.against}"]).index() as before:
                found["drift"] = drift(index, before)
        if page is not None:
            with ReportImages(index, settings.data_dir) as images:
                write_report(page, audit_page(found, images), found)
    if given.json:
        return json.dumps(found)
    return "\n".join([text(found), *([drift_text(found["drift"])] if "drift" in found else [])])
