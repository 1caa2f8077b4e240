"""What has moved between two generations: vectors of the same products, and who their neighbours are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from evaluation.audit.hubs import ANSWER
from evaluation.exact import nearest
from images.arrays import Vectors
from index import DENSE, CatalogIndex, DenseName, sample_products

_BATCH = 500
_CHANGED = 1e-4
"""Less than 1 by as much, a cosine is of another vector and not of another order of sums."""
_SAMPLE = 500
_LISTED = 20


def drift(index: CatalogIndex, before: CatalogIndex) -> dict[str, Any]:
    """How an index differs from an older generation, as JSON.

    ``vectors`` are compared where one model made both; neighbours, those among the ten nearest images of some products,
    tell of two models as well. Of several images each new one counts as what it is nearest to, the farthest of them.
    """
    compatible = not index.record.embedding.differences(before.record.embedding)
    counts: Counter[str] = Counter()
    cosines: dict[DenseName, list[float]] = {name: [] for name in DENSE}
    moved: list[tuple[float, str, str]] = []
    after: UUID | None = None
    while ids := index.scan(None, _BATCH, after):
        new, old = index.fetch(ids, DENSE), before.fetch(ids, DENSE if compatible else ())
        counts["both"] += len(new.keys() & old.keys())
        counts["added"] += len(new.keys() - old.keys())
        for id in new.keys() & old.keys() if compatible else ():
            for name, cosine in _compared(new[id].vectors, old[id].vectors).items():
                cosines[name].append(cosine)
                if cosine < 1 - _CHANGED:
                    moved.append((cosine, str(new[id].payload["id"]), name))
        moved = sorted(moved)[:_LISTED]
        after = ids[-1]
    return {
        "generation": before.generation,
        "model": index.record.embedding.differences(before.record.embedding),
        "products": {"both": counts["both"], "added": counts["added"], "removed": before.count() - counts["both"]},
        "vectors": {name: _spread(some) for name, some in cosines.items() if some},
        "neighbours": _neighbours(index, before),
        "moved_most": [{"id": id, "vector": name, "cosine": round(cosine, 4)} for cosine, id, name in moved],
    }


def _compared(new: Mapping[DenseName, Vectors], old: Mapping[DenseName, Vectors]) -> dict[DenseName, float]:
    found: dict[DenseName, float] = {}
    for name in new.keys() & old.keys():
        ours, theirs = np.atleast_2d(new[name]), np.atleast_2d(old[name])
        if len(ours) and len(theirs) and np.isfinite(ours).all() and np.isfinite(theirs).all():
            found[name] = float((ours @ theirs.T).max(axis=1).min())
    return found


def _spread(cosines: Sequence[float]) -> dict[str, float]:
    values = np.array(cosines)
    return {
        "compared": len(values),
        "changed": int((values < 1 - _CHANGED).sum()),
        "mean_cosine": float(values.mean()),
        "p5_cosine": float(np.percentile(values, 5)),
        "least_cosine": float(values.min()),
    }


def _neighbours(index: CatalogIndex, before: CatalogIndex) -> dict[str, float] | None:
    """How many of the ten nearest images of a product are still those; None where none can be told."""
    asked = [
        (product.id, product.vectors["image"][0])
        for product in sample_products(index, _SAMPLE, ("image",))
        if len(product.vectors.get("image", ()))
    ]
    stored = before.fetch([id for id, _ in asked], ("image",))
    pairs = [(id, now, stored[id].vectors["image"][0]) for id, now in asked if _has_image(stored, id)]
    if not pairs:
        return None
    answers = [
        [set(one.points) for one in nearest(where, {"image": np.stack(vectors)}, ANSWER + 1)["image"]]
        for where, vectors in ((index, [now for _, now, _ in pairs]), (before, [then for _, _, then in pairs]))
    ]
    shares = [
        len((now & then) - {id}) / max(len(then - {id}), 1)
        for (id, _, _), now, then in zip(pairs, *answers, strict=True)
    ]
    return {"products": len(pairs), f"overlap@{ANSWER}": float(np.mean(shares))}


def _has_image(stored: Mapping[UUID, Any], id: UUID) -> bool:
    return id in stored and len(stored[id].vectors.get("image", ())) > 0


def text(found: Mapping[str, Any]) -> str:
    """A line a kind of vector."""
    products = found["products"]
    lines = [
        f"since {found['generation']}: {products['added']:,} products added, {products['removed']:,} removed, "
        f"{products['both']:,} in both"
    ]
    if found["model"]:
        lines.append(f"  another model ({', '.join(found['model'])} differ): no vectors are compared")
    for name, its in found["vectors"].items():
        lines.append(
            f"  {name:<6}{its['changed']:>9,} of {its['compared']:,} changed; cosines {its['mean_cosine']:.3f} on "
            f"average, {its['least_cosine']:.3f} at least"
        )
    if neighbours := found["neighbours"]:
        lines.append(f"  {neighbours[f'overlap@{ANSWER}']:.3f} of a product's ten nearest images are the same")
    lines += [f"    {one['cosine']:.3f}  {one['vector']:<6}{one['id']}" for one in found["moved_most"]]
    return "\n".join(lines)
