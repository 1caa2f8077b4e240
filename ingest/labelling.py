"""What a job and the commands say of products by label sets and policies, from stored vectors."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from tqdm import tqdm

from embedding import Encoder
from images.arrays import Vectors
from index import PREDICTED, CatalogIndex, DenseName, IndexBuild, IndexStore, product_vectors
from ingest.writer import Decision, Gate
from labels import (
    Judge,
    Labeller,
    PromptEncoder,
    Tagger,
    label_calibration,
    policy_judge,
    sets_of,
    with_decision,
    with_predictions,
)
from schemas import Document, IndexRecord, Known, LabelSet, StoreLensError

log = logging.getLogger("ingest")

_BATCH = 1_000


def label_sets_due(store: IndexStore, record: IndexRecord | None, asked: str | None) -> list[Document]:
    """Label sets that a job keeps up with: the one that it is told, and those that the index has, if they are there.

    Raises DocumentNotFound for the one that it is told.
    """
    documents = [store.documents.read("label-sets", asked)] if asked else []
    there = {one.name for one in store.documents.names("label-sets")}
    for name in sorted(sets_of(record.fields)) if record else ():
        if name in there and name != asked:
            try:
                documents.append(store.documents.read("label-sets", name))
            except StoreLensError as error:
                log.warning("products are not labelled by %s: %s", name, error.message)
    return documents


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


def policy_gate(
    store: IndexStore, document: Document, index: Callable[[], CatalogIndex], encoder: Callable[[], Encoder]
) -> Gate:
    """What decides of products before they are written; made when there are any, as that takes the model."""

    @cache
    def judge() -> Judge:
        made, notices = policy_judge(store, document, index(), PromptEncoder(encoder()))
        for notice in notices:
            log.warning("%s", notice)
        return made

    policies = {one.name for one in store.documents.names("policies")}

    def gate(products: Sequence[Mapping[DenseName, Vectors]], before: Sequence[Decision]) -> list[Decision]:
        made = judge().decide(products)
        return [with_decision(document.name, one, known, policies) for one, known in zip(made, before, strict=True)]

    return gate
