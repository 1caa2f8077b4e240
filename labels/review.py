"""What people decide of products: which wait for them, and their decisions, which outlive every judgement by rules."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from catalog import points_of
from index import DECISION, CatalogIndex, IndexStore
from labels.decisions import appealed, of_policies
from schemas import Action, Appealed, Decided, IndexMissing, InvalidCursor, ProductNotFound

LOG = "appeals.jsonl"
"""In a collection's folder of the data directory: a decision of a person a line."""

_BATCH = 1_000


def hidden_actions(*, reviewer: bool) -> tuple[Action, ...]:
    """Decisions whose products are not to be shown: what is blocked to nobody, what waits to those who may review."""
    return ("block",) if reviewer else ("block", "review")


def is_hidden(payload: Mapping[str, Any], hidden: Collection[Action]) -> bool:
    """Whether one of these actions is decided of the product with this payload."""
    return payload.get(DECISION, {}).get("action") in hidden


def decisions(index: CatalogIndex, actions: Sequence[Action]) -> dict[UUID, dict[str, Any]]:
    """What was decided of all products of which it is one of these, as their payloads keep it."""
    found: dict[UUID, dict[str, Any]] = {}
    after = None
    while points := index.scan(Decided(tuple(actions)), _BATCH, after):
        payloads = index.payloads(points, [DECISION])
        found |= {point: payload[DECISION] for point, payload in payloads.items() if DECISION in payload}
        after = points[-1]
    return found


def queue(
    index: CatalogIndex, action: Action, policy: str | None, limit: int, cursor: str | None
) -> tuple[list[tuple[UUID, dict[str, Any]]], int, str | None]:
    """Products of which an action is decided, by their points, the surest first; how many there are in all; and what
    the next page is asked with, which stays right when some are decided meanwhile.

    Args:
        policy: By this one alone.

    Raises:
        InvalidCursor: it is not of an answer before.
    """
    after = _place(cursor) if cursor else None
    found = {
        point: decision
        for point, decision in decisions(index, [action]).items()
        if policy is None or any(one["policy"] == policy for one in of_policies(decision))
    }
    order = sorted((-_excess(decision), str(point)) for point, decision in found.items())
    following = [place for place in order if after is None or place > after]
    shown = following[:limit]
    further = f"{shown[-1][0]!r}~{shown[-1][1]}" if len(following) > len(shown) else None
    return [(UUID(point), found[UUID(point)]) for _, point in shown], len(found), further


def _excess(decision: Mapping[str, Any]) -> float:
    """By how much the surest rule fired; -1 where none did, and a person decided."""
    return max((rule["score"] - (rule["threshold"] or 0.0) for rule in decision.get("rules", ())), default=-1.0)


def _place(cursor: str) -> tuple[float, str]:
    excess, _, point = cursor.partition("~")
    try:
        place = float(excess), str(UUID(point))
    except ValueError as error:
        raise InvalidCursor("the cursor is not one of this server's", field="cursor") from error
    if not math.isfinite(place[0]):
        raise InvalidCursor("the cursor is not one of this server's", field="cursor")
    return place


def appeal(
    store: IndexStore, folder: Path, asked: Sequence[Appealed], by: str, wait: float | None = None
) -> tuple[list[dict[str, Any]], str]:
    """Decide about products as a person, or take back what a person decided; all of it or none, and log it.

    Args:
        folder: Of the collection, for the log.
        wait: Seconds to wait for a job that holds the index.

    Returns:
        The lines of the log, and the generation that has them.

    Raises:
        IndexMissing, IndexLocked: there is none, or a job writes into it.
        ProductNotFound: one of the products is not there.
    """
    with store.lock(wait):
        now = datetime.now(UTC)
        record = (served := store.record()) and served.model_copy(update={"updated": now})
        # Before anything is begun: what a job that died has made is not given up for a mistyped id.
        if record is None or (latest := store.latest(record)) is None:
            raise IndexMissing("there is nothing to decide about: ingest a catalog first")
        places = [points_of(one.id) for one in asked]
        found = latest.index.payloads([point for some in places for point in some], ["id", DECISION])
        writes: dict[UUID, dict[str, Any] | None] = {}
        entries = []
        for at, (one, some) in enumerate(zip(asked, places, strict=True)):
            point = next((point for point in some if point in found), None)
            if point is None:
                raise ProductNotFound(f"there is no product {one.id!r}", field=f"appeals.{at}.id")
            known = found[point].get(DECISION)
            writes[point] = appealed(known, one.action, by, one.note, now)
            said = {"action": one.action, "by": by, "at": now.isoformat(), "note": one.note}
            entry = {"id": found[point]["id"], **said, "before": (known or {}).get("action", "allow")}
            entries.append({name: value for name, value in entry.items() if value is not None})
        build = store.begin(record)
        build.decide(writes)
        generation = build.commit()
        _log(folder, entries)
    return entries, generation


def _log(folder: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """A line is written whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in entries)
    with (folder / LOG).open("ab") as file:
        file.write(lines.encode())
        file.flush()
        os.fsync(file.fileno())
