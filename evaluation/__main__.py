"""``python -m evaluation search|speed``: measure quality on labelled queries, or speed on this machine."""

from __future__ import annotations

import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from embedding import load_encoder
from evaluation import quality, speed
from evaluation.queries import read_queries
from index import IndexSettings, add_index_options, build_settings, open_store
from schemas import StoreLensError
from search import Searcher


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 with the result on stdout, 1 when it could not be measured, 2 for bad arguments."""
    parser = _parser()
    given = parser.parse_args(arguments)
    command = given.command
    del given.command
    try:
        print(_search(parser, given) if command == "search" else _speed(given))
    except StoreLensError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 1
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser("python -m evaluation", description="How good, how fast?")
    commands = parser.add_subparsers(dest="command", required=True)
    search = commands.add_parser(
        "search",
        help="nDCG@10 and Recall@10 per kind of query, fused and per leg",
        argument_default=SUPPRESS,
    )
    search.add_argument("--queries", required=True, type=Path, metavar="FILE", help="Labelled queries, JSONL.")
    add_index_options(search)
    measure = commands.add_parser("speed", help="ingest and query speed on this machine")
    measure.add_argument(
        "--catalog", type=Path, metavar="FILE", help="Catalog to ingest; pictures are drawn when left out."
    )
    measure.add_argument("--model", default="builtin", metavar="builtin|NAME|DIR", help="Model to measure.")
    measure.add_argument("--products", type=int, default=10_000, metavar="N", help="Size of the index that is queried.")
    measure.add_argument("--runs", type=int, default=3, metavar="N", help="Runs whose median is printed.")
    return parser


def _search(parser: ArgumentParser, given: Namespace) -> str:
    path: Path = given.queries
    del given.queries  # what is left are settings of the index
    settings = build_settings(IndexSettings, parser, given)
    queries = read_queries(path)
    index = open_store(settings).open()
    try:
        searcher = Searcher(index, load_encoder(index.record.embedding.model))
        return quality.table(quality.measure(searcher, queries, path.parent))
    finally:
        index.close()


def _speed(given: Namespace) -> str:
    return speed.report(given.model, given.catalog, products=given.products, runs=given.runs)


if __name__ == "__main__":
    raise SystemExit(main())
