"""``search``: how well labelled queries are answered, and whether one configuration is better than another."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from functools import cache, partial
from pathlib import Path
from typing import Any

from embedding import load_encoder
from evaluation.commands.options import add_configuration, add_json, configuration
from evaluation.comparison import compare, lines, read_run
from evaluation.configuration import Configuration, LoadEncoder
from evaluation.home_made import labelled_queries
from evaluation.quality import document, run, summary, table
from evaluation.queries import LabelledQuery, read_queries
from evaluation.report.images import ReportImages
from evaluation.report.page import add_report, check_report, write_report
from evaluation.report.search import search_page

MADE = Path("made of the catalog")
"""What stands where a run names the file of its queries."""


def add_commands(commands: Any) -> None:
    command = commands.add_parser(
        "search", help="nDCG@10, recall, MRR and success per kind of query, fused and per leg, with intervals"
    )
    command.add_argument(
        "--queries", type=Path, metavar="FILE", help="Labelled queries, JSONL; left out, some made of the catalog."
    )
    add_configuration(command)
    command.add_argument(
        "--against",
        nargs="+",
        metavar="FILE|NAME=VALUE",
        help="Compare with another run: the JSON of one, or what is to be otherwise: generation=, weights=, "
        "collection=, data_dir=, qdrant_url=.",
    )
    command.add_argument(
        "--no-exact", action="store_true", help="Do not compare the engine's answers with exact ones: a pass less."
    )
    add_report(command)
    add_json(command)
    command.set_defaults(run=partial(_search, command))


def _search(parser: ArgumentParser, given: Namespace) -> str:
    one = configuration(parser, given)
    load: LoadEncoder = cache(load_encoder)
    page = None if given.report is None else check_report(given.report)
    path = given.queries or MADE
    queries = read_queries(path) if given.queries else _made(one)
    against = _against(one, given, load, queries, path)
    with one.searcher(load) as searcher:
        measured = run(searcher, queries, path, exact=not given.no_exact)
        found = summary(measured)
        if against is not None:
            found["comparison"] = compare(measured, against)
        if page is not None:
            whole = {**document(measured), **found}
            with ReportImages(searcher.index, one.settings.data_dir) as images:
                write_report(page, search_page(whole, path.parent, images), whole)
    if given.json:
        return json.dumps(found)
    return "\n".join([table(found), *(lines(found["comparison"]) if against is not None else [])])


def _made(one: Configuration) -> list[LabelledQuery]:
    with one.index() as index:
        return labelled_queries(index)


def _against(
    one: Configuration, given: Namespace, load: LoadEncoder, queries: list[LabelledQuery], path: Path
) -> dict[str, Any] | None:
    """The run that this one is compared with, read or made."""
    assignments: list[str] | None = given.against
    if assignments is None:
        return None
    if len(assignments) == 1 and "=" not in assignments[0]:
        return read_run(Path(assignments[0]))
    with one.changed(assignments).searcher(load) as searcher:
        return document(run(searcher, queries, path, exact=False))
