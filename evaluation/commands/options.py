"""Options that several commands have, and what is made of them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from evaluation.configuration import Configuration
from index import IndexSettings, add_settings, build_settings

_MODEL = "builtin|NAME|DIR"


def add_json(command: ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="Print one line of JSON, with every measurement.")


def add_model(command: ArgumentParser, help: str, default: str = "builtin") -> None:
    choices = _MODEL if default == "builtin" else f"{default}|{_MODEL}"
    command.add_argument("--model", default=default, metavar=choices, help=f"{help} (default: {default})")


def add_configuration(command: ArgumentParser, *, searched: bool = True) -> None:
    """What ``configuration`` reads: the index and, where it is ``searched``, the weights of its legs."""
    add_settings(command, IndexSettings)
    command.add_argument("--generation", metavar="NAME", help="A kept generation; left out, the one that serves.")
    if searched:
        command.add_argument("--weights", type=Path, metavar="FILE", help="Weights of legs, JSON as a run has them.")


def configuration(parser: ArgumentParser, given: Namespace) -> Configuration:
    settings = build_settings(IndexSettings, parser, given)
    return Configuration(settings, given.generation, getattr(given, "weights", None))
