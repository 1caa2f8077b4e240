"""The command line of a command on an index: options that name the index, ``--version``, and the exit statuses."""

from __future__ import annotations

from argparse import ArgumentParser

from index import IndexSettings, settings_parser
from schemas import ingest_command

_EXIT_STATUS = "Exit status: 0 done; 1 it could not be done; 2 bad arguments.\n"


def command_parser(
    name: str, description: str, epilog: str, settings: type[IndexSettings] = IndexSettings
) -> ArgumentParser:
    """For ``python -m ingest NAME``; what is parsed goes to ``index.build_settings``."""
    return settings_parser(settings, f"{ingest_command()} {name}", description, epilog + _EXIT_STATUS)
