"""Command-line options of every process that works with an index."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import TypeVar

from pydantic import ValidationError

from index.settings import IndexSettings

Settings = TypeVar("Settings", bound=IndexSettings)


def index_parser(program: str, description: str, epilog: str | None = None) -> ArgumentParser:
    """A parser with the options that say where the index is. An option left out is absent from the
    result, so that the environment can speak for it."""
    parser = ArgumentParser(
        program,
        description=description,
        epilog=epilog,
        formatter_class=RawDescriptionHelpFormatter,
        argument_default=SUPPRESS,
        allow_abbrev=False,
    )
    add_index_options(parser)
    return parser


def add_index_options(parser: ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--data-dir", metavar="DIR", help=describe(IndexSettings, "data_dir"))
    where.add_argument("--qdrant-url", metavar="URL", help=describe(IndexSettings, "qdrant_url"))
    parser.add_argument("--collection", metavar="NAME", help=describe(IndexSettings, "collection"))


def describe(settings: type[IndexSettings], field: str) -> str | None:
    """The help of an option: its setting's own description."""
    return settings.model_fields[field].description


def build_settings(cls: type[Settings], parser: ArgumentParser, given: Namespace) -> Settings:
    """The settings of a command line and the environment; where they are wrong, says so on stderr and
    exits with status 2."""
    values = vars(given)
    try:
        settings = cls(**values)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = ".".join(map(str, wrong["loc"]))
        parser.error(f"{name}: {wrong['msg']}, not {wrong['input']!r}" if name else wrong["msg"])
    if "data_dir" in values and settings.qdrant_url:
        parser.error(f"--data-dir names an embedded index, and STORELENS_QDRANT_URL the server {settings.qdrant_url}")
    return settings
