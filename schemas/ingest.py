"""The last line of a job's standard output."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class IngestReport(BaseModel):
    """What one run did. ``read = indexed + updated + unchanged + rejected``."""

    model_config = ConfigDict(extra="forbid")

    catalog: str
    collection: str
    model: str
    read: int = 0
    indexed: int = Field(0, description="Something of them was embedded: new or changed.")
    updated: int = Field(0, description="Only their payload was written.")
    unchanged: int = 0
    rejected: int = 0
    degraded: int = Field(
        0, description="Among the others, not the rejected: products in the index without a picture that is unusable."
    )
    deleted: int = 0
    left_behind: int = Field(0, description="Products of an older model's generation that this catalog lacks.")
    embedded_images: int = 0
    embedded_texts: int = 0
    rejects: dict[str, int] = Field(default_factory=dict, description="Rejects by code.")
    rejects_file: str | None = None
    generation: str | None = None
    seconds: float = 0.0
    stages: dict[str, float] = Field(default_factory=dict, description="Seconds of each stage.")
    images_per_second: float | None = Field(None, description="Steady rate: embedded pictures a second of `embed`.")
