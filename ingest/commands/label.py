"""``python -m ingest label``: say what every product of an index is by a label set, from stored vectors."""

from __future__ import annotations

import json
import logging
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from embedding import Encoder, load_encoder
from index import IndexSettings, IndexStore, build_settings, open_store
from ingest.commands.from_vectors import stored_prompts, the_one
from ingest.commands.parser import command_parser
from ingest.progress import counted
from ingest.report_page.disagreements import write_disagreements
from labels import label_index

log = logging.getLogger("ingest")

_LISTED = 1_000
"""Disagreements in the last line of stdout; all of them are in the report's JSON."""
_EPILOG = """\
Labels go beside what the catalog says, never over it: a product has `predicted.NAME`, which can be filtered
by and counted, and `predicted.NAME.confidence`. What a version of the label set has said already stays, so a
job that was stopped goes on where it was; another version does it all again, and labels of a set that was
deleted go.

With labels of a field of the catalog, products whose own value is another are listed, the surest first:
by --field, or the field of the label set's name, or category.

Progress goes to stderr; the last line of stdout is one JSON object.
"""


def main(arguments: Sequence[str], encoder_of: Callable[[str], Encoder] = load_encoder) -> int:
    parser = command_parser("label", "Label every product of an index, from stored vectors.", _EPILOG)
    parser.add_argument("--label-set", metavar="NAME", help="The label set; left out, the only one that there is.")
    parser.add_argument("--field", metavar="FIELD", help="What of the catalog the labels are compared with.")
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="A page of what disagrees; and FILE.json.")
    parser.add_argument("--wait", type=float, metavar="SECONDS", help="Wait so long for another job.")
    given = parser.parse_args(arguments)
    settings = build_settings(IndexSettings, parser, given)
    _check(parser, given)
    done = _label(open_store(settings), settings, given, encoder_of)
    print(json.dumps(done, ensure_ascii=False))
    return 0


def _check(parser: ArgumentParser, given: Namespace) -> None:
    report: Path | None = given.report
    if report and (report.suffix.lower() not in (".html", ".htm") or not report.parent.is_dir()):
        parser.error(f"--report {report}: name an .html file in a folder that is there")


def _label(
    store: IndexStore, settings: IndexSettings, given: Namespace, encoder_of: Callable[[str], Encoder]
) -> dict[str, Any]:
    started = time.perf_counter()
    name = given.label_set or the_one(store, "label-sets", "--label-set", "`documents put label-sets` writes one")

    prompts = partial(stored_prompts, store, "label", encoder_of)
    with counted("label") as progress:
        done = label_index(store, name, prompts, given.field, given.wait, progress)
    for notice in done.labelled.notices:
        log.warning("%s", notice)
    report: dict[str, Any] = {
        "label_set": name,
        "version": done.version,
        "calibration": done.labelled.known,
        "products": sum(done.labelled.counts.values()),
        "labels": dict(done.labelled.counts.most_common()),
        "changed": done.labelled.changed,
        "generation": done.generation,
    }
    if (found := done.comparison) is not None:
        report["disagreements"] = {"field": found.field, "compared": found.compared, "count": len(found.disputed)}
        if given.report:
            with closing(store.open()) as serving:
                write_disagreements(given.report, settings.data_dir, serving, name, found)
            report["disagreements"]["report"] = str(given.report)
        report["disagreements"]["products"] = [one.model_dump() for one in found.disputed[:_LISTED]]
    return report | {"seconds": round(time.perf_counter() - started, 2)}
