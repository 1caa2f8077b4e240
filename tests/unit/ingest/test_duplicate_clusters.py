"""Pairs of images as clusters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.duplicates.clusters import clusters
from schemas import DuplicateKind, DuplicatePair, ImageRef


def ref(number: int) -> ImageRef:
    return ImageRef(product=f"p{number}", picture=number % 3, source=f"{number}.jpg", root="/shop")


def pair(one: int, other: int, kind: DuplicateKind = "identical") -> DuplicatePair:
    return DuplicatePair(kind=kind, one=ref(one), other=ref(other), cosine=0.99, difference=0.1)


def test_images_that_are_one_by_way_of_each_other_are_a_cluster() -> None:
    pairs = [pair(8, 9), pair(1, 2), pair(3, 4, "near-identical"), pair(2, 3), pair(1, 5, "similar")]
    first, second, alike = clusters(pairs)
    assert (first.kind, {image.product for image in first.pictures}) == ("near-identical", {"p1", "p2", "p3", "p4"})
    assert (second.kind, second.pictures) == ("identical", [ref(8), ref(9)])
    assert (alike.kind, alike.pictures) == ("similar", [ref(1), ref(5)])
    assert clusters([]) == []


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).filter(lambda ends: ends[0] != ends[1])))
def test_clusters_are_what_can_be_reached(ends: list[tuple[int, int]]) -> None:
    reached = {number: {number} for pair in ends for number in pair}
    for one, other in ends:
        whole = reached[one] | reached[other]
        for number in whole:
            reached[number] = whole
    got = clusters(pair(one, other) for one, other in ends)
    assert {frozenset(cluster.pictures) for cluster in got} == {
        frozenset(map(ref, numbers)) for numbers in reached.values()
    }
    assert [len(cluster.pictures) for cluster in got] == sorted((len(c.pictures) for c in got), reverse=True)
