"""A whole index held to a policy by its stored vectors: no image is read or embedded again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

from images import ImageLimits, decode_for_model
from index import CatalogIndex, IndexBuild, IndexStore, product_vectors
from labels.calibrated import policy_calibration, with_thresholds
from labels.decisions import Judge, with_decision
from labels.labeller import Labeller
from labels.prompts import PromptEncoder
from labels.review import decisions
from schemas import Action, Document, IndexMissing, Policy

_BATCH = 1_000
_ACTIONS: tuple[Action, ...] = get_args(Action)

Progress = Callable[[int, int], object]
"""Told of how many products of how many have been judged."""


@dataclass(frozen=True, slots=True)
class IndexJudged:
    """What all policies together decide now: how many products by ``counts``, of which people decided ``appeals``.

    Where any ``changed``, ``generation`` is a new one.
    """

    version: int
    counts: dict[str, int]
    appeals: int
    changed: int
    generation: str | None
    notices: list[str]


def judge_index(
    store: IndexStore,
    policy: str,
    prompts_of: Callable[[], PromptEncoder],
    wait: float | None = None,
    progress: Progress = lambda done, products: None,
) -> IndexJudged:
    """Hold every product to a policy, and write what is decided otherwise than before.

    Args:
        prompts_of: Gives the encoder of the index's model; asked once the index is held.
        wait: Seconds to wait for a job that holds the index.

    Raises:
        DocumentNotFound, IndexMissing, IndexLocked: there is no such policy, no index, or a job writes into it.
    """
    document = store.documents.read("policies", policy)
    with store.lock(wait):
        if (record := store.record()) is None:
            raise IndexMissing("there is nothing to judge: ingest a catalog first")
        prompts = prompts_of()
        build = store.begin(record.model_copy(update={"updated": datetime.now(UTC)}))
        try:
            judge, notices = policy_judge(store, document, build.index, prompts)
            counts, appeals, changed = _judge(store, build, judge, progress)
        except BaseException:
            build.discard()
            raise
        generation = ended(store, build, changed)
    return IndexJudged(document.version, counts, appeals, changed, generation, notices)


def ended(store: IndexStore, build: IndexBuild, changed: int) -> str | None:
    """The generation that serves, which is a new one only where something changed."""
    if changed:
        return build.commit()
    build.discard()
    return store.version()


def _judge(store: IndexStore, build: IndexBuild, judge: Judge, progress: Progress) -> tuple[dict[str, int], int, int]:
    index = build.index
    before = decisions(index, _ACTIONS)
    policies = {one.name for one in store.documents.names("policies")}
    counts: dict[str, int] = dict.fromkeys(_ACTIONS, 0)
    products, appeals, changed, after = index.count(), 0, 0, None
    while points := index.scan(None, _BATCH, after):
        vectors = product_vectors(index, points)
        writes: dict[UUID, dict[str, Any] | None] = {}
        for point, made in zip(vectors, judge.decide(list(vectors.values())), strict=True):
            known = before.get(point)
            decided = with_decision(judge.policy, made, known, policies)
            counts[decided["action"] if decided else "allow"] += 1
            appeals += decided is not None and "appeal" in decided
            if decided != known:
                writes[point] = decided
        if writes:
            build.decide(writes)
        changed += len(writes)
        progress(sum(counts.values()), products)
        after = points[-1]
    return counts, appeals, changed


def policy_judge(
    store: IndexStore, document: Document, index: CatalogIndex, prompts: PromptEncoder
) -> tuple[Judge, list[str]]:
    """A policy ready to hold products of an index to, and what is to be said of its numbers; encodes its prompts, and
    exemplar images that are no product's."""
    assert isinstance(document.body, Policy)
    policy, name = document.body, document.name
    labeller = Labeller(index, prompts)
    calibration, notices = policy_calibration(store.documents, name, document.version, index.record.embedding)
    if calibration:
        policy = with_thresholds(policy, calibration)
    limits = ImageLimits()
    moderator = labeller.moderator(policy, lambda data, prepare: decode_for_model(data, limits, prepare))
    if calibration:
        notices += labeller.policy_drift(moderator, calibration)
    if moderator.missing:
        notices.append(f"{moderator.missing} exemplar images of policy {name} are not there any more")
    return Judge(name, document.version, moderator, labeller.backgrounds), notices
