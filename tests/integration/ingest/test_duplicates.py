"""Images that show the same, found through the index on every engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from uuid import UUID

import pytest
from PIL import ImageOps

from catalog import point_id
from index import CatalogIndex, IndexStore
from ingest.duplicates.find import find_duplicates
from schemas import DuplicatePair
from tests.integration.index.conftest import engine, store
from tests.support.duplicates import WithImages, many, png, point, saved_again, scene, write
from tests.support.encoders import HashEncoder
from tests.support.points import index_record

__all__ = ["engine", "store"]  # the fixtures: each test runs on every engine

A, B, C = (scene(number) for number in range(3))
Found = set[tuple[str, frozenset[tuple[str, int]]]]


def found(index: CatalogIndex, points: Sequence[UUID] | None = None, *, similar: bool = False) -> Found:
    pairs = list(find_duplicates(index, points, similar=similar))
    ends = [(pair.kind, frozenset((end.product, end.picture) for end in (pair.one, pair.other))) for pair in pairs]
    assert len(set(ends)) == len(pairs), "a pair was given twice"
    return set(ends)


def pair(kind: str, *ends: tuple[str, int]) -> tuple[str, frozenset[tuple[str, int]]]:
    return kind, frozenset(ends)


@pytest.fixture
def opened(store: IndexStore) -> Iterator[CatalogIndex]:
    """Copies within and across products, and of variants, among many others."""
    made = [
        WithImages("twin1", [png(A)]),
        WithImages("twin2", [png(B), png(A)]),
        WithImages("copy", [saved_again(A)]),
        WithImages("doubled", [png(C), saved_again(C), png(C)]),
        WithImages("red", [png(scene(7))], group="shirt"),
        WithImages("blue", [png(scene(7)), png(scene(8)), png(scene(8))], group="shirt"),
        WithImages("no image", []),
    ]
    write(store, [*many(30), *made])
    with closing(store.open()) as index:
        yield index


COPIES = {
    pair("identical", ("twin1", 0), ("twin2", 1)),
    pair("near-identical", ("twin1", 0), ("copy", 0)),
    pair("near-identical", ("twin2", 1), ("copy", 0)),
    pair("near-identical", ("doubled", 0), ("doubled", 1)),
    pair("identical", ("doubled", 0), ("doubled", 2)),
    pair("near-identical", ("doubled", 1), ("doubled", 2)),
    pair("identical", ("blue", 1), ("blue", 2)),
}


def test_what_is_the_same_is_found_and_told_apart(opened: CatalogIndex) -> None:
    got = found(opened)
    # Of three that are the same two pairs are enough to say so.
    missing = COPIES - got
    assert missing <= {
        pair("near-identical", ("twin1", 0), ("copy", 0)),
        pair("near-identical", ("twin2", 1), ("copy", 0)),
    }
    assert len(missing) < 2
    assert got <= COPIES


def test_of_some_products_only_their_pairs_are_found(opened: CatalogIndex) -> None:
    assert found(opened, [point_id("copy")]) == {
        pair("near-identical", ("twin1", 0), ("copy", 0)),
        pair("near-identical", ("twin2", 1), ("copy", 0)),
    }
    assert found(opened, [point_id("red"), point_id("no image"), point_id("never seen")]) == set()
    assert found(opened, []) == set()


def test_a_pair_says_where_its_images_are_and_how_much_they_differ(opened: CatalogIndex) -> None:
    pairs = list(find_duplicates(opened, [point_id("copy")]))
    assert all(isinstance(pair, DuplicatePair) for pair in pairs)
    assert {(pair.other.product, pair.other.source) for pair in pairs} == {
        ("twin1", "twin1-0.jpg"),
        ("twin2", "twin2-1.jpg"),
    }
    for one in pairs:
        assert one.one.source == "copy-0.jpg"
        assert one.difference is not None
        assert 0 < one.difference < 1
        assert 0.98 < one.cosine < 1


def test_of_many_with_the_same_bytes_each_is_paired_with_one(store: IndexStore) -> None:
    placeholder = png(scene(5))
    write(store, [*many(20), *(WithImages(f"p{number}", [placeholder]) for number in range(150))])
    with closing(store.open()) as index:
        pairs = list(find_duplicates(index, None))
    assert {end.product for pair in pairs for end in (pair.one, pair.other)} == {f"p{n}" for n in range(150)}
    assert {pair.kind for pair in pairs} == {"identical"}
    assert len(pairs) <= 150 + 100


def test_a_copy_behind_many_with_the_same_bytes_is_found(store: IndexStore) -> None:
    same = [WithImages(f"p{number}", [png(A)]) for number in range(30)]
    write(store, [*many(20), *same, WithImages("copy", [saved_again(A)])])
    with closing(store.open()) as index:
        got = found(index)
    assert any(kind == "near-identical" and ("copy", 0) in ends for kind, ends in got)


def test_what_merely_looks_alike_is_given_on_demand(store: IndexStore) -> None:
    # Of the same colours in the same quarters, for the encoder of tests, but another image.
    plain = scene(3).resize((2, 2)).resize((160, 160), resample=0)
    write(store, [*many(30), WithImages("scene", [png(scene(3))]), WithImages("plain", [png(plain)])])
    with closing(store.open()) as index:
        assert found(index) == set()
        assert found(index, similar=True) >= {pair("similar", ("scene", 0), ("plain", 0))}


def test_a_mirrored_image_is_not_the_same(store: IndexStore) -> None:
    write(store, [*many(30), WithImages("a", [png(A)]), WithImages("mirrored", [png(ImageOps.mirror(A))])])
    with closing(store.open()) as index:
        assert found(index) == set()


def test_in_a_catalog_too_small_to_compare_with_the_fingerprints_decide(store: IndexStore) -> None:
    write(store, [WithImages("a", [png(A)]), WithImages("b", [png(B)]), WithImages("copy", [saved_again(A)])])
    with closing(store.open()) as index:
        assert found(index, similar=True) == {pair("near-identical", ("a", 0), ("copy", 0))}


def test_of_images_with_crops_the_whole_ones_are_compared(store: IndexStore) -> None:
    products = [WithImages("a", [png(B), png(A)]), WithImages("copy", [saved_again(C), saved_again(A)])]
    write(store, [*many(20), *products], crops_per_image=3)
    with closing(store.open()) as index:
        assert found(index) == {pair("near-identical", ("a", 1), ("copy", 1))}


def test_images_of_which_nothing_is_known_are_passed_over(store: IndexStore) -> None:
    """As an older version stored them, or with a hash of another kind."""
    old = point(WithImages("old", [png(A)]))
    del old.payload["pictures"]
    foreign = [point(WithImages(id, [data]), phash=lambda _: "f" * 16) for id, data in (("x", png(B)), ("y", png(B)))]
    none = point(WithImages("none", [saved_again(B)]), phash=lambda _: None)
    with store.lock():
        build = store.begin(index_record({"id": "keyword", "group_id": "keyword"}, HashEncoder.spec))
        build.upsert([old, *foreign, none])
        build.commit()
    with closing(store.open()) as index:
        assert found(index) == {pair("identical", ("x", 0), ("y", 0))}


def test_an_empty_index_has_none(store: IndexStore) -> None:
    with store.lock():
        build = store.begin(index_record({"id": "keyword", "group_id": "keyword"}, HashEncoder.spec))
        assert found(build.index) == set()
        build.discard()
