"""Which images show the same, within a product and across products, found through the index itself.

Candidates are what the image vectors have next to each other; what the payload says of each image (the hash of its
bytes, and its fingerprint: ``images.fingerprint``) decides. Variants of one group share their photos, and are not
compared.

For few images among many the index is asked, some milliseconds each. For more it is read once, and candidates are
found in memory: ``ingest.duplicates.candidates``, a fifth of a millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from catalog import image_sources
from images import differences, fingerprint_cells, is_copy, near_distance
from images.arrays import Floats
from index import CatalogIndex, Leg, Stored, all_points, sample_images
from ingest.batches import batched
from ingest.duplicates.candidates import CandidateSearch, ImagePlace
from schemas import DuplicateKind, DuplicatePair, ImageRef, Match, Not

_BATCH = 64
_SAMPLE = 256
_CANDIDATES = 12
"""Looked at first. Where the last of them is a copy there may be more."""
_MOST_CANDIDATES = 100
_WORTH_READING = 25
"""Products that are read in the time that the index is asked for one's images."""


@dataclass(frozen=True, slots=True)
class _Image:
    """``vector`` is ``(dim,) float32``, of the whole image; ``fingerprint`` ``(3, 16, 16) float32``, if any."""

    ref: ImageRef
    group: str | None
    hash: str
    fingerprint: Floats | None
    vector: Floats


def find_duplicates(
    index: CatalogIndex, points: Iterable[UUID] | None, *, similar: bool = False
) -> Iterator[DuplicatePair]:
    """Pairs of images that are the same, each once, as they are found.

    Of many images with the same bytes each is paired with one of them, and not with all.

    Args:
        points: The products whose images are looked for, those a job wrote; None for all.
        similar: Also give images that merely look alike.
    """
    search = _Search(index, similar)
    if similar:  # what merely looks alike is left out of candidates in memory
        return search.run(all_points(index) if points is None else points)
    wanted = None if points is None else {point.bytes for point in points}
    if wanted is not None and len(wanted) * _WORTH_READING < index.count():
        return search.run(UUID(bytes=point) for point in wanted)
    return search.run_through(wanted)


class _Search:
    """What is remembered grows with what is found, not with the catalog."""

    def __init__(self, index: CatalogIndex, similar: bool) -> None:
        self._index = index
        self._similar = similar
        vectors, payloads = sample_images(index, _SAMPLE)
        self._near = near_distance(vectors, [_group(payload) for payload in payloads])
        self._found: set[int] = set()
        self._first: dict[str, tuple[ImageRef, str | None]] = {}
        """By hash the first of images with the same bytes, and its group: what is near it is near them all."""

    def run(self, points: Iterable[UUID]) -> Iterator[DuplicatePair]:
        for batch in batched(points, _BATCH):
            for stored in self._index.fetch(batch, vectors=("image",)).values():
                images = self._images(stored)
                yield from self._within(images)
                yield from self._across(images)

    def run_through(self, wanted: Collection[bytes] | None) -> Iterator[DuplicatePair]:
        """As ``run``, of the points with these ids, or of all, after one pass over the index."""
        candidates = CandidateSearch(self._index, self._near).candidates(wanted)
        for batch in batched(candidates, _BATCH):
            points = {place.point for one, others in batch for place in (one, *others)}
            stored = self._index.fetch(list(points), vectors=("image",))
            of_point = {id: self._images(point) for id, point in stored.items()}

            def image(place: ImagePlace, of_point: Mapping[UUID, Sequence[_Image]] = of_point) -> _Image:
                return of_point[place.point][place.number]

            for one, others in batch:
                if others:
                    yield from self._new(image(one), self._compare(image(one), [image(it) for it in others]))
                else:
                    yield from self._within(of_point[one.point])

    def _within(self, images: Sequence[_Image]) -> Iterator[DuplicatePair]:
        for at, image in enumerate(images):
            yield from self._new(image, self._compare(image, images[at + 1 :]))

    def _across(self, images: Sequence[_Image]) -> Iterator[DuplicatePair]:
        """Pairs of a product's images with those of others."""
        remaining: dict[str, _Image] = {}
        for image in images:
            first = self._first.get(image.hash)
            if first is not None and _apart(image, *first):
                same = DuplicatePair(kind="identical", one=image.ref, other=first[0], cosine=1.0, difference=0.0)
                yield from self._new(image, [same])
            else:
                remaining.setdefault(image.hash, image)
        for limit in (_CANDIDATES, _MOST_CANDIDATES):
            asked = list(remaining.values())
            for image, candidates in zip(asked, self._candidates(asked, limit), strict=True):
                pairs = self._compare(image, [other for its_images in candidates for other in its_images])
                yield from self._new(image, pairs)
                copied = {pair.other.product for pair in pairs if pair.kind != "similar"}
                if len(candidates) < limit or candidates[-1][0].ref.product not in copied:
                    del remaining[image.hash]

    def _candidates(self, images: Sequence[_Image], limit: int) -> list[list[list[_Image]]]:
        """For each image of a product the images of others that have one near it, the nearest product first."""
        if not images:
            return []
        product, group = images[0].ref.product, images[0].group
        own = Match("id", "keyword", (product,)) if group is None else Match("group_id", "keyword", (group,))
        legs = [Leg("image->image", "image", image.vector) for image in images]
        # Of several images a product's score is the nearest one's.
        found = [
            [candidate.id for candidate in leg if self._may_be_copy(candidate.score)]
            for leg in self._index.query(legs, Not(own), limit)
        ]
        ids = list(dict.fromkeys(id for leg in found for id in leg))
        stored = self._index.fetch(ids, vectors=("image",)) if ids else {}
        of_point = {id: self._images(point) for id, point in stored.items()}
        return [[of_point[id] for id in leg if of_point.get(id)] for leg in found]

    def _compare(self, image: _Image, others: Sequence[_Image]) -> list[DuplicatePair]:
        cosines = [float(image.vector @ other.vector) for other in others]
        near = [
            (other, cosine)
            for other, cosine in zip(others, cosines, strict=True)
            if other.hash == image.hash or self._may_be_copy(cosine)
        ]
        fingerprinted = [other.fingerprint for other, _ in near if other.fingerprint is not None]
        left: Iterator[float] = iter(())
        if image.fingerprint is not None and fingerprinted:
            left = iter(differences(image.fingerprint, np.stack(fingerprinted)).tolist())
        pairs = []
        for other, cosine in near:
            difference = None if image.fingerprint is None or other.fingerprint is None else next(left)
            if kind := self._kind(image, other, cosine, difference):
                numbers = {"cosine": round(cosine, 4), "difference": difference and round(difference, 3)}
                pairs.append(DuplicatePair(kind=kind, one=image.ref, other=other.ref, **numbers))
        return pairs

    def _kind(self, one: _Image, other: _Image, cosine: float, difference: float | None) -> DuplicateKind | None:
        if one.hash == other.hash:
            return "identical"
        if difference is not None and is_copy(difference, cosine, self._near):
            return "near-identical"
        # Of so few images that nothing can be told of their distances, none is called similar.
        alike = self._similar and not math.isinf(self._near) and 1.0 - cosine <= self._near
        return "similar" if alike else None

    def _may_be_copy(self, cosine: float) -> bool:
        return is_copy(0.0, cosine, self._near)

    def _new(self, image: _Image, pairs: Iterable[DuplicatePair]) -> Iterator[DuplicatePair]:
        """Those that were not given before."""
        for pair in pairs:
            if pair.kind == "identical":
                self._first.setdefault(image.hash, (image.ref, image.group))
            ends = hash(frozenset((end.product, end.picture) for end in (pair.one, pair.other)))
            if ends not in self._found:
                self._found.add(ends)
                yield pair

    def _images(self, stored: Stored) -> list[_Image]:
        """The usable images of a product; none where an older version stored them, which remembered nothing of each."""
        payload, crops_per_image = stored.payload, self._index.record.crops_per_image
        known = payload.get("pictures", [])
        rows = stored.vectors.get("image", ())
        if len(rows) != len(known) * crops_per_image:
            return []
        sources, group = image_sources(payload), _group(payload)
        return [
            _Image(
                ImageRef(product=payload["id"], picture=one["at"], source=sources[one["at"]], root=payload["root"]),
                group,
                one["hash"],
                fingerprint_cells(one.get("phash", "")),
                rows[number * crops_per_image],
            )
            for number, one in enumerate(known)
        ]


def _apart(image: _Image, ref: ImageRef, group: str | None) -> bool:
    """Whether an image is of another product, and not of a variant."""
    return image.ref.product != ref.product and (group is None or image.group != group)


def _group(payload: dict[str, Any]) -> str | None:
    group: str | None = payload["product"].get("group_id")
    return group
