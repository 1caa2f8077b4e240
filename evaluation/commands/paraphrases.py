"""``paraphrases``: whether several wordings of one need find the same products."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path
from typing import Any

from embedding import load_encoder
from evaluation.commands.options import add_configuration, add_json, configuration
from evaluation.paraphrases import measure, read_needs, text
from evaluation.report.images import ReportImages
from evaluation.report.page import add_report, check_report, write_report
from evaluation.report.paraphrases import paraphrases_page


def add_commands(commands: Any) -> None:
    command = commands.add_parser("paraphrases", help="whether several wordings of one need find the same products")
    command.add_argument(
        "--queries", required=True, type=Path, metavar="FILE", help='{"wordings": ["sofa", "couch"]} a line.'
    )
    add_configuration(command)
    add_report(command)
    add_json(command)
    command.set_defaults(run=partial(_paraphrases, command))


def _paraphrases(parser: ArgumentParser, given: Namespace) -> str:
    needs = read_needs(given.queries)
    measured = configuration(parser, given)
    page = None if given.report is None else check_report(given.report)
    with measured.searcher(load_encoder) as searcher:
        found = measure(searcher, needs, given.queries)
        if page is not None:
            with ReportImages(searcher.index, measured.settings.data_dir) as images:
                write_report(page, paraphrases_page(found, images), found)
    return json.dumps(found) if given.json else text(found)
