"""Which pictures show the same, within a product and across products, found through the index itself.

Candidates are what the image vectors have next to each other; what the payload keeps of each picture (the hash of its
bytes, and its sketch: ``images.fingerprint``) decides. Variants of one group share their photos, and are not compared.

For few pictures among many the index is asked, some milliseconds each. For more it is read once, and candidates are
found in memory: ``ingest.duplicates.candidates``, a fifth of a millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from catalog import KeptPicture, picture_sources
from images import differences, is_copy, near_distance, sketch
from index import CatalogIndex, Leg, Stored, all_points, sample_pictures
from ingest.batches import batched
from ingest.duplicates.candidates import CandidateSearch, Place
from schemas import Match, Not, PictureRef, SameKind, SamePair

Floats = NDArray[np.float32]

_BATCH = 64
_SCANNED = 1_000
_SAMPLE = 256
_CANDIDATES = 12
"""Looked at first. Where the last of them is a copy there may be more."""
_MOST_CANDIDATES = 100
_WORTH_READING = 25
"""Products that are read in the time that the index is asked for one's pictures."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """``vector`` is ``(dim,) float32``, of the whole picture; ``sketch`` ``(3, 16, 16) float32`` where there is one."""

    ref: PictureRef
    group: str | None
    hash: str
    sketch: Floats | None
    vector: Floats


def find_same(index: CatalogIndex, points: Iterable[UUID] | None, *, similar: bool = False) -> Iterator[SamePair]:
    """Pairs of pictures that are the same, each once, as they are found.

    Of many pictures with the same bytes each is paired with one of them, and not with all.

    Args:
        points: The products whose pictures are looked for, those a job wrote; None for all.
        similar: Also give pictures that merely look alike.
    """
    search = _Search(index, similar)
    if similar:  # what merely looks alike is left out of candidates in memory
        return search.run(all_points(index) if points is None else points)
    wanted = None if points is None else {point.bytes for point in points}
    if wanted is not None and len(wanted) * _WORTH_READING < index.count():
        return search.run(UUID(bytes=point) for point in wanted)
    return search.run_through(wanted)


def new_pictures(index: CatalogIndex, before: CatalogIndex | None) -> Iterator[UUID]:
    """Points that have a picture which the same point of an older index has not, None being one without any."""
    for batch in batched(all_points(index), _SCANNED):
        shown = _shown(index, batch)
        known = _shown(before, batch) if before else {}
        yield from (point for point in batch if shown[point] - known.get(point, set()))


def _shown(index: CatalogIndex, points: Sequence[UUID]) -> dict[UUID, set[str]]:
    stored = index.payloads(points, ["pictures"])
    return {
        id: {KeptPicture(**picture).shows for picture in payload.get("pictures", ()) if "hash" in picture}
        for id, payload in stored.items()
    }


class _Search:
    """What is remembered grows with what is found, not with the catalog."""

    def __init__(self, index: CatalogIndex, similar: bool) -> None:
        self._index = index
        self._similar = similar
        vectors, payloads = sample_pictures(index, _SAMPLE)
        self._near = near_distance(vectors, [_group(payload) for payload in payloads])
        self._found: set[int] = set()
        self._first: dict[str, tuple[PictureRef, str | None]] = {}
        """By hash the first of pictures with the same bytes, and its group: what is near it is near them all."""

    def run(self, points: Iterable[UUID]) -> Iterator[SamePair]:
        for batch in batched(points, _BATCH):
            for stored in self._index.fetch(batch, vectors=("image",)).values():
                pictures = self._pictures(stored)
                yield from self._within(pictures)
                yield from self._across(pictures)

    def run_through(self, wanted: Collection[bytes] | None) -> Iterator[SamePair]:
        """As ``run``, of the points with these ids, or of all, after one pass over the index."""
        candidates = CandidateSearch(self._index, self._near).candidates(wanted)
        for batch in batched(candidates, _BATCH):
            points = {place.point for one, others in batch for place in (one, *others)}
            stored = self._index.fetch(list(points), vectors=("image",))
            held = {id: self._pictures(point) for id, point in stored.items()}

            def picture(place: Place, held: Mapping[UUID, Sequence[_Picture]] = held) -> _Picture:
                return held[place.point][place.number]

            for one, others in batch:
                if others:
                    yield from self._new(picture(one), self._compare(picture(one), [picture(it) for it in others]))
                else:
                    yield from self._within(held[one.point])

    def _within(self, pictures: Sequence[_Picture]) -> Iterator[SamePair]:
        for at, picture in enumerate(pictures):
            yield from self._new(picture, self._compare(picture, pictures[at + 1 :]))

    def _across(self, pictures: Sequence[_Picture]) -> Iterator[SamePair]:
        """Pairs of a product's pictures with those of others."""
        remaining: dict[str, _Picture] = {}
        for picture in pictures:
            first = self._first.get(picture.hash)
            if first is not None and _apart(picture, *first):
                same = SamePair(kind="identical", one=picture.ref, other=first[0], cosine=1.0, difference=0.0)
                yield from self._new(picture, [same])
            else:
                remaining.setdefault(picture.hash, picture)
        for limit in (_CANDIDATES, _MOST_CANDIDATES):
            asked = list(remaining.values())
            for picture, candidates in zip(asked, self._candidates(asked, limit), strict=True):
                pairs = self._compare(picture, [other for held in candidates for other in held])
                yield from self._new(picture, pairs)
                copied = {pair.other.product for pair in pairs if pair.kind != "similar"}
                if len(candidates) < limit or candidates[-1][0].ref.product not in copied:
                    del remaining[picture.hash]

    def _candidates(self, pictures: Sequence[_Picture], limit: int) -> list[list[list[_Picture]]]:
        """For each picture of a product the pictures of others that have one near it, the nearest product first."""
        if not pictures:
            return []
        product, group = pictures[0].ref.product, pictures[0].group
        own = Match("id", "keyword", (product,)) if group is None else Match("group_id", "keyword", (group,))
        legs = [Leg("image->image", "image", picture.vector) for picture in pictures]
        # Of several pictures a product's score is the nearest one's.
        found = [
            [candidate.id for candidate in leg if self._may_be_copy(candidate.score)]
            for leg in self._index.query(legs, Not(own), limit)
        ]
        ids = list(dict.fromkeys(id for leg in found for id in leg))
        stored = self._index.fetch(ids, vectors=("image",)) if ids else {}
        held = {id: self._pictures(point) for id, point in stored.items()}
        return [[held[id] for id in leg if held.get(id)] for leg in found]

    def _compare(self, picture: _Picture, others: Sequence[_Picture]) -> list[SamePair]:
        cosines = [float(picture.vector @ other.vector) for other in others]
        near = [
            (other, cosine)
            for other, cosine in zip(others, cosines, strict=True)
            if other.hash == picture.hash or self._may_be_copy(cosine)
        ]
        sketched = [other.sketch for other, _ in near if other.sketch is not None]
        left: Iterator[float] = iter(())
        if picture.sketch is not None and sketched:
            left = iter(differences(picture.sketch, np.stack(sketched)).tolist())
        pairs = []
        for other, cosine in near:
            difference = None if picture.sketch is None or other.sketch is None else next(left)
            if kind := self._kind(picture, other, cosine, difference):
                numbers = {"cosine": round(cosine, 4), "difference": difference and round(difference, 3)}
                pairs.append(SamePair(kind=kind, one=picture.ref, other=other.ref, **numbers))
        return pairs

    def _kind(self, one: _Picture, other: _Picture, cosine: float, difference: float | None) -> SameKind | None:
        if one.hash == other.hash:
            return "identical"
        if difference is not None and is_copy(difference, cosine, self._near):
            return "near-identical"
        # Of so few pictures that nothing can be told of their distances, none is called similar.
        alike = self._similar and not math.isinf(self._near) and 1.0 - cosine <= self._near
        return "similar" if alike else None

    def _may_be_copy(self, cosine: float) -> bool:
        return is_copy(0.0, cosine, self._near)

    def _new(self, picture: _Picture, pairs: Iterable[SamePair]) -> Iterator[SamePair]:
        """Those that were not given before."""
        for pair in pairs:
            if pair.kind == "identical":
                self._first.setdefault(picture.hash, (picture.ref, picture.group))
            ends = hash(frozenset((end.product, end.picture) for end in (pair.one, pair.other)))
            if ends not in self._found:
                self._found.add(ends)
                yield pair

    def _pictures(self, stored: Stored) -> list[_Picture]:
        """The usable pictures of a product; none where an older version stored them, which kept nothing of each."""
        payload, views = stored.payload, self._index.record.views
        kept = payload.get("pictures", [])
        rows = stored.vectors.get("image", ())
        if len(rows) != len(kept) * views:
            return []
        sources, group = picture_sources(payload), _group(payload)
        return [
            _Picture(
                PictureRef(product=payload["id"], picture=one["at"], source=sources[one["at"]], root=payload["root"]),
                group,
                one["hash"],
                sketch(one.get("phash", "")),
                rows[number * views],
            )
            for number, one in enumerate(kept)
        ]


def _apart(picture: _Picture, ref: PictureRef, group: str | None) -> bool:
    """Whether a picture is of another product, and not of a variant."""
    return picture.ref.product != ref.product and (group is None or picture.group != group)


def _group(payload: dict[str, Any]) -> str | None:
    group: str | None = payload["product"].get("group_id")
    return group
