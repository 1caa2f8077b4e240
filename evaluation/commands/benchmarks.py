"""``speed``, ``scale``, ``incremental``, ``judging``, ``same``: how fast on this machine; how well copies are told."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from embedding import load_encoder
from evaluation.benchmarks import duplicates, incremental, judging, scale, speed
from evaluation.benchmarks.synthetic import RANDOM_CLIP
from evaluation.commands.options import add_json, add_model


def add_commands(commands: Any) -> None:
    _add_speed(commands)
    _add_scale(commands)
    _add_incremental(commands)
    _add_judging(commands)
    _add_duplicates(commands)


def _add_speed(commands: Any) -> None:
    command = commands.add_parser("speed", help="ingest and query speed on this machine, against a plain loop")
    command.add_argument(
        "--catalog", type=Path, metavar="FILE", help="Catalog to ingest, JSONL; made up when left out."
    )
    add_model(command, "Model to measure; random-clip is CLIP ViT-B/32 with random weights.", RANDOM_CLIP)
    command.add_argument(
        "--products", type=_count, default=10_000, metavar="N", help="Size of the index that is queried."
    )
    command.add_argument("--runs", type=_count, default=3, metavar="N", help="Turns whose median is printed.")
    add_json(command)
    command.set_defaults(
        run=lambda given: speed.report(
            given.model, given.catalog, products=given.products, runs=given.runs, as_json=given.json
        )
    )


def _add_scale(commands: Any) -> None:
    command = commands.add_parser("scale", help="memory, rate and size of ingests by number of rows")
    command.add_argument(
        "--rows", type=_count, nargs="+", default=list(scale.ROWS), metavar="N", help="Numbers of rows."
    )
    command.add_argument("--plot", type=_plot, metavar="FILE", help="Draw memory over time into a .png or .svg file.")
    add_json(command)
    command.set_defaults(run=lambda given: scale.report(given.rows, given.plot, as_json=given.json))


def _add_incremental(commands: Any) -> None:
    command = commands.add_parser("incremental", help="a first ingest, an unchanged catalog, and a usual night")
    command.add_argument("--rows", type=_count, default=incremental.USUAL, metavar="N", help="Products.")
    add_model(command, "Model to measure; random-clip is CLIP ViT-B/32 with random weights.", RANDOM_CLIP)
    add_json(command)
    command.set_defaults(run=lambda given: incremental.report(given.model, given.rows, as_json=given.json))


def _add_judging(commands: Any) -> None:
    command = commands.add_parser("judging", help="how long a whole index takes to be held to an edited policy")
    command.add_argument("--products", type=_count, default=100_000, metavar="N", help="Made-up products.")
    command.add_argument("--json", action="store_true", help="Print one JSON object with every measurement.")
    command.set_defaults(run=lambda given: judging.report(given.products, as_json=given.json))


def _add_duplicates(commands: Any) -> None:
    command = commands.add_parser("same", help="how well copies of a catalog's images are told from other images")
    command.add_argument("--catalog", type=Path, required=True, metavar="FILE", help="Catalog with images, JSONL.")
    add_model(command, "Model that embeds them.")
    command.set_defaults(run=lambda given: duplicates.report(given.catalog, load_encoder(given.model)))


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
