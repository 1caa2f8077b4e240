"""Command lines: the options of a settings class, each with its default and its environment variable.

pydantic-settings makes them. The parser around them is argparse's, for what its own command lines lack: ``--version``,
no secrets, a refusal in one line, and options of one command that no variable of the environment may set. Typer knows
nothing of settings, and its import would be felt in a job that finds nothing changed.
"""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import CliSettingsSource

from index.settings import IndexSettings
from schemas import __version__

Settings = TypeVar("Settings", bound=IndexSettings)


class CommandParser(ArgumentParser):
    """With ``--version``, as have the parsers of its commands; options are not abbreviated."""

    def __init__(self, prog: str | None = None, **options: Any) -> None:
        super().__init__(prog, allow_abbrev=False, **options)
        self.add_argument(
            "--version", action="version", version=f"StoreLens {__version__}", help="Print the version and exit."
        )


def settings_parser(cls: type[IndexSettings], program: str, description: str, epilog: str = "") -> ArgumentParser:
    """A parser with an option for every setting of ``cls`` but the secret ones."""
    secrets = [
        f"  STORELENS_{name.upper():<24} {field.description}"
        for name, field in cls.model_fields.items()
        if _is_secret(cls, name)
    ]
    alone = "Only as environment variables, since everybody on a machine can read its command lines:"
    parser = CommandParser(
        program,
        description=description,
        epilog="\n".join([alone, *secrets, "", epilog]),
        formatter_class=RawDescriptionHelpFormatter,
    )
    add_settings(parser, cls)
    return parser


def add_settings(parser: ArgumentParser, cls: type[IndexSettings]) -> None:
    """Give a parser the options of ``cls``.

    An option left out is absent from what is parsed, so that the environment can speak for it.
    """
    CliSettingsSource(
        cls,
        root_parser=parser,
        cli_kebab_case=True,
        cli_implicit_flags="toggle",
        cli_hide_none_type=True,
        cli_show_env_vars=True,
        add_argument_method=_add_option,
    )


def build_settings(cls: type[Settings], parser: ArgumentParser, arguments: Sequence[str] | Namespace) -> Settings:
    """The settings of a command line and the environment; where they are wrong, says so on stderr and
    exits with status 2."""
    given = arguments if isinstance(arguments, Namespace) else parser.parse_args(arguments)
    values = {name: value for name, value in vars(given).items() if name in cls.model_fields}
    if {"data_dir", "qdrant_url"} <= values.keys():
        parser.error("argument --qdrant-url: not allowed with argument --data-dir")
    try:
        settings = cls(**values)
    except ValidationError as error:
        parser.error(_what_is_wrong(cls, error))
    if "data_dir" in values and settings.qdrant_url:
        parser.error(f"--data-dir names an embedded index, and STORELENS_QDRANT_URL the server {settings.qdrant_url}")
    return settings


def _add_option(parser: ArgumentParser, *names: str, **options: Any) -> None:
    if options["help"] == SUPPRESS:
        return  # a secret, or of another program
    kind = options.pop("metavar", "")  # the name of a Python type
    if kind.startswith("{"):
        options["choices"] = kind[1:-1].split(",")
    elif kind and names[0].startswith("-"):
        options["metavar"] = names[0].rpartition("-")[2].upper()  # --data-dir DIR
    elif kind:
        options["metavar"] = kind
    for nothing in (" (default: null)", " (default: ())"):
        options["help"] = options["help"].replace(nothing, "")
    parser.add_argument(*names, **{**options, "default": SUPPRESS})


def _is_secret(cls: type[IndexSettings], name: str) -> bool:
    return "SecretStr" in repr(cls.model_fields[name].annotation)


def _what_is_wrong(cls: type[IndexSettings], error: ValidationError) -> str:
    wrong = error.errors(include_url=False)[0]
    name = ".".join(map(str, wrong["loc"]))
    if wrong["type"] == "value_error":  # a sentence of ours
        said = str(wrong["ctx"]["error"])
    elif name and _is_secret(cls, str(wrong["loc"][0])):
        said = wrong["msg"]
    else:
        said = f"{wrong['msg']}, not {wrong['input']!r}"
    return f"{name}: {said}" if name else said
