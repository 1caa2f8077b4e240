"""``python -m evaluation search|classify|moderation|speed|scale|incremental|same|audit``: quality, or speed here."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from embedding import load_encoder
from evaluation import audit, classification, moderation, quality
from evaluation.benchmarks import duplicates, incremental, scale, speed
from evaluation.benchmarks.synthetic import RANDOM_CLIP
from evaluation.queries import read_queries
from index import IndexSettings, add_settings, build_settings, open_store
from schemas import LabelSet, StoreLensError, __version__, clean_line
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
    _add_classify(commands)
    _add_moderation(commands)
    _add_speed(commands)
    _add_scale(commands)
    _add_incremental(commands)
    _add_duplicates(commands)
    _add_audit(commands)
    return parser


def _add_classify(commands: Any) -> None:
    command = commands.add_parser("classify", help="labels given to images without training: accuracy, unknown")
    command.add_argument("--images", required=True, type=Path, metavar="FILE", help="Labelled images, JSONL.")
    command.add_argument(
        "--labels", type=_names, default=[], metavar="A,B,C", help="Labels to choose from; left out, all of the file."
    )
    command.add_argument(
        "--templates", type=_templates, metavar="FILE", help="Prompts, one a line, as `a photo of a {label}`."
    )
    command.add_argument(
        "--hold-out",
        type=_names,
        action="extend",
        default=[],
        metavar="A",
        help="Labels that are not to choose from: their images are to be unknown.",
    )
    command.add_argument("--model", default="builtin", metavar="builtin|NAME|DIR", help="Model that embeds them.")
    command.add_argument("--json", action="store_true", help="Print one JSON object.")


def _add_moderation(commands: Any) -> None:
    command = commands.add_parser(
        "moderation", help="how well a policy tells what it is about, and from which score on"
    )
    command.add_argument("--images", required=True, type=Path, metavar="FILE", help="Labelled images, JSONL.")
    command.add_argument("--policy", required=True, type=Path, metavar="FILE", help="The policy, JSON.")
    command.add_argument(
        "--goal",
        type=_aim,
        default=moderation.Aim(),
        metavar="f1|recall=R|precision=P",
        help="What the threshold is to be good for: the best F1, or at least so much recall or precision.",
    )
    command.add_argument("--model", default="builtin", metavar="builtin|NAME|DIR", help="Model that embeds them.")
    command.add_argument("--store", metavar="NAME", help="Write the policy with its thresholds to the collection.")
    add_settings(command, IndexSettings)
    command.add_argument("--json", action="store_true", default=False, help="Print one JSON object.")


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


def _names(text: str) -> list[str]:
    names = [clean_line(name) for name in text.split(",")]
    return list(dict.fromkeys(name for name in names if name))


def _templates(text: str) -> list[str]:
    try:
        lines = Path(text).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentTypeError(f"cannot read {text}: {error}") from error
    templates = [line for line in map(str.strip, lines) if line]
    try:
        return LabelSet.model_validate({"labels": [{"name": "any"}], "templates": templates}).templates or []
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        line = templates[int(wrong["loc"][1])] if len(wrong["loc"]) > 1 else text
        raise ArgumentTypeError(f"{line}: {wrong['msg'].removeprefix('Value error, ')}") from error


def _aim(text: str) -> moderation.Aim:
    try:
        return moderation.Aim.parse(text)
    except ValueError:
        raise ArgumentTypeError(f"{text} is none of f1, recall=R and precision=P, up to 1") from None


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
    index = open_store(settings).open()
    try:
        searcher = Searcher(index, load_encoder(index.record.embedding.model))
        return quality.table(quality.measure(searcher, queries, path.parent))
    finally:
        index.close()


def _audit(parser: ArgumentParser, given: Namespace) -> str:
    with closing(open_store(build_settings(IndexSettings, parser, given)).open()) as index:
        return audit.report(audit.audit(index), as_json=given.json)


def _classify(given: Namespace) -> str:
    measured = classification.measure(
        given.images, load_encoder(given.model), given.labels, given.templates, given.hold_out
    )
    return classification.report(measured, as_json=given.json)


def _moderation(parser: ArgumentParser, given: Namespace) -> str:
    policy = moderation.read_policy(given.policy)
    settings = build_settings(IndexSettings, parser, given)
    measured = moderation.measure(given.images, policy, load_encoder(given.model), given.goal)
    if given.store:
        written = open_store(settings).documents.write("policies", given.store, measured["policy"])
        measured["stored"] = {"name": written.name, "version": written.version}
    return moderation.report(measured, as_json=given.json)


def _speed(given: Namespace) -> str:
    return speed.report(given.model, given.catalog, products=given.products, runs=given.runs, as_json=given.json)


def _scale(given: Namespace) -> str:
    return scale.report(given.rows, given.plot, as_json=given.json)


def _incremental(given: Namespace) -> str:
    return incremental.report(given.model, given.rows, as_json=given.json)


def _duplicates(given: Namespace) -> str:
    return duplicates.report(given.catalog, load_encoder(given.model))


_OF_AN_INDEX = {"search": _search, "moderation": _moderation, "audit": _audit}
_MEASUREMENTS = {
    "classify": _classify,
    "speed": _speed,
    "scale": _scale,
    "incremental": _incremental,
    "same": _duplicates,
}

if __name__ == "__main__":
    raise SystemExit(main())
