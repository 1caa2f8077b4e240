"""What a whole index is by label sets, from its stored vectors: no image is read or embedded again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from index import PREDICTED, CatalogIndex, IndexBuild, IndexStore, product_vectors
from labels.calibrated import label_calibration
from labels.disagreements import disputed_products
from labels.judging import Progress, ended
from labels.labeller import Labeller
from labels.prompts import PromptEncoder
from labels.tags import Tagger, field_of_labels, predicted_fields, with_label_sets, with_predictions
from schemas import ConfigurationError, DisputedProduct, Document, IndexMissing, Known, LabelSet, Missing, Not

_BATCH = 1_000


@dataclass(slots=True)
class Labelled:
    """How many products have each label of the first set, how many products were written, where the numbers are from
    that the labels were given by, and what is to be said of these."""

    counts: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    known: Known = "uncalibrated"
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What labels say beside what the catalog says in a ``field``: of so many products that are ``compared``, those
    that disagree, the surest first."""

    field: str
    compared: int
    disputed: list[DisputedProduct]


@dataclass(frozen=True, slots=True)
class IndexLabelled:
    """``comparison`` is None where nothing of the catalog is like the labels. Where any product was written,
    ``generation`` is a new one."""

    version: int
    labelled: Labelled
    comparison: Comparison | None
    generation: str | None


def label_index(
    store: IndexStore,
    label_set: str,
    prompts_of: Callable[[], PromptEncoder],
    column: str | None = None,
    wait: float | None = None,
    progress: Progress = lambda done, products: None,
) -> IndexLabelled:
    """Say what every product is by a label set, beside what the catalog says and never over it.

    Args:
        prompts_of: Gives the encoder of the index's model; asked once the index is held.
        column: The field of the catalog that labels are compared with; None is the one of the label set's name, or
            category.
        wait: Seconds to wait for a job that holds the index.

    Raises:
        DocumentNotFound, IndexMissing, IndexLocked: there is no such label set, no index, or a job writes into it.
        ConfigurationError: the catalog has a field of the label set's name, or no field to compare with as is asked.
    """
    document = store.documents.read("label-sets", label_set)
    assert isinstance(document.body, LabelSet)
    with store.lock(wait):
        if (record := store.record()) is None:
            raise IndexMissing("there is nothing to label: ingest a catalog first")
        own = field_of_labels(record.fields, label_set, column)
        prompts = prompts_of()
        with closing(store.open()) as serving:
            if taken := _field_of_catalog(serving, label_set):
                raise ConfigurationError(f"the catalog has a field {taken!r} of its own; name the label set otherwise")
        build = store.begin(
            with_label_sets(record, [label_set])
        )  # which the next job goes on with, where this one dies
        labelled = label_products(build, store, [document], prompts, progress)
        compared, disputed = disputed_products(build.index, label_set, document.body, own) if own else (0, [])
        generation = ended(store, build, labelled.changed)
    comparison = Comparison(own, compared, disputed) if own and compared else None
    return IndexLabelled(document.version, labelled, comparison, generation)


def label_products(
    build: IndexBuild,
    store: IndexStore,
    documents: Sequence[Document],
    prompts: PromptEncoder,
    progress: Progress = lambda done, products: None,
) -> Labelled:
    """Label all products of a build by label sets, where another version, or none, has said what they are.

    Labels of sets that are not there any more are taken away.
    """
    index = build.index
    kept = {one.name for one in store.documents.names("label-sets")} | {one.name for one in documents}
    labeller = Labeller(index, prompts)
    done = Labelled()
    taggers = [_tagger(store, document, labeller, done.notices) for document in documents]
    done.known = taggers[0].known
    first, products, seen, after = documents[0].name, index.count(), 0, None
    while points := index.scan(None, _BATCH, after):
        stored = index.payloads(points, [PREDICTED])
        said: dict[UUID, dict[str, Any]] = {point: one.get(PREDICTED, {}) for point, one in stored.items()}
        due = [point for point, one in said.items() if _is_due(one, documents) or not one.keys() <= kept]
        if due:
            _write(build, due, said, taggers, kept)
            done.changed += len(due)
        done.counts.update(one[first]["label"] for one in said.values() if first in one)
        seen += len(points)
        progress(seen, products)
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


def _field_of_catalog(index: CatalogIndex, name: str) -> str | None:
    """A field that the catalog itself has under a name that a label set's has."""
    for field_name in predicted_fields(name):
        if field_name in index.record.fields and (points := index.scan(Not(Missing(field_name)), 1)):
            (payload,) = index.payloads(points, [PREDICTED]).values()
            if name not in payload.get(PREDICTED, {}):
                return field_name
    return None


def _tagger(store: IndexStore, document: Document, labeller: Labeller, said: list[str]) -> Tagger:
    assert isinstance(document.body, LabelSet)
    spec = labeller.index.record.embedding
    calibration, notices = label_calibration(store.documents, document.name, document.version, spec)
    tagger = Tagger(document.name, document.version, document.body, labeller, calibration)
    said += [*notices, *tagger.notices]
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
