"""``python -m ingest generations``: what an index keeps, rolling back, and removing."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from index import IndexSettings, build_settings, open_store
from ingest.commands.parser import command_parser
from schemas import Generation

_EPILOG = """\
An ingest keeps the generation that served before it. To roll back is to switch to it: searches
see it at once, and the next ingest goes on from it.

The table goes to stderr; stdout is one JSON object: {"generations": [..]}, oldest first.
"""


def main(arguments: Sequence[str]) -> int:
    description = "List the generations of an index, let another one serve, or remove one."
    parser = command_parser("generations", description, _EPILOG)
    parser.add_argument("action", nargs="?", choices=["list", "switch", "remove"], default="list")
    parser.add_argument("name", nargs="?", metavar="NAME", default=None, help="Of a generation, as listed.")
    given = parser.parse_intermixed_args(arguments)
    settings = build_settings(IndexSettings, parser, given)
    if (given.name is None) != (given.action == "list"):
        parser.error("list takes no name" if given.action == "list" else f"{given.action} what? give it a NAME")
    store = open_store(settings)
    if given.action == "switch":
        with store.lock():
            store.switch(given.name)
    elif given.action == "remove":
        with store.lock():
            store.remove(given.name)
    generations = store.generations()
    print(_table(generations), file=sys.stderr)
    print(json.dumps({"generations": [generation.model_dump(mode="json") for generation in generations]}))
    return 0


def _table(generations: Sequence[Generation]) -> str:
    rows = [("", "generation", "products", "model", "precision", "created (UTC)", "updated (UTC)", "size")]
    rows += [
        (
            "*" if generation.serving else "",
            generation.name,
            "-" if generation.products is None else f"{generation.products:,}",
            generation.model or "cannot be opened",
            generation.precision or "-",
            _when(generation.created),
            _when(generation.updated),
            "-" if generation.size is None else f"{generation.size / 1e6:,.1f} MB",
        )
        for generation in generations
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) if generations else "there is no index here: nothing was ingested yet"


def _when(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if moment else "-"
