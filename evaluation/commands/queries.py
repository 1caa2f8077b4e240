"""``queries``: labelled queries where nobody has labelled any, made of the catalog itself or of what people clicked."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.clicks import FEWEST, read_clicks
from evaluation.commands.options import add_json
from evaluation.home_made import labelled_queries
from evaluation.queries import LabelledQuery
from index import IndexSettings, add_settings, build_settings, open_store
from schemas import ConfigurationError
from schemas.files import replace_file


def add_commands(commands: Any) -> None:
    command = commands.add_parser("queries", help="labelled queries of the catalog's own words, or of a log of clicks")
    command.add_argument("--out", required=True, type=Path, metavar="FILE", help="Where to write them, JSONL.")
    command.add_argument(
        "--clicks", type=Path, metavar="LOG", help='A click a line, {"query", "id"}; no index is needed.'
    )
    command.add_argument(
        "--fewest", type=int, metavar="N", help=f"Clicks of a product for it to answer a query (default: {FEWEST})."
    )
    add_settings(command, IndexSettings)
    add_json(command)
    command.set_defaults(run=partial(_queries, command))


def _queries(parser: ArgumentParser, given: Namespace) -> str:
    out: Path = given.out
    if given.fewest is not None and (given.fewest < 1 or not given.clicks):
        parser.error("--fewest: a number from 1, with --clicks")
    if given.clicks and out.exists() and given.clicks.exists() and out.samefile(given.clicks):
        raise ConfigurationError(f"--out {out} is the log itself: name another file")
    said: dict[str, Any] = {}
    if given.clicks:
        log = read_clicks(given.clicks, given.fewest or FEWEST)
        queries, said = log.queries, {"clicks": log.clicks, "left_out": log.left_out}
    else:
        with closing(open_store(build_settings(IndexSettings, parser, given)).open()) as index:
            queries = labelled_queries(index)
    replace_file(out, "".join(map(_line, queries)).encode())
    kinds = Counter(query.kind for query in queries)
    made = {"out": str(out), "queries": len(queries), "kinds": dict(kinds), **said}
    return json.dumps(made, ensure_ascii=False) if given.json else _text(made)


def _line(query: LabelledQuery) -> str:
    row = query.model_dump(mode="json", exclude={"line"}, exclude_none=True)
    return json.dumps(row, ensure_ascii=False) + "\n"


def _text(made: dict[str, Any]) -> str:
    lines: Iterable[str] = (f"  {count:5,}  {kind}" for kind, count in made["kinds"].items())
    left = f"; {made['left_out']:,} of {made['clicks']:,} clicks left out" if "clicks" in made else ""
    return "\n".join([f"{made['queries']:,} queries in {made['out']}{left}", *lines])
