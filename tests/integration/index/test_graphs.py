"""Graphs of the embedded index that are built while a job still writes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from images.arrays import Vectors
from index.edge import engine as edge
from index.edge.store import EmbeddedStore
from index.protocols import Leg, Point
from schemas import Match
from tests.support.points import index_record, spec, unit

ROWS = 6_000
"""Of a graph here; of 512 dimensions, fewer than 5,000 would get none."""
LENGTH = 512


@pytest.fixture(autouse=True)
def _smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "GRAPH_POINTS", ROWS)


def test_graphs_are_due_while_much_is_written_and_answer_together(tmp_path: Path) -> None:
    store, titles = EmbeddedStore(tmp_path, "products"), _titles(2 * ROWS + 100)
    with store.lock():
        build = store.begin(index_record({"brand": "keyword"}, spec(dimension=LENGTH)))
        due = []
        for first in range(0, len(titles), 2_000):
            build.upsert([_point(number, titles) for number in range(first, min(first + 2_000, len(titles)))])
            due.append(build.graph_due)
            if build.graph_due:
                build.optimize()
                assert not build.graph_due
        assert due == [False, False, True, False, False, True, False]
        # What is in a graph by now can still change, and go.
        build.upsert([_point(7, titles, brand="late")])
        build.set_payload({UUID(int=8): {"fields": {"brand": "late"}}})
        build.delete([UUID(int=9)])
        generation = build.commit()
    segments = tmp_path / "products" / "generations" / generation / "shard" / "segments"
    assert len(list(segments.iterdir())) == 3
    with closing(store.open()) as index:
        assert index.count() == len(titles) - 1
        assert dict(index.facet("brand", None, 5)) == {"early": len(titles) - 3, "late": 2}
        assert index.scan(Match("brand", "keyword", ("late",)), 5) == [UUID(int=7), UUID(int=8)]
        for number in (7, ROWS - 1, ROWS, 2 * ROWS - 1, len(titles) - 1):
            (found,) = index.query([Leg("text->title", "title", titles[number])], None, 50)
            cosines = titles @ titles[number]
            cosines[9] = -1.0
            best = np.argsort(-cosines)[:50]
            assert found[0].id.int == number
            assert [candidate.score for candidate in found] == pytest.approx(
                [float(cosines[candidate.id.int]) for candidate in found], abs=1e-5
            )
            assert len({candidate.id.int for candidate in found} & set(best.tolist())) >= 48


def _titles(count: int) -> Vectors:
    """Along some directions, as those of models are: near vectors that differ in all of 512 are no graph's strength."""
    titles = unit(count, 24, seed=1) @ unit(24, LENGTH, seed=2) + 0.02 * unit(count, LENGTH, seed=3)
    return np.asarray(titles / np.linalg.norm(titles, axis=1, keepdims=True), np.float32)


def _point(number: int, titles: Vectors, brand: str = "early") -> Point:
    payload = {"id": str(number), "fields": {"brand": brand}, "title_key": "shoes"}
    return Point(UUID(int=number), payload, {"title": titles[number]}, "shoes")
