"""Counts of field values over what fits: each field under the filter without the field's own part of it, so that its
other values show what they would bring.

Up to some thousand products are read and counted here, in groups where hits are groups; the engine counts more of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np

from index import CatalogIndex
from schemas import (
    All,
    AnyOf,
    Bucket,
    Facet,
    FacetValue,
    FieldKind,
    Filter,
    First,
    Match,
    Missing,
    Not,
    Range,
    UnknownField,
    find_field,
    known,
)
from search.groups import group_value

MAX_VALUES = 100
BUCKETS = 10

READ = 2_000
"""Products whose values are read and counted here; of more the engine counts, which knows nothing of groups."""
READ_GROUPED = 20_000

Scope = Callable[[Filter], Filter]
"""What fits under a filter."""


def check_facets(names: Sequence[str], fields: Mapping[str, FieldKind]) -> list[str]:
    """The fields once each, in the order given. Raises UnknownField for one the index does not have."""
    found: dict[str, None] = {}
    for name in names:
        field = find_field(name, fields)
        if field is None:
            raise UnknownField(f"facets: there is no field {name!r}; {known(fields)}", field="facets")
        found[field] = None
    return list(found)


def facets(
    index: CatalogIndex, names: Sequence[str], filter: Filter, scope: Scope, group_by: str | None = None
) -> dict[str, Facet]:
    """The facets of these fields, those first that tell most: that many have, and whose values part them best.

    Args:
        filter: What the request asks for.
        group_by: Count the groups of this field, in place of products.
    """
    alike: defaultdict[Filter, list[str]] = defaultdict(list)
    for name in names:
        alike[without(filter, name)].append(name)
    counted: dict[str, tuple[float, Facet]] = {}
    for under, some in alike.items():
        counted |= _counted(index, some, scope(under), group_by)
    ranked = sorted(counted.items(), key=lambda item: -item[1][0])
    return {name: facet for name, (_, facet) in ranked}


def without(filter: Filter, field: str) -> Filter:
    """A filter without those of its parts that are of this field alone."""
    if not isinstance(filter, All):
        return All(()) if _only(filter, field) else filter
    return All(tuple(without(part, field) for part in filter.parts if not _only(part, field)))


def _only(filter: Filter, field: str) -> bool:
    if isinstance(filter, Match | First | Range | Missing):
        return filter.field == field
    if isinstance(filter, AnyOf):
        return all(_only(part, field) for part in filter.parts)
    return isinstance(filter, Not) and _only(filter.part, field)


def _counted(
    index: CatalogIndex, names: Sequence[str], under: Filter, group_by: str | None
) -> dict[str, tuple[float, Facet]]:
    total = index.count(under)
    read = READ_GROUPED if group_by else READ
    if total > read and not group_by:
        facets = {name: _of_engine(index, name, under) for name in names}
        return {name: (_usefulness(facet, total), facet) for name, facet in facets.items()}
    points = index.scan(under, read)
    values = index.values(points, sorted({*names, *([group_by] if group_by else [])}))
    groups = _groups(points, values, group_by)
    facets = {name: count_values(name, index.record.fields[name], groups) for name in names}
    if total > read:
        facets = {name: facet.model_copy(update={"relation": "gte"}) for name, facet in facets.items()}
    return {name: (_usefulness(facet, len(groups)), facet) for name, facet in facets.items()}


def _groups(
    points: Iterable[UUID], values: Mapping[UUID, Mapping[str, Any]], group_by: str | None
) -> list[list[Mapping[str, Any]]]:
    """Values of the members of each group; a product without one is a group of its own, as each is without groups."""
    groups: dict[Any, list[Mapping[str, Any]]] = {}
    for point in points:
        held = values.get(point, {})
        group = group_value(held, group_by) if group_by else None
        groups.setdefault(point if group is None else (group,), []).append(held)
    return list(groups.values())


def count_values(name: str, kind: FieldKind, groups: Sequence[Sequence[Mapping[str, Any]]]) -> Facet:
    """One facet over the values of some groups. A group counts once for each distinct value that its members have."""
    held = [{value for member in group for value in _listed(member.get(name))} for group in groups]
    missing = sum(not values for values in held)
    facet = Facet(field=name, values=[], missing=missing)
    if kind in ("integer", "float"):
        facet = facet.model_copy(update=_spread(sorted(float(value) for values in held for value in values)))
    if kind == "float":
        return facet
    counts = Counter(value for values in held for value in values)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))[:MAX_VALUES]
    return facet.model_copy(update={"values": [FacetValue(value=value, count=count) for value, count in ordered]})


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else () if value is None else (value,)


def _spread(numbers: Sequence[float]) -> dict[str, Any]:
    if not numbers:
        return {}
    edges = bucket_edges(numbers[0], numbers[-1])
    counts = np.histogram(numbers, edges)[0].tolist() if len(edges) > 1 else []
    buckets = [Bucket(gte=low, lt=high, count=n) for low, high, n in zip(edges, edges[1:], counts, strict=False)]
    return {"min": numbers[0], "max": numbers[-1], "histogram": buckets or None}


def bucket_edges(low: float, high: float) -> list[float]:
    """Round numbers from below ``low`` to above ``high`` that make about ``BUCKETS`` equal steps; none for one number.

    Steps are 1, 2, 2.5 or 5 times a power of ten (as Heckbert's "nice numbers", 1990).
    """
    span = high - low
    if not span > 0 or not np.isfinite(span):
        return []
    power = 10.0 ** np.floor(np.log10(span / BUCKETS))
    step = next(power * nice for nice in (1.0, 2.0, 2.5, 5.0, 10.0) if power * nice * BUCKETS >= span * 0.999)
    first = np.floor(low / step)
    last = max(np.ceil(high / step), first + 1)
    edges = [float(np.round(number * step, 12)) for number in np.arange(first, last + 1)]
    return edges if len(set(edges)) == len(edges) and edges[-1] >= high else []


def _of_engine(index: CatalogIndex, name: str, under: Filter) -> Facet:
    kind = index.record.fields[name]
    facet = Facet(field=name, values=[], missing=index.count(All((under, Missing(name)))))
    if kind in ("integer", "float"):
        low, high = (index.ordered(name, descending, under, 1) for descending in (False, True))
        if low and high:
            facet = facet.model_copy(update=_spread_of_engine(index, name, under, low[0][1], high[0][1]))
    if kind == "float":
        return facet
    counts = index.facet(name, under, MAX_VALUES)
    return facet.model_copy(update={"values": [FacetValue(value=value, count=count) for value, count in counts]})


def _spread_of_engine(index: CatalogIndex, name: str, under: Filter, low: float, high: float) -> dict[str, Any]:
    edges = bucket_edges(low, high)
    buckets = []
    for number, (start, end) in enumerate(pairwise(edges), 2):
        inside = Range(name, gte=start, lte=end) if number == len(edges) else Range(name, gte=start, lt=end)
        buckets.append(Bucket(gte=start, lt=end, count=index.count(All((under, inside)))))
    return {"min": low, "max": high, "histogram": buckets or None}


def _usefulness(facet: Facet, total: int) -> float:
    """How much a choice among its values narrows down, from 0: two hits by chance differ in it (Gini), and both have
    it; values that nearly every hit has its own of are no choice."""
    counts = np.array([value.count for value in facet.values] or [b.count for b in facet.histogram or ()], np.float64)
    whole = counts.sum()
    if total == 0 or whole == 0:
        return 0.0
    differ = 1.0 - float(np.square(counts / whole).sum())
    own = min(1.0, np.count_nonzero(counts) / whole) if len(counts) > 1 else 1.0
    return (1.0 - facet.missing / total) * differ * (1.0 - float(own))
