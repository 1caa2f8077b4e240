"""Points as hits: the product, which image of it matched, whether one is the image asked with, and why it is here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

import numpy as np

from catalog import image_sources, shown_product
from images import differences, fingerprint_cells, is_copy, near_distance
from index import CatalogIndex, Stored, sample_images
from schemas import Explanation, Hit, LegExplanation
from search.ask import Ask, Entry
from search.candidates import Candidates
from search.highlight import highlights
from search.plan import AskedImage, Vector
from search.result_set import ResultSet

SameImage = Literal["identical", "near-identical"]

_SAMPLE = 256


def image_addresses(payload: dict[str, Any]) -> list[str]:
    """Where this server shows a product's images, in the order of the catalog."""
    product_id = quote(payload["id"], safe="")
    return [f"/v1/products/{product_id}/images/{n}" for n in range(len(image_sources(payload)))]


def hits_of(index: CatalogIndex, ask: Ask, found: Candidates, entries: Sequence[Entry], fits: ResultSet) -> list[Hit]:
    """Entries as hits; those that were deleted on a server meanwhile are left out.

    Args:
        found: Candidates that say what each leg thought of them.
    """
    shown = [entry.id for entry in entries]
    explains, marks = ask.request.explain, ask.request.highlight and bool(found.terms)
    stored = index.fetch(shown)
    images = matched_images(index, found, stored)
    same = same_images(found, stored, ask.near)
    matched = index.matched(shown, found.terms) if explains and found.terms else {}
    places = leg_places(found) if explains else []
    scores = {point.int: score for point, score in zip(found.points, found.scores.tolist(), strict=True)}
    hits = []
    for entry in entries:
        if entry.id not in stored:
            continue
        score = scores.get(entry.id.int, 0.0)
        explanation = None
        if explains:
            share = 1.0 if entry.id in found.exact else score / fits.found.top
            explanation = explain(entry.id, found, places, matched.get(entry.id, []), fits.probability(share))
        hits.append(
            _hit(
                stored[entry.id].payload,
                entry,
                score,
                picture=images.get(entry.id),
                same_picture=same.get(entry.id),
                explain=explanation,
                highlights=highlights(stored[entry.id].payload["product"], found.terms) if marks else None,
            )
        )
    return hits


def plain_hits(index: CatalogIndex, entries: Sequence[Entry]) -> list[Hit]:
    """Entries of a browse as hits."""
    stored = index.fetch([entry.id for entry in entries])
    return [_hit(stored[entry.id].payload, entry, 0.0) for entry in entries if entry.id in stored]


def _hit(payload: dict[str, Any], entry: Entry, score: float, **more: Any) -> Hit:
    return Hit(
        id=payload["id"],
        score=round(score, 6),
        product=shown_product(payload),
        images=image_addresses(payload),
        group=entry.group,
        tail=True if entry.tail else None,
        **more,
    )


def matched_images(index: CatalogIndex, found: Candidates, shown: Mapping[UUID, Stored]) -> dict[UUID, int]:
    """For each product that an image leg found, the place of its best image among its sources, from 0.

    Judged by the image leg that weighed most for it. Vectors are read for products of several images alone.
    """
    asked = _questions(found, shown)
    several = [point for point in asked if len(_places(shown[point].payload)) > 1]
    vectors = index.fetch(several, vectors=("image",)) if several else {}
    best: dict[UUID, int] = {}
    for point, query in asked.items():
        places = _places(shown[point].payload)
        rows = vectors[point].vectors.get("image") if point in vectors else None
        if len(places) == 1:
            best[point] = places[0]
        elif places and rows is not None:
            best[point] = places[int(np.argmax(rows @ query)) // index.record.crops_per_image]
    return best


def _questions(found: Candidates, shown: Mapping[UUID, Stored]) -> dict[UUID, Vector]:
    """What each product's images were best compared with."""
    most: dict[UUID, tuple[float, Vector]] = {}
    for planned, result in found.legs:
        if planned.leg.vector != "image" or isinstance(planned.leg.query, str):
            continue
        for point, score in zip(result.points, (result.weight * result.normalized).tolist(), strict=True):
            if point in shown and (point not in most or score > most[point][0]):
                most[point] = score, planned.leg.query
    return {point: query for point, (_, query) in most.items()}


def _places(payload: Mapping[str, Any]) -> Sequence[int]:
    return [image["at"] for image in payload.get("pictures", ())]


def near_images(index: CatalogIndex) -> float:
    """How far apart embeddings of images are that look alike: ``images.near_distance`` of an index."""
    vectors, payloads = sample_images(index, _SAMPLE)
    return near_distance(vectors, [payload["product"].get("group_id") for payload in payloads])


def same_images(found: Candidates, shown: Mapping[UUID, Stored], near: float) -> dict[UUID, SameImage]:
    """Products with an image that is one of those asked with, byte by byte or a copy of it."""
    same: dict[UUID, SameImage] = {}
    for planned, result in found.legs:
        if planned.image is None:
            continue
        for point, cosine in zip(result.points, result.scores.tolist(), strict=True):
            if point not in shown or not is_copy(0.0, cosine, near) or same.get(point) == "identical":
                continue
            if kind := _kind(planned.image, shown[point].payload, cosine, near):
                same[point] = kind
    return same


def _kind(asked: AskedImage, payload: Mapping[str, Any], cosine: float, near: float) -> SameImage | None:
    kept = payload.get("pictures", ())
    if any(image["hash"] == asked.hash for image in kept):
        return "identical"
    fingerprints = [known for image in kept if (known := fingerprint_cells(image.get("phash", ""))) is not None]
    if asked.fingerprint is None or not fingerprints:
        return None
    # The cosine is of the product's nearest image, which a copy would be.
    difference = float(differences(asked.fingerprint, np.stack(fingerprints)).min())
    return "near-identical" if is_copy(difference, cosine, near) else None


def leg_places(found: Candidates) -> list[dict[UUID, int]]:
    """For each leg, where in it each of its candidates stands, from 0."""
    return [{point: place for place, point in enumerate(result.points)} for _, result in found.legs]


def explain(
    point: UUID,
    found: Candidates,
    places: Sequence[Mapping[UUID, int]],
    words: Sequence[str],
    probability: float | None,
) -> Explanation:
    """Why a point is where it is; ``places`` are ``leg_places``, ``words`` those of the request that it has."""
    legs = []
    for (planned, result), place in zip(found.legs, places, strict=True):
        at = place.get(point)
        if at is None:
            continue
        legs.append(
            LegExplanation(
                leg=planned.leg.name,
                score=round(float(result.scores[at]), 6),
                normalized=round(float(result.normalized[at]), 6),
                weight=round(result.weight, 6),
                rank=at + 1,
                asked=planned.asked,
            )
        )
    rounded = None if probability is None else round(probability, 6)
    lost = found.lost.get(point)
    return Explanation(
        legs=legs,
        probability=rounded,
        exact=found.exact.get(point),
        matched_terms=list(words),
        negative=None if lost is None else round(lost, 6),
    )
