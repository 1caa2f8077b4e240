"""``python -m ingest synonyms``: pairs of words that may mean the same, and putting in those that a person accepts."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from index import Documents, IndexSettings, build_settings, open_store
from ingest.commands.documents import named, parsed, read
from ingest.commands.parser import command_parser
from ingest.commands.synonym_suggestions import suggest
from ingest.logs import print_lines
from schemas import (
    ConfigurationError,
    DocumentChanged,
    DocumentInvalid,
    DocumentNotFound,
    OneWay,
    Synonyms,
    fold,
    ingest_command,
    reason,
)

LIMIT = 100
NAME = "accepted"
_TRIES = 20
_EPILOG = f"""\
  suggest        print pairs of words of the catalog, the likeliest first, a JSON object a line, with why
                 and a product of each; --out FILE writes them into a file
  add FILE       put the lines that are left of such a file, once you have removed what are no synonyms,
                 into a document; - is standard input

Lines are {{"synonyms": ["sofa", "couch", ..]}}, or {{"from": "trainers", "to": ["running shoes"]}} for one way
alone; whatever else they say is left out. Searches go on with what was added within two seconds.
`{ingest_command()} documents` reads, changes and deletes documents.
"""


def main(arguments: Sequence[str]) -> int:
    parser = command_parser("synonyms", "Suggest synonyms, and add those that you accept.", _EPILOG)
    parser.add_argument("action", choices=["suggest", "add"])
    parser.add_argument("file", nargs="?", metavar="FILE")
    parser.add_argument("--out", metavar="FILE", help="Where suggestions go; a new file.")
    parser.add_argument("--limit", type=int, metavar="N", help=f"At most so many suggestions. (default: {LIMIT})")
    parser.add_argument("--name", metavar="NAME", help=f"Of the document to add to. (default: {NAME})")
    given = parser.parse_intermixed_args(arguments)
    _check(parser, given)
    settings = build_settings(IndexSettings, parser, given)
    if given.action == "suggest":
        return _suggest(settings, given)
    with named(given.file):
        return _add(settings, given)


def _check(parser: ArgumentParser, given: Namespace) -> None:
    if (given.file is None) == (given.action == "add"):
        parser.error("add what? give it a FILE" if given.action == "add" else "suggest takes no FILE; name it by --out")
    for option, action in (("out", "suggest"), ("limit", "suggest"), ("name", "add")):
        if getattr(given, option) is not None and given.action != action:
            parser.error(f"{given.action} takes no --{option}")
    if given.limit is not None and given.limit < 1:
        parser.error(f"--limit: at least 1, not {given.limit}")


def _suggest(settings: IndexSettings, given: Namespace) -> int:
    from embedding import load_encoder  # torch, which the other commands do without

    out = Path(given.out) if given.out else None
    if out and out.exists():
        raise ConfigurationError(f"{out}: it is there already, and may have been worked on: name another, or remove it")
    store = open_store(settings)
    with closing(store.open()) as index:
        encoder = load_encoder(index.record.embedding.model)
        limit = LIMIT if given.limit is None else given.limit
        found = suggest(index, encoder.encode_texts, limit, _known(store.documents))
    lines = [
        json.dumps({"synonyms": one.synonyms, "reason": one.reason, "examples": one.examples}, ensure_ascii=False)
        for one in found
    ]
    if out:
        try:
            with out.open("x", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in lines)
        except OSError as error:
            raise ConfigurationError(f"{out}: {reason(error)}") from error
    else:
        print_lines(lines)
    where = f" in {out}: remove those that are none, then `{ingest_command()} synonyms add {out}`" if out else ""
    print(f"suggestions: {len(found)}{where}", file=sys.stderr)
    return 0


def _known(documents: Documents) -> set[frozenset[str]]:
    """Pairs of phrases that documents have as synonyms already."""
    known: set[frozenset[str]] = set()
    for body in (document.body for document in documents.read_all()):
        if isinstance(body, Synonyms):
            for group in body.groups:
                known.update(map(frozenset, combinations(map(fold, group), 2)))
            known.update(frozenset((fold(one.from_), fold(other))) for one in body.one_way for other in one.to)
    return known


def _add(settings: IndexSettings, given: Namespace) -> int:
    accepted = list(_accepted(read(given.file)))
    documents, name = open_store(settings).documents, given.name or NAME
    for _ in range(_TRIES):
        try:
            there = documents.read("synonyms", name)
            content, version = there.content, there.version
        except DocumentNotFound:
            content, version = {}, 0
        added = sum([_put(content, one) for one in accepted])
        try:
            if added:
                version = documents.write("synonyms", name, content, version).version
        except DocumentChanged:
            continue  # somebody else has changed it meanwhile
        print(json.dumps({"kind": "synonyms", "name": name, "version": version, "added": added}))
        return 0
    raise DocumentChanged(f"others write the document {name!r} all the time; try again")


def _accepted(written: str) -> Iterator[Synonyms]:
    """What each line accepts. Raises DocumentInvalid, naming the line."""
    for number, line in enumerate(written.splitlines(), 1):
        if line.strip():
            try:
                yield _synonyms(parsed(line))
            except (DocumentInvalid, ValidationError) as error:
                said = error.message if isinstance(error, DocumentInvalid) else _first(error)
                raise DocumentInvalid(f"line {number}: {said}") from error


def _synonyms(line: Any) -> Synonyms:
    match line:
        case {"synonyms": group}:
            return Synonyms.model_validate({"groups": [group]})
        case {"from": asked, "to": others}:
            return Synonyms.model_validate({"one_way": [{"from": asked, "to": others}]})
    raise DocumentInvalid('it has neither "synonyms" nor "from" and "to"')


def _first(error: ValidationError) -> str:
    wrong = error.errors(include_url=False)[0]
    return wrong["msg"].removeprefix("Value error, ")


def _put(content: dict[str, Any], accepted: Synonyms) -> bool:
    """Add to a document what it has not; whether there was any."""
    groups: list[list[str]] = content.setdefault("groups", [])
    one_way: list[dict[str, Any]] = content.setdefault("one_way", [])
    before = json.dumps(content)
    for group in accepted.groups:
        folded = set(map(fold, group))
        if not any(folded <= set(map(fold, there)) for there in groups):
            groups[:] = [there for there in groups if not set(map(fold, there)) <= folded]
            groups.append(list(group))
    for one in accepted.one_way:
        _put_one_way(one_way, one)
    changed = json.dumps(content) != before
    for key in ("groups", "one_way"):
        if not content[key]:
            del content[key]
    return changed


def _put_one_way(one_way: list[dict[str, Any]], one: OneWay) -> None:
    there = next((entry for entry in one_way if fold(entry["from"]) == fold(one.from_)), None)
    if there is None:
        one_way.append({"from": one.from_, "to": list(one.to)})
    else:
        known = set(map(fold, there["to"]))
        there["to"] += [other for other in one.to if fold(other) not in known]
