"""What a policy decides of products, as their payloads keep it: what is not allowed, and what people decided.

A product without a decision is allowed, so that most products cost nothing. What a person decided outlives whatever
rules say later.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import numpy as np

from images.arrays import Floats, Vectors
from index import DenseName
from labels.background import Kind, LabelBackground
from labels.policies import STRICTNESS, Line, Moderator, judge
from schemas import Action, Policy

STARTER = Path(__file__).with_name("data") / "retail.json"

Stored = dict[str, Any]
"""``action``, ``policy``, ``version``, ``by``, and ``rules`` that fired, of the strictest policy; ``others``, the same
of other policies; ``appeal`` where a person decided, and then ``judged``, what the rules would do."""


class Judge:
    """A version of a policy, to hold many products to."""

    def __init__(self, policy: str, version: int, moderator: Moderator, usual: dict[Kind, LabelBackground]) -> None:
        self.policy = policy
        self.version = version
        self._moderator = moderator
        kinds: tuple[Kind, ...] = ("image", "text")
        self._lines: dict[Kind, list[Line]] = {kind: moderator.lines(kind, usual) for kind in kinds}
        self._thresholds: dict[Kind, Floats] = {
            kind: np.array([np.inf if line.threshold is None else line.threshold for line in lines], np.float32)
            for kind, lines in self._lines.items()
        }

    def decide(self, products: Sequence[Mapping[DenseName, Vectors]]) -> list[Stored | None]:
        """What is decided of each product, by all its images; of one without any by its title, or else its text.

        Args:
            products: Their vectors: ``image`` is ``(n, dim)``, ``title`` and ``text`` are ``(dim,)``, float32.
        """
        decided: list[Stored | None] = [None] * len(products)
        kinds: tuple[Kind, ...] = ("image", "text")
        for kind in kinds:
            rows = [(at, found) for at, vectors in enumerate(products) if (found := _rows(vectors, kind)) is not None]
            if not rows:
                continue
            starts = np.cumsum([0, *(len(found) for _, found in rows)])[:-1]
            scores = self._moderator.scores(np.concatenate([found for _, found in rows]), kind)
            most: Floats = np.maximum.reduceat(scores, starts, axis=0)
            with np.errstate(invalid="ignore"):  # what a rule cannot judge is not a number, and fires nothing
                fires = (most >= self._thresholds[kind]).any(axis=1)
            for row in np.flatnonzero(fires):
                decided[rows[row][0]] = self._stored(most[row], kind)
        return decided

    def _stored(self, scores: Floats, kind: Kind) -> Stored | None:
        action, said = judge(scores, self._moderator.rules, self._lines[kind])
        if action == "allow":
            return None
        rules = [rule.model_dump(exclude={"fired"}) for rule in said if rule.fired]
        return {"action": action, "policy": self.policy, "version": self.version, "by": kind, "rules": rules}


def _rows(vectors: Mapping[DenseName, Vectors], kind: Kind) -> Vectors | None:
    images = vectors.get("image")
    by_image = images is not None and len(images) > 0
    if kind == "image":
        return images if by_image else None
    if by_image:
        return None
    text = vectors.get("title", vectors.get("text"))
    return None if text is None else text[None]


def with_decision(policy: str, made: Stored | None, before: Stored | None, kept: Collection[str]) -> Stored | None:
    """What is decided of a product once a policy has judged it anew: the strictest of what all policies decide, and
    before that what a person decided.

    Args:
        made: What the policy decides; None where it allows.
        before: What was decided until now.
        kept: Policies that there are; what others decided does not count any more.
    """
    others = [one for one in of_policies(before) if one["policy"] != policy and one["policy"] in kept]
    stored = _together([made, *others] if made else others)
    appeal = (before or {}).get("appeal")
    return stored if appeal is None else _appealed(stored, appeal)


def of_policies(decision: Stored | None) -> list[Stored]:
    """What each policy decides of a product, whatever a person did; the strictest first."""
    if not decision or "policy" not in decision:
        return []
    own = {name: value for name, value in decision.items() if name not in ("appeal", "judged", "others")}
    return [{**own, "action": decision.get("judged", decision["action"])}, *decision.get("others", ())]


def _together(of_policies: Sequence[Stored]) -> Stored | None:
    """The strictest of some decisions with the others beside it; None where there is none."""
    if not of_policies:
        return None
    strictest, *others = sorted(of_policies, key=_strictness)
    return {**strictest, "others": others} if others else strictest


def _strictness(decision: Stored) -> tuple[int, str]:
    return -STRICTNESS[decision["action"]], decision["policy"]


def appealed(before: Stored | None, action: Action | None, by: str, note: str | None, at: datetime) -> Stored | None:
    """The decision once a person has decided; or, without an action, has taken back what was decided before."""
    made = _together(of_policies(before))
    if action is None:
        return made
    return _appealed(made, {"action": action, "by": by, "at": at.isoformat(), **({"note": note} if note else {})})


def _appealed(made: Stored | None, appeal: Mapping[str, Any]) -> Stored:
    judged = made["action"] if made else "allow"
    return {**(made or {}), "action": appeal["action"], "judged": judged, "appeal": dict(appeal)}


def starter_policy() -> dict[str, Any]:
    """A policy for shops, to begin with: none of its rules is calibrated, so all of them ask for a look."""
    content = cast(dict[str, Any], json.loads(STARTER.read_text(encoding="utf-8")))
    Policy.model_validate(content)
    return content
