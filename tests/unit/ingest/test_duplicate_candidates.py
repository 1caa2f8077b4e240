"""Which images of a catalog too large to compare all with all may be copies of each other."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any, cast
from uuid import UUID

import numpy as np

from catalog import point_id
from images.arrays import Vectors
from index import CatalogIndex, Stored
from ingest.duplicates.candidates import CandidateSearch
from tests.support.encoders import HashEncoder
from tests.support.points import index_record

DIMENSION = 96


class MemoryIndex:
    """As much of an index as is read: one view an image."""

    def __init__(self, products: Sequence[Stored]) -> None:
        spec = HashEncoder.spec.model_copy(update={"dimension": DIMENSION})
        self.record = index_record({"id": "keyword"}, spec)
        self._products = {stored.id: stored for stored in products}
        self._ids = sorted(self._products)

    def count(self) -> int:
        return len(self._ids)

    def scan(self, filter: None, limit: int, after: UUID | None = None) -> list[UUID]:
        start = 0 if after is None else self._ids.index(after) + 1
        return self._ids[start : start + limit]

    def fetch(self, ids: Sequence[UUID], vectors: Sequence[str] = ()) -> dict[UUID, Stored]:
        return {id: self._products[id] for id in ids}


def product(id: str, group: str | None, *images: tuple[str, Vectors, np.ndarray[Any, Any]]) -> Stored:
    """``images`` are the hash of each, its vector, and the 384 bytes of its fingerprint."""
    kept = [
        {"at": at, "hash": hash, "phash": b64encode(fingerprint.tobytes()).decode()}
        for at, (hash, _, fingerprint) in enumerate(images)
    ]
    row = {"id": id} if group is None else {"id": id, "group_id": group}
    payload = {"id": id, "product": row, "pictures": kept, "root": ""}
    vectors = np.stack([vector for _, vector, _ in images])
    return Stored(point_id(id), payload, {"image": vectors})


def synthetic(count: int, seed: int) -> Iterator[tuple[str, Vectors, np.ndarray[Any, Any]]]:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, DIMENSION)).astype(np.float32)
    fingerprints = random.integers(0, 256, (count, 384)).astype(np.uint8)
    for number in range(count):
        yield f"{seed}-{number}", vectors[number] / np.linalg.norm(vectors[number]), fingerprints[number]


def copied(image: tuple[str, Vectors, np.ndarray[Any, Any]], name: str) -> tuple[str, Vectors, np.ndarray[Any, Any]]:
    """Saved again: other bytes, nearly the same vector, nearly the same fingerprint."""
    hash, vector, fingerprint = image
    random = np.random.default_rng(len(hash))
    near = vector + random.normal(size=DIMENSION).astype(np.float32) * 0.02
    noisy = np.clip(fingerprint.astype(int) + random.integers(-6, 7, 384), 0, 255).astype(np.uint8)
    return f"{hash}-{name}", near / np.linalg.norm(near), noisy


def pairs(products: Sequence[Stored], wanted: set[str] | None = None) -> set[frozenset[str]]:
    """Ids of products with images that may be copies; of one alone, of each other's."""
    index = cast(CatalogIndex, MemoryIndex(products))
    names = {stored.id: stored.payload["id"] for stored in products}
    points = None if wanted is None else {point_id(id).bytes for id in wanted}
    found = CandidateSearch(index, near=0.25).candidates(points)
    return {
        frozenset(names[place.point] for place in (one, other)) for one, others in found for other in (others or [one])
    }


def test_of_more_than_are_compared_as_they_are_the_copies_are_found() -> None:
    originals = list(synthetic(10_500, 1))
    products = [product(f"p{number}", None, image) for number, image in enumerate(originals)]
    copies = {f"copy{at}": product(f"copy{at}", None, copied(originals[at], "copy")) for at in range(0, 10_000, 100)}
    found = pairs([*products, *copies.values()], {*copies, "p0", "p7"})
    planted = {frozenset((f"p{at}", f"copy{at}")) for at in range(0, 10_000, 100)}
    assert len(found & planted) >= 0.98 * len(planted)
    assert len(found - planted) <= 1


def test_variants_are_not_compared_and_do_not_hide_others() -> None:
    shown = next(synthetic(1, 2))
    variants = [product(f"v{at}", "shirt", copied(shown, f"v{at}")) for at in range(200)]
    others = [product(f"p{number}", None, image) for number, image in enumerate(synthetic(300, 3))]
    stolen = product("stolen", None, copied(shown, "stolen"))
    found = pairs([*variants, *others, stolen])
    assert found == {frozenset(("stolen", f"v{at}")) for at in range(200)}


def test_images_with_the_same_bytes_are_paired_with_one_and_hide_nothing() -> None:
    shown = next(synthetic(1, 4))
    placeholders = [product(f"same{at}", None, shown) for at in range(300)]
    others = [product(f"p{number}", None, image) for number, image in enumerate(synthetic(50, 5))]
    found = pairs([*placeholders, *others, product("copy", None, copied(shown, "copy"))])
    assert {id for pair in found for id in pair} == {"copy", *(f"same{at}" for at in range(300))}
    assert len(found) <= 302


def test_images_of_one_product_are_compared() -> None:
    one, other, third = synthetic(3, 6)
    within = product("within", None, one, other, copied(one, "again"))
    doubled = product("doubled", "group", third, third)
    assert pairs([within, doubled]) == {frozenset(("within",)), frozenset(("doubled",))}


def test_of_nothing_there_is_nothing() -> None:
    assert pairs([]) == set()
    alone = product("alone", None, next(synthetic(1, 7)))
    assert pairs([alone]) == pairs([alone], set()) == set()
