"""Translates filters from qdrant-client's models into Qdrant Edge's own classes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import qdrant_edge as edge
from qdrant_client import models


def to_edge(filter: models.Filter) -> edge.Filter:
    """The same filter; only what ``index.filters`` makes is known."""
    return edge.Filter(
        must=_conditions(filter.must), should=_conditions(filter.should), must_not=_conditions(filter.must_not)
    )


def _conditions(conditions: models.Condition | list[models.Condition] | None) -> list[edge.ConditionType] | None:
    return [_condition(part) for part in conditions] if isinstance(conditions, list) else None


def _condition(part: models.Condition) -> edge.ConditionType:
    match part:
        case models.Filter():
            return to_edge(part)
        case models.IsEmptyCondition():
            return edge.IsEmptyCondition(part.is_empty.key)
        case models.HasIdCondition(has_id=ids):
            return edge.HasIdCondition({UUID(str(id)) for id in ids})
        case models.FieldCondition(range=models.Range() as bounds):
            span = edge.RangeFloat(gt=bounds.gt, gte=bounds.gte, lt=bounds.lt, lte=bounds.lte)
            return edge.FieldCondition(key=part.key, range=span)
        case models.FieldCondition(match=models.MatchAny(any=values)):
            return edge.FieldCondition(key=part.key, match=edge.MatchAny([str(value) for value in values]))
        case models.FieldCondition(match=models.MatchValue(value=bool() as value)):
            # A Python bool would become the number 1, which matches no bool.
            exact: Any = np.bool_(value)
            return edge.FieldCondition(key=part.key, match=edge.MatchValue(exact))
        case models.FieldCondition(match=models.MatchValue(value=value)):
            return edge.FieldCondition(key=part.key, match=edge.MatchValue(value))
    raise TypeError(f"no translation for Qdrant Edge: {part!r}")
