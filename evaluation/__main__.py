"""``python -m evaluation search|speed|scale|incremental|same|audit``: quality, or speed on this machine."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from embedding import load_encoder
from evaluation import audit, quality
from evaluation.benchmarks import duplicates, incremental, scale, speed
from evaluation.benchmarks.synthetic import RANDOM_CLIP
from evaluation.queries import read_queries
from index import IndexSettings, add_settings, build_settings, open_store
from schemas import StoreLensError, __version__
from search import Searcher


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 with the result on stdout, 1 when it could not be measured, 2 for bad arguments."""
    parser = _parser()
    given = parser.parse_args(arguments)
    command = given.command
    del given.command
    try:
        print(_OF_AN_INDEX[command](parser, given) if command in _OF_AN_INDEX else _MEASUREMENTS[command](given))
    except StoreLensError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 1
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser("python -m evaluation", description="How good, how fast?")
    parser.add_argument("--version", action="version", version=f"StoreLens {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    search = commands.add_parser("search", help="nDCG@10 and Recall@10 per kind of query, fused and per leg")
    search.add_argument("--queries", required=True, type=Path, metavar="FILE", help="Labelled queries, JSONL.")
    add_settings(search, IndexSettings)
    _add_speed(commands)
    _add_scale(commands)
    _add_incremental(commands)
    _add_duplicates(commands)
    _add_audit(commands)
    return parser


def _add_speed(commands: Any) -> None:
    command = commands.add_parser("speed", help="ingest and query speed on this machine, against a plain loop")
    command.add_argument(
        "--catalog", type=Path, metavar="FILE", help="Catalog to ingest, JSONL; made up when left out."
    )
    _add_model(command)
    command.add_argument(
        "--products", type=_count, default=10_000, metavar="N", help="Size of the index that is queried."
    )
    command.add_argument("--runs", type=_count, default=3, metavar="N", help="Turns whose median is printed.")
    command.add_argument("--json", action="store_true", help="Print one JSON object with every measurement.")


def _add_scale(commands: Any) -> None:
    command = commands.add_parser("scale", help="memory, rate and size of ingests by number of rows")
    command.add_argument(
        "--rows", type=_count, nargs="+", default=list(scale.ROWS), metavar="N", help="Numbers of rows."
    )
    command.add_argument("--plot", type=_plot, metavar="FILE", help="Draw memory over time into a .png or .svg file.")
    command.add_argument("--json", action="store_true", help="Print a JSON list with every measurement.")


def _add_incremental(commands: Any) -> None:
    command = commands.add_parser("incremental", help="a first ingest, an unchanged catalog, and a usual night")
    command.add_argument("--rows", type=_count, default=incremental.USUAL, metavar="N", help="Products.")
    _add_model(command)
    command.add_argument("--json", action="store_true", help="Print a JSON list with every measurement.")


def _add_duplicates(commands: Any) -> None:
    command = commands.add_parser("same", help="how well copies of a catalog's images are told from other images")
    command.add_argument("--catalog", type=Path, required=True, metavar="FILE", help="Catalog with images, JSONL.")
    command.add_argument("--model", default="builtin", metavar="builtin|NAME|DIR", help="Model that embeds them.")


def _add_audit(commands: Any) -> None:
    command = commands.add_parser("audit", help="what is wrong in an index, point by point")
    add_settings(command, IndexSettings)
    command.add_argument("--json", action="store_true", default=False, help="Print one JSON object.")


def _add_model(command: ArgumentParser) -> None:
    command.add_argument(
        "--model",
        default=RANDOM_CLIP,
        metavar="random-clip|builtin|NAME|DIR",
        help="Model to measure; random-clip is CLIP ViT-B/32 with random weights.",
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _plot(text: str) -> Path:
    """Told before anything is measured, not hours later."""
    path = Path(text)
    if path.suffix.lower() not in (".png", ".svg") or not path.parent.is_dir():
        raise ArgumentTypeError(f"{text} is no .png or .svg file in a folder that is there")
    return path


def _search(parser: ArgumentParser, given: Namespace) -> str:
    path: Path = given.queries
    settings = build_settings(IndexSettings, parser, given)
    queries = read_queries(path)
    store = open_store(settings)
    index = store.open()
    try:
        searcher = Searcher(index, load_encoder(index.record.embedding.model))
        searcher.use(store.documents.read_all())
        return quality.table(quality.measure(searcher, queries, path.parent))
    finally:
        index.close()


def _audit(parser: ArgumentParser, given: Namespace) -> str:
    with closing(open_store(build_settings(IndexSettings, parser, given)).open()) as index:
        return audit.report(audit.audit(index), as_json=given.json)


def _speed(given: Namespace) -> str:
    return speed.report(given.model, given.catalog, products=given.products, runs=given.runs, as_json=given.json)


def _scale(given: Namespace) -> str:
    return scale.report(given.rows, given.plot, as_json=given.json)


def _incremental(given: Namespace) -> str:
    return incremental.report(given.model, given.rows, as_json=given.json)


def _duplicates(given: Namespace) -> str:
    return duplicates.report(given.catalog, load_encoder(given.model))


_OF_AN_INDEX = {"search": _search, "audit": _audit}
_MEASUREMENTS = {"speed": _speed, "scale": _scale, "incremental": _incremental, "same": _duplicates}

if __name__ == "__main__":
    raise SystemExit(main())
