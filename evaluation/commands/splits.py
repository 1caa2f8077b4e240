"""``split`` and ``leaks``: parts of a catalog that know nothing of each other, made and checked."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from evaluation.commands.options import add_json, add_model
from evaluation.splits import leaks, maker
from evaluation.splits.duplicates import catalog_duplicates
from schemas import ConfigurationError


def add_commands(commands: Any) -> None:
    split = commands.add_parser("split", help="train, validation and test without leaks, by group and copies of images")
    split.add_argument("catalog", metavar="CATALOG", help="What python -m ingest reads.")
    split.add_argument("--out", required=True, type=Path, metavar="FILE", help="Where to write it, JSONL.")
    split.add_argument(
        "--shares",
        nargs="+",
        default=[f"{name}={share}" for name, share in maker.SHARES.items()],
        metavar="NAME=SHARE",
        help="Parts and how much of the catalog each has (default: train=0.8 validation=0.1 test=0.1).",
    )
    split.add_argument("--seed", type=int, default=0, metavar="N", help="Another one is another split.")
    add_model(split, "What tells copies of images.")
    add_json(split)
    split.set_defaults(run=_split)
    check = commands.add_parser("leaks", help="whether a split leaks: same image, copy, group or text in two parts")
    check.add_argument("--catalog", required=True, metavar="FILE", help="What python -m ingest reads.")
    check.add_argument("--split", required=True, type=Path, metavar="FILE", help='{"id", "split"} a line.')
    add_model(check, "What tells copies of images.")
    add_json(check)
    check.set_defaults(run=_leaks)


def _split(given: Namespace) -> str:
    shares = maker.read_shares(given.shares)
    if given.out.exists() and Path(given.catalog).exists() and given.out.samefile(given.catalog):
        raise ConfigurationError(f"--out {given.out} is the catalog itself: name another file")
    made = maker.write_split(given.out, catalog_duplicates(given.catalog, given.model), shares, given.seed)
    return json.dumps(made) if given.json else maker.text(made)


def _leaks(given: Namespace) -> str:
    split, twice = leaks.read_split(given.split)
    found = leaks.report(catalog_duplicates(given.catalog, given.model), split, twice)
    return json.dumps(found) if given.json else leaks.text(found)
