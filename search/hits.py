"""Points as hits: the product, where its images are, and why it is here."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from catalog import image_sources, shown_product
from schemas import Explanation, Group, Hit
from search.duplicates import SameImage


def image_addresses(payload: dict[str, Any]) -> list[str]:
    """Where this server shows a product's images, in the order of the catalog."""
    product_id = quote(payload["id"], safe="")
    return [f"/v1/products/{product_id}/images/{n}" for n in range(len(image_sources(payload)))]


def hit(
    payload: dict[str, Any],
    score: float,
    *,
    image: int | None = None,
    same: SameImage | None = None,
    group: Group | None = None,
    explain: Explanation | None = None,
) -> Hit:
    return Hit(
        id=payload["id"],
        score=round(score, 6),
        product=shown_product(payload),
        images=image_addresses(payload),
        picture=image,
        same_picture=same,
        group=group,
        explain=explain,
    )
