"""Images that show the same: the lines of a job's file and of ``python -m ingest same``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DuplicateKind = Literal["identical", "near-identical", "similar"]
"""The same bytes; copies that were scaled, compressed, lit, marked or cut; images that only look alike."""


class ImageRef(BaseModel):
    """One image of a product."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: str
    picture: int = Field(description="Place among the product's images, from 0.")
    source: str = Field(description="The image as the catalog has it.")
    root: str = Field(description="Where a relative source leads.")


class DuplicatePair(BaseModel):
    """Two images, of one product or of two that are no variants of each other."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: DuplicateKind
    one: ImageRef
    other: ImageRef
    cosine: float = Field(description="Of their embeddings.")
    difference: float | None = Field(
        None, description="Of what they show, copies up to 1; none where it is not known of one of them."
    )


class DuplicateCluster(BaseModel):
    """Images that are one, by way of each other; identical when all of them are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: DuplicateKind
    pictures: list[ImageRef]
