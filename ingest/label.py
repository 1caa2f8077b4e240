"""``python -m ingest label``: say what every product of an index is by a label set, from stored vectors."""

from __future__ import annotations

import json
import logging
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from tqdm import tqdm

from embedding import Encoder, Vectors, load_encoder
from index import (
    PREDICTED,
    CatalogIndex,
    IndexBuild,
    IndexSettings,
    IndexStore,
    build_settings,
    open_store,
    product_vectors,
)
from ingest.commands.from_vectors import ended, stored_with, the_one
from ingest.commands.parser import command_parser
from ingest.report_page.disagreements import Shown, write_disagreements
from labels import (
    Disagreement,
    Labeller,
    PromptEncoder,
    Tagger,
    disagreements,
    label_calibration,
    label_names,
    predicted_fields,
    predictions,
    sets_of,
    with_predictions,
)
from schemas import (
    MAX_FIELDS,
    ConfigurationError,
    Document,
    IndexRecord,
    Known,
    LabelSet,
    Missing,
    Not,
    StoreLensError,
    find_field,
    fold,
    known,
)

log = logging.getLogger("ingest")

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
    try:
        done = _label(open_store(settings), settings, given, encoder_of)
    except StoreLensError as error:
        print(f"{parser.prog}: {error.message}", file=sys.stderr)
        return 1
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
            _refuse_taken(serving, document.name)
        build = store.begin(with_label_sets(record, [document.name]))
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


def with_label_sets(record: IndexRecord, names: Sequence[str]) -> IndexRecord:
    """The record of an index that has the fields of these label sets as well.

    Raises ConfigurationError where they are too many.
    """
    fields = dict(record.fields)
    for name in names:
        fields |= predicted_fields(name)
    if len(fields) > MAX_FIELDS and len(fields) > len(record.fields):
        raise ConfigurationError(f"an index has {MAX_FIELDS} fields at most, and no room for those of a label set")
    return record.model_copy(update={"fields": fields, "updated": datetime.now(UTC)})


def _refuse_taken(index: CatalogIndex, name: str) -> None:
    """Raises ConfigurationError where the catalog itself has a field of the name."""
    for taken in predicted_fields(name):
        if taken in index.record.fields and (points := index.scan(Not(Missing(taken)), 1)):
            (payload,) = index.payloads(points, [PREDICTED]).values()
            if name not in payload.get(PREDICTED, {}):
                raise ConfigurationError(f"the catalog has a field {taken!r} of its own; name the label set otherwise")


@dataclass(slots=True)
class Labelled:
    """How many products have each label of the first set, how many products were written, and where the numbers are
    from that the labels were given by."""

    counts: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    known: Known = "uncalibrated"


def label_products(build: IndexBuild, store: IndexStore, documents: Sequence[Document], encoder: Encoder) -> Labelled:
    """Label all products of a build by label sets, where another version, or none, has said what they are.

    Labels of sets that are not there any more are taken away.
    """
    index = build.index
    kept = {one.name for one in store.documents.names("label-sets")} | {one.name for one in documents}
    labeller = Labeller(index, PromptEncoder(encoder))
    taggers = [_tagger(store, document, labeller) for document in documents]
    done = Labelled(known=taggers[0].known)
    after = None
    with tqdm(total=index.count(), unit="product", desc="label", disable=None) as progress:
        while points := index.scan(None, _BATCH, after):
            stored = index.payloads(points, [PREDICTED])
            said: dict[UUID, dict[str, Any]] = {point: one.get(PREDICTED, {}) for point, one in stored.items()}
            due = [point for point, one in said.items() if _is_due(one, documents) or not one.keys() <= kept]
            if due:
                _write(build, due, said, taggers, kept)
                done.changed += len(due)
            first = documents[0].name
            done.counts.update(one[first]["label"] for one in said.values() if first in one)
            progress.update(len(points))
            after = points[-1]
    return done


def anything_unlabelled(index: CatalogIndex, documents: Sequence[Document]) -> bool:
    """Whether a product has not been labelled by these versions of label sets."""
    after = None
    while documents and (points := index.scan(None, _BATCH, after)):
        if any(_is_due(one.get(PREDICTED, {}), documents) for one in index.payloads(points, [PREDICTED]).values()):
            return True
        after = points[-1]
    return False


def _is_due(said: dict[str, Any], documents: Sequence[Document]) -> bool:
    return any(said.get(one.name, {}).get("version") != one.version for one in documents)


def _tagger(store: IndexStore, document: Document, labeller: Labeller) -> Tagger:
    assert isinstance(document.body, LabelSet)
    spec = labeller.index.record.embedding
    calibration, notices = label_calibration(store.documents, document.name, document.version, spec)
    tagger = Tagger(document.name, document.version, document.body, labeller, calibration)
    for notice in [*notices, *tagger.notices]:
        log.warning("%s", notice)
    return tagger


def _write(
    build: IndexBuild,
    due: Sequence[UUID],
    before: dict[UUID, dict[str, Any]],
    taggers: Sequence[Tagger],
    kept: set[str],
) -> None:
    """Label some products and write that; ``before`` says afterwards what they have."""
    index = build.index
    vectors = product_vectors(index, due)
    fields = index.payloads(due, ["fields"])
    said: dict[str, dict[UUID, Any]] = {
        tagger.name: dict(zip(vectors, tagger.predict(list(vectors.values())), strict=True)) for tagger in taggers
    }
    writes: dict[UUID, dict[str, Any]] = {}
    for point in due:
        now = {name: one for name, one in before[point].items() if name in kept and name not in said}
        now |= {name: one[point] for name, one in said.items() if one.get(point) is not None}
        gone = {name: {"label": "unknown", "probability": None} for name in before[point] if name not in now}
        had = with_predictions(fields.get(point, {}).get("fields", {}), gone | now)
        writes[point] = {
            PREDICTED: now,
            "fields": {name: value for name, value in had.items() if value is not None},
        }
        before[point] = now
    build.annotate(writes)


def _compared(index: CatalogIndex, document: Document, asked: str | None) -> tuple[str, int, list[Shown]] | None:
    """The field that labels are compared with, how many products have one of them, and which of these disagree; None
    where nothing of the catalog is like the labels."""
    assert isinstance(document.body, LabelSet)
    fields = {name: kind for name, kind in index.record.fields.items() if kind == "keyword"}
    if asked is not None and find_field(asked, fields) is None:
        raise ConfigurationError(f"--field: there is no text field {asked!r}; {known(fields)}")
    column = find_field(asked or document.name, fields) or find_field("category", fields)
    if column is None:
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
        of_labels = {point: names[key] for point in values if (key := _key(values[point].get(column))) in names}
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


def _shown(one: Disagreement, point: UUID, payloads: dict[UUID, dict[str, Any]], probability: float) -> Shown:
    payload = payloads[point]
    title = payload.get("product", {}).get("title")
    return Shown(payload["id"], title, one.given, one.predicted, probability, one.looks_like, max(one.surer, -1e6))


def _key(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    return fold(value) if isinstance(value, str) else None


def label_sets_due(store: IndexStore, record: IndexRecord | None, asked: str | None) -> list[Document]:
    """Label sets that a job keeps up with: the one that it is told, and those that the index has, if they are there.

    Raises DocumentNotFound for the one that it is told.
    """
    documents = [store.documents.read("label-sets", asked)] if asked else []
    there = {one.name for one in store.documents.names("label-sets")}
    for name in sets_of(record.fields) if record else ():
        if name in there and name != asked:
            try:
                documents.append(store.documents.read("label-sets", name))
            except StoreLensError as error:
                log.warning("products are not labelled by %s: %s", name, error.message)
    return documents
