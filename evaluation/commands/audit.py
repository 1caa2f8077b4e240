"""``audit``: whether an index is in order, and what has moved since another generation of it."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from functools import partial
from typing import Any

from evaluation.audit import audit, drift
from evaluation.audit.audit import text
from evaluation.audit.drift import text as drift_text
from evaluation.commands.options import add_configuration, add_json, configuration
from evaluation.report.audit import audit_page
from evaluation.report.images import ReportImages
from evaluation.report.page import add_report, check_report, write_report


def add_commands(commands: Any) -> None:
    command = commands.add_parser("audit", help="what is wrong in an index: its vectors, duplicates, hubs, drift")
    add_configuration(command, searched=False)
    command.add_argument("--against", metavar="NAME", help="Also what has moved since this generation.")
    add_report(command)
    add_json(command)
    command.set_defaults(run=partial(_audit, command))


def _audit(parser: ArgumentParser, given: Namespace) -> str:
    measured = configuration(parser, given)
    page = None if given.report is None else check_report(given.report)
    with measured.index() as index:
        found = audit(index)
        if given.against is not None:
            with measured.changed([f"generation={given.against}"]).index() as before:
                found["drift"] = drift(index, before)
        if page is not None:
            with ReportImages(index, measured.settings.data_dir) as images:
                write_report(page, audit_page(found, images), found)
    if given.json:
        return json.dumps(found)
    return "\n".join([text(found), *([drift_text(found["drift"])] if "drift" in found else [])])
