"""``python -m ingest label``: say what every product of an index is by a label set, from stored vectors."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from embedding import Encoder, Vectors, load_encoder
from index import PREDICTED, CatalogIndex, IndexSettings, IndexStore, build_settings, open_store
from ingest.commands.from_vectors import stored_with, the_one
from ingest.commands.parser import command_parser
from ingest.labelling import label_products
from ingest.record import with_label_sets
from ingest.report_page.disagreements import Disputed, write_disagreements
from labels import (
    Disagreement,
    disagreements,
    ended,
    field_of_labels,
    label_names,
    only_value,
    predicted_fields,
    predictions,
)
from schemas import ConfigurationError, Document, LabelSet, Missing, Not, fold

_BATCH = 1_000
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
    document = store.documents.read("label-sets", name)
    with store.lock(given.wait):
        record, encoder = stored_with(store, "label", encoder_of)
        with closing(store.open()) as serving:
            if taken := _field_of_catalog(serving, name):
                raise ConfigurationError(f"the catalog has a field {taken!r} of its own; name the label set otherwise")
        build = store.begin(with_label_sets(record, [name]))
        labelled = label_products(build, store, [document], encoder)
        found = _compared(build.index, document, given.field)
        generation = ended(store, build, labelled.changed)
    report: dict[str, Any] = {
        "label_set": document.name,
        "version": document.version,
        "calibration": labelled.known,
        "products": sum(labelled.counts.values()),
        "labels": dict(labelled.counts.most_common()),
        "changed": labelled.changed,
        "generation": generation,
    }
    if found is not None:
        name, compared, shown = found
        report["disagreements"] = {"field": name, "compared": compared, "count": len(shown)}
        if given.report:
            with closing(store.open()) as serving:
                write_disagreements(given.report, settings.data_dir, serving, document.name, name, compared, shown)
            report["disagreements"]["report"] = str(given.report)
        report["disagreements"]["products"] = [one.to_json() for one in shown[:_LISTED]]
    return report | {"seconds": round(time.perf_counter() - started, 2)}


def _field_of_catalog(index: CatalogIndex, name: str) -> str | None:
    """A field that the catalog itself has under a name that a label set's has."""
    for field in predicted_fields(name):
        if field in index.record.fields and (points := index.scan(Not(Missing(field)), 1)):
            (payload,) = index.payloads(points, [PREDICTED]).values()
            if name not in payload.get(PREDICTED, {}):
                return field
    return None


def _compared(index: CatalogIndex, document: Document, asked: str | None) -> tuple[str, int, list[Disputed]] | None:
    """The field that labels are compared with, how many products have one of them, and which of these disagree; None
    where nothing of the catalog is like the labels."""
    assert isinstance(document.body, LabelSet)
    if (column := field_of_labels(index.record.fields, document.name, asked)) is None:
        return None
    names = label_names(document.body)
    rows: list[Vectors] = []
    ids: list[UUID] = []
    given: list[str] = []
    predicted: list[str] = []
    sureness: list[float] = []
    after = None
    while points := index.scan(None, _BATCH, after):
        values = index.values(points, [column])
        said = predictions(index, points, document.name)
        own = {point: label for point in values if (label := only_value(values[point].get(column))) is not None}
        of_labels = {point: names[key] for point, label in own.items() if (key := fold(label)) in names}
        wanted = [point for point in of_labels if point in said and said[point]["by"] == "image"]
        for point, vectors in index.vectors(wanted, ("image",)).items():
            images = vectors.get("image")
            if images is not None and len(images):
                rows.append(images[0].copy())
                ids.append(point)
                given.append(of_labels[point])
                predicted.append(said[point]["nearest"])
                sureness.append(said[point]["probability"])
        after = points[-1]
    if not rows:
        return None
    found = disagreements(np.stack(rows), given, predicted)
    payloads = index.payloads([ids[one.at] for one in found], ["id", "product.title"])
    return column, len(rows), [_shown(one, ids[one.at], payloads, sureness[one.at]) for one in found]


def _shown(one: Disagreement, point: UUID, payloads: dict[UUID, dict[str, Any]], probability: float) -> Disputed:
    payload = payloads[point]
    title = payload.get("product", {}).get("title")
    return Disputed(payload["id"], title, one.given, one.predicted, probability, one.looks_like, max(one.surer, -1e6))
