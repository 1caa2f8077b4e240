"""``python -m ingest documents``: what lies beside an index: synonyms, rules, label sets, policies, calibrations."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index import Documents, IndexSettings, build_settings, open_store
from ingest.commands.parser import command_parser
from schemas import DOCUMENT_KINDS, MAX_DOCUMENT_BYTES, DocumentInvalid, reason

_EPILOG = f"""\
Kinds are {", ".join(DOCUMENT_KINDS)}. Documents stay through ingests, switches and
rollbacks; every running API goes on with a change within two seconds, and nothing is embedded again.

  list [KIND]               what there is
  get KIND NAME             print one, to be changed and put again
  put KIND NAME FILE        write one from a JSON file, - for standard input
  delete KIND NAME          delete one

stdout is the document that was asked for, or one JSON object; --if-version N changes a document only if
it is of version N still, 0 for one that is to be new.
"""
_WANTED = {"list": ((), ("kind",)), "get": (("kind", "name"), ()), "delete": (("kind", "name"), ())}
_WANTED |= {"put": (("kind", "name", "file"), ())}


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("documents", "List, read, write or delete documents beside an index.", _EPILOG)
    parser.add_argument("action", choices=_WANTED)
    parser.add_argument("kind", nargs="?", choices=DOCUMENT_KINDS, metavar="KIND")
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("file", nargs="?", metavar="FILE")
    parser.add_argument("--if-version", type=int, metavar="N", help="Change it only if it is of this version.")
    given = parser.parse_intermixed_args(arguments)
    _check(parser, given)
    settings = build_settings(IndexSettings, parser, given)
    done = _done(open_store(settings).documents, given)
    print(json.dumps(done, ensure_ascii=False, indent=2 if given.action == "get" else None))
    return 0


def _check(parser: ArgumentParser, given: Namespace) -> None:
    needed, possible = _WANTED[given.action]
    for name in ("kind", "name", "file"):
        if name in needed and getattr(given, name) is None:
            parser.error(f"{given.action} needs {' '.join(map(str.upper, needed))}")
        if name not in (*needed, *possible) and getattr(given, name) is not None:
            parser.error(f"{given.action} takes no {name.upper()}")
    if given.if_version is not None and given.action not in ("put", "delete"):
        parser.error(f"{given.action} takes no --if-version")


def _done(documents: Documents, given: Namespace) -> Any:
    match given.action:
        case "get":
            return documents.read(given.kind, given.name).content
        case "put":
            with named(given.file):
                written = documents.write(given.kind, given.name, parsed(read(given.file)), given.if_version)
            return {"kind": written.kind, "name": written.name, "version": written.version}
        case "delete":
            documents.delete(given.kind, given.name, given.if_version)
            return {"kind": given.kind, "name": given.name, "deleted": True}
    kinds = [given.kind] if given.kind else DOCUMENT_KINDS
    found = [one for kind in kinds for one in documents.names(kind)]
    for one in found:
        print(f"{one.kind:14}{one.name:32}version {one.version}", file=sys.stderr)
    if not found:
        print("there are no documents", file=sys.stderr)
    return {"documents": [{"kind": one.kind, "name": one.name, "version": one.version} for one in found]}


@contextmanager
def named(file: str) -> Iterator[None]:
    """Have what is wrong with a document say the file that it is from."""
    try:
        yield
    except DocumentInvalid as error:
        raise DocumentInvalid(f"{file}: {error.message}") from error


def read(file: str) -> str:
    """A file of a document's size, or standard input. Raises DocumentInvalid."""
    try:
        if file == "-":
            written = sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                written = opened.read(MAX_DOCUMENT_BYTES + 1)
        if len(written) > MAX_DOCUMENT_BYTES:
            raise DocumentInvalid(f"it is larger than {MAX_DOCUMENT_BYTES:,} bytes")
        return written.decode("utf-8-sig")
    except OSError as error:
        raise DocumentInvalid(reason(error)) from error
    except UnicodeDecodeError as error:
        raise DocumentInvalid("it is no JSON: it is not UTF-8") from error


def parsed(written: str) -> Any:
    """What is written in JSON. Raises DocumentInvalid."""
    try:
        return json.loads(written, object_pairs_hook=_members)
    except (ValueError, RecursionError) as error:
        raise DocumentInvalid(f"it is no JSON: {error}") from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise DocumentInvalid(f"{next(name for name in names if names.count(name) > 1)!r} is given twice in one object")
    return members
