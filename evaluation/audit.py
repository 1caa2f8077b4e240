"""What is wrong in an index: looked at point by point, nothing changed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np

from index import DENSE, CatalogIndex, Stored

_BATCH = 500
_UNIT = 1e-3
"""How far from 1 the length of a vector may be: float32 and an engine's own normalisation are far closer."""


@dataclass(slots=True)
class Audit:
    """Numbers of points: ``points`` are those of StoreLens, ``foreign`` the others; of the former ``not_unit`` have a
    vector (a row, of images) that is not of unit length, and ``not_finite`` one with NaN or an infinity in it."""

    points: int = 0
    foreign: int = 0
    not_unit: int = 0
    not_finite: int = 0


def audit(index: CatalogIndex) -> Audit:
    """Every point of an index, with its vectors."""
    found = Audit(foreign=index.foreign())
    after = None
    while ids := index.scan(None, _BATCH, after):
        stored = index.fetch(ids, vectors=DENSE)
        found.points += len(stored)
        found.foreign += len(ids) - len(stored)
        for point in stored.values():
            _look_at(point, found)
        after = ids[-1]
    return found


def _look_at(point: Stored, found: Audit) -> None:
    if not point.vectors:
        return
    rows = np.vstack([np.atleast_2d(vector) for vector in point.vectors.values()])
    if not np.isfinite(rows).all():
        found.not_finite += 1
    elif (np.abs(np.linalg.norm(rows, axis=1) - 1.0) > _UNIT).any():
        found.not_unit += 1


def report(found: Audit, *, as_json: bool) -> str:
    """One JSON object, or a line a number."""
    numbers = asdict(found)
    if as_json:
        return json.dumps(numbers)
    return "\n".join(f"{number:>12,}  {name.replace('_', ' ')}" for name, number in numbers.items())
