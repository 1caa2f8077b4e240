"""What a job and the commands say of products by label sets and policies, from stored vectors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from embedding import Encoder
from images.arrays import Vectors
from index import CatalogIndex, DenseName, IndexBuild, IndexStore
from ingest.progress import counted
from ingest.writer import Decision, Gate
from labels import Judge, PromptEncoder, label_products, policy_judge, sets_of, with_decision
from schemas import Document, IndexRecord, StoreLensError

log = logging.getLogger("ingest")


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


def labelled(build: IndexBuild, store: IndexStore, documents: Sequence[Document], encoder: Encoder) -> int:
    """How many products of a build were labelled by label sets, with progress."""
    with counted("label") as progress:
        done = label_products(build, store, documents, PromptEncoder(encoder), progress)
    for notice in done.notices:
        log.warning("%s", notice)
    return done.changed


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
