"""Translates a request's filter into qdrant-client's models, for both engines.

Importing qdrant-client takes half a second, so modules that may not need it import this one inside a function.
"""

from __future__ import annotations

from qdrant_client import models

from index.paths import ACTION, CODE_PARTS, CODES, SUBJECT_TERMS, TERMS, TITLE_KEY, field_path
from index.protocols import Names
from schemas import All, AnyOf, Decided, Filter, First, HasId, HasWord, Match, Missing, Not, Range, Scalar


def to_qdrant(filter: Filter) -> models.Filter:
    """The same filter for Qdrant; lists match when one of their values does."""
    if isinstance(filter, All):
        return models.Filter(must=[_condition(part) for part in filter.parts])
    if isinstance(filter, AnyOf):
        return models.Filter(should=[_condition(part) for part in filter.parts])
    if isinstance(filter, Not):
        return models.Filter(must_not=[_condition(filter.part)])
    return models.Filter(must=[_condition(filter)])


def to_qdrant_named(names: Names, filter: models.Filter | None) -> models.Filter | None:
    """What passes the filter and has any of the names; None where there are none."""
    asked = {field_path("id"): names.ids, TITLE_KEY: names.titles, CODES: names.codes, CODE_PARTS: names.parts}
    named: list[models.Condition] = [
        models.FieldCondition(key=path, match=models.MatchAny(any=list(values)))
        for path, values in asked.items()
        if values
    ]
    return models.Filter(must=[models.Filter(should=named), *([filter] if filter else [])]) if named else None


def _condition(part: Filter) -> models.Condition:
    if isinstance(part, Missing):
        return models.IsEmptyCondition(is_empty=models.PayloadField(key=field_path(part.field)))
    if isinstance(part, Range):
        return models.FieldCondition(key=field_path(part.field), range=_bounds(part))
    if isinstance(part, Match):
        return _match(field_path(part.field), part)
    if isinstance(part, First):
        return _first(field_path(part.field), part)
    if isinstance(part, HasWord):
        path = SUBJECT_TERMS if part.subject else TERMS
        return models.FieldCondition(key=path, match=models.MatchAny(any=list(part.words)))
    if isinstance(part, Decided):
        return models.FieldCondition(key=ACTION, match=models.MatchAny(any=list(part.actions)))
    if isinstance(part, HasId):
        return models.HasIdCondition(has_id=[str(id) for id in part.ids])
    return to_qdrant(part)


def _bounds(range: Range) -> models.Range:
    """At most one bound a side: of two, Qdrant's number index heeds only one, and not the tighter."""
    gt, gte, lt, lte = range.gt, range.gte, range.lt, range.lte
    if gt is not None and gte is not None:
        gt, gte = (gt, None) if gt >= gte else (None, gte)
    if lt is not None and lte is not None:
        lt, lte = (lt, None) if lt <= lte else (None, lte)
    return models.Range(gt=gt, gte=gte, lt=lt, lte=lte)


def _first(path: str, first: First) -> models.Condition:
    """The values are looked up in the field's index; where one lies in a list is read of what that finds alone."""
    start = f"{path}[0]"
    no_list = models.IsEmptyCondition(is_empty=models.PayloadField(key=start))
    return models.Filter(must=[_match(path, first), models.Filter(should=[no_list, _match(start, first)])])


def _match(path: str, match: Match | First) -> models.Condition:
    if match.kind == "keyword":
        return models.FieldCondition(key=path, match=models.MatchAny(any=[str(value) for value in match.values]))
    values = [_equal(path, value) for value in match.values]
    return values[0] if len(values) == 1 else models.Filter(should=values)


def _equal(path: str, value: Scalar) -> models.FieldCondition:
    if isinstance(value, bool):
        return models.FieldCondition(key=path, match=models.MatchValue(value=value))
    # Qdrant has no match for numbers with a fraction, and 5.0 must find 5.
    number = float(value)
    return models.FieldCondition(key=path, range=models.Range(gte=number, lte=number))
