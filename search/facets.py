"""Counts of field values: over the candidates of a search, or over everything a browse matches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from index import CatalogIndex
from schemas import All, Facet, FacetValue, FieldKind, Filter, Missing, UnknownField, find_field, known

MAX_VALUES = 100


def check_facets(names: Sequence[str], fields: Mapping[str, FieldKind]) -> list[str]:
    """The fields once each, in the order given. Raises UnknownField for one the index does not have."""
    found: dict[str, None] = {}
    for name in names:
        field = find_field(name, fields)
        if field is None:
            raise UnknownField(f"facets: there is no field {name!r}; {known(fields)}", field="facets")
        found[field] = None
    return list(found)


def of_candidates(
    names: Sequence[str],
    fields: Mapping[str, FieldKind],
    values: Mapping[UUID, dict[str, Any]],
    candidates: Collection[UUID],
) -> dict[str, Facet]:
    """Facets over some points, given their field values. A list counts once for each distinct value in it."""
    return {
        name: _count(name, fields[name], [values.get(point, {}).get(name) for point in candidates]) for name in names
    }


def _count(name: str, kind: FieldKind, held: Sequence[Any]) -> Facet:
    flat = [set(value) if isinstance(value, list) else {value} for value in held if value is not None and value != []]
    missing = len(held) - len(flat)
    if kind == "float":
        numbers = [number for numbers in flat for number in numbers]
        return _numbers(name, min(numbers, default=None), max(numbers, default=None), missing)
    counts = Counter(value for values in flat for value in values)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))[:MAX_VALUES]
    facet = Facet(field=name, values=[FacetValue(value=v, count=n) for v, n in ordered], missing=missing)
    if kind == "integer" and counts:
        return facet.model_copy(update={"min": float(min(counts)), "max": float(max(counts))})
    return facet


def _numbers(name: str, low: float | None, high: float | None, missing: int) -> Facet:
    return Facet(field=name, values=[], min=low, max=high, missing=missing)


def of_everything(names: Sequence[str], index: CatalogIndex, filter: Filter) -> dict[str, Facet]:
    """Exact facets over everything that matches, counted by the engine."""
    return {name: _engine_facet(name, index, filter) for name in names}


def _engine_facet(name: str, index: CatalogIndex, filter: Filter) -> Facet:
    kind = index.record.fields[name]
    missing = index.count(All((filter, Missing(name))))
    facet = _numbers(name, None, None, missing)
    if kind in ("integer", "float"):
        low, high = (index.ordered(name, descending, filter, 1) for descending in (False, True))
        facet = _numbers(name, low[0][1] if low else None, high[0][1] if high else None, missing)
    if kind == "float":
        return facet
    counts = index.facet(name, filter, MAX_VALUES)
    return facet.model_copy(update={"values": [FacetValue(value=value, count=count) for value, count in counts]})
