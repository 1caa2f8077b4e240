"""Pairs as clusters, and the file that a job keeps of them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.duplicates.clusters import clusters
from ingest.duplicates.file import SameFile
from schemas import ImageRef, SameKind, SamePair


def ref(number: int) -> ImageRef:
    return ImageRef(product=f"p{number}", picture=number % 3, source=f"{number}.jpg", root="/shop")


def pair(one: int, other: int, kind: SameKind = "identical") -> SamePair:
    return SamePair(kind=kind, one=ref(one), other=ref(other), cosine=0.99, difference=0.1)


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


def test_the_file_of_a_job_has_a_line_a_pair_and_is_not_there_without_any(tmp_path: Path) -> None:
    with SameFile(tmp_path / "data") as none:
        pass
    assert none.path is None
    assert not (tmp_path / "data").exists()
    pairs = [pair(1, 2), pair(2, 3, "near-identical"), pair(4, 5)]
    with SameFile(tmp_path) as file:
        for one in pairs:
            file.write(one)
    assert file.counts == {"identical": 2, "near-identical": 1}
    assert file.path is not None
    assert file.path.parent == tmp_path
    lines = file.path.read_text(encoding="utf-8").splitlines()
    assert [SamePair.model_validate_json(line) for line in lines] == pairs
