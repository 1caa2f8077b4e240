"""What is wrong in an index, as numbers, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from evaluation.audit.hubs import Sampled, find_hubs
from evaluation.audit.modality_gap import gap, without_gap
from evaluation.audit.points import Points, look_at
from images.arrays import Vectors
from index import CatalogIndex, sample_products

SAMPLE = 1_000
"""Products whose words and images are asked with."""
_LISTED = 20


def audit(index: CatalogIndex) -> dict[str, Any]:
    """Every point of an index, with its vectors, and how they lie to each other, as JSON.

    Counts are of products but for ``constant_dimensions``, those of vectors of any kind; ``modality_gap`` is a
    distance, None where there are no images or no words. ``details`` say which.
    """
    points = look_at(index)
    sample = take_sample(index, SAMPLE)
    hubs = find_hubs(index, sample)
    worst = index.payloads([hub.point for hub in hubs[:_LISTED]], ["id"])
    return {
        "points": points.points,
        "foreign": points.foreign,
        "not_unit": len(points.not_unit),
        "not_finite": len(points.not_finite),
        "constant_dimensions": len({at for its in points.dimensions.values() for at in its.constant}),
        "duplicates": points.duplicates,
        "modality_gap": _gap(points),
        "hubs": len({hub.point for hub in hubs}),
        "details": {
            "generation": index.generation,
            "not_unit": points.not_unit[:_LISTED],
            "not_finite": points.not_finite[:_LISTED],
            "duplicates": [ids[:_LISTED] for ids in points.repeated[:_LISTED]],
            "hubs": [
                {"id": worst[hub.point]["id"], "direction": hub.direction, "share": round(hub.share, 4)}
                for hub in hubs[:_LISTED]
                if hub.point in worst
            ],
            "vectors": _vectors(points, sample),
            "modality_gap": without_gap(sample) if len(sample.points) > 1 else None,
        },
    }


def take_sample(index: CatalogIndex, products: int) -> Sampled:
    """Some products that have both an image and words, all of them usable, always the same ones."""
    points: list[UUID] = []
    images: list[Vectors] = []
    words: list[Vectors] = []
    for product in sample_products(index, products, ("image", "title", "text")):
        written = product.vectors.get("title", product.vectors.get("text"))
        shown = product.vectors.get("image")
        if written is None or shown is None or not len(shown):
            continue
        pair = np.stack([shown[0], written])
        lengths = np.linalg.norm(pair, axis=1, keepdims=True)
        if np.isfinite(lengths).all() and lengths.all():
            points.append(product.id)
            images.append((pair / lengths)[0])
            words.append((pair / lengths)[1])
    if not points:
        nothing = np.empty((0, index.record.embedding.dimension), np.float32)
        return Sampled([], nothing, nothing)
    return Sampled(points, np.stack(images), np.stack(words))


def _gap(points: Points) -> float | None:
    its = points.dimensions
    words = its.get("title", its.get("text"))
    return None if words is None or "image" not in its else gap(its["image"].centroid, words.centroid)


def _vectors(points: Points, sample: Sampled) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, its in points.dimensions.items():
        found[name] = {
            "vectors": its.rows,
            "constant_dimensions": its.constant,
            "zero_dimensions": [at for at in its.constant if its.most[at] == its.least[at] == 0],
            # Of unit vectors the mean's length squared is their mean cosine: near 1 they are all alike.
            "mean_cosine": float(its.centroid @ its.centroid),
        }
    for name, rows in (("image", sample.images), ("title", sample.words)):
        if name in found and len(rows) > 1:
            found[name]["effective_dimensions"] = _effective_dimensions(rows)
    return found


def _effective_dimensions(rows: Vectors) -> float:
    """How many directions vectors differ in, by the entropy of their variances (Roy and Vetterli 2007)."""
    variances = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    total = variances.sum()
    if total <= 0:
        return 0.0
    shares = variances[variances > 0] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))


SAID = {
    "points": "products",
    "foreign": "points that StoreLens did not write",
    "not_unit": "products with a vector that is not of unit length",
    "not_finite": "products with a vector that is not finite",
    "constant_dimensions": "dimensions that are the same in every image, title or text",
    "duplicates": "products that repeat the image, or all, of another that is no variant",
    "hubs": "products that are in too many answers",
}


def text(found: Mapping[str, Any]) -> str:
    """A line a number, and what there is to say of it."""
    details = found["details"]
    lines = []
    for name, said in SAID.items():
        lines.append(f"{found[name]:>10,}  {said}")
        if name == "constant_dimensions":
            lines += [_dimensions(kind, its) for kind, its in details["vectors"].items()]
        elif details.get(name):
            lines += [f"{'':>12}{_one(which)}" for which in details[name]]
    if found["modality_gap"] is not None:
        lines.append(f"{found['modality_gap']:>10.3f}  between the means of images and of titles (0 to 2)")
    for direction, its in (details["modality_gap"] or {}).items():
        before, after = its["before"], its["after"]
        numbers = ", ".join(
            f"{name} {before[name]:.3f} -> {after[name]:.3f}" for name in ("recall@1", "recall@10", "mrr")
        )
        lines.append(f"{'':>12}{direction} without it: {numbers}")
    return "\n".join(lines)


def _dimensions(kind: str, its: Mapping[str, Any]) -> str:
    constant, zero = len(its["constant_dimensions"]), len(its["zero_dimensions"])
    spread = f", {its['effective_dimensions']:.0f} effective" if "effective_dimensions" in its else ""
    return f"{'':>12}{kind}: {constant:,}, {zero:,} of them 0{spread}; mean cosine {its['mean_cosine']:.3f}"


def _one(which: str | Mapping[str, Any] | Sequence[str]) -> str:
    if isinstance(which, str):
        return which
    if isinstance(which, Mapping):
        return f"{which['id']}  in {which['share']:.1%} of {which['direction']}"
    return "  ".join(which)
