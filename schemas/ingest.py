"""The last line of a job's standard output."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.embedding import Precision, PrecisionQuality


class Change(BaseModel):
    """What something was in the index, and what it is from this run on; None where there was or is nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: str | None
    after: str | None


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
        0, description="Among the others, not the rejected: products in the index without what of them is unusable."
    )
    deleted: int = 0
    left_behind: int = Field(0, description="Products of an older model's generation that this catalog lacks.")
    dry_run: bool = Field(False, description="Nothing was written: the counts say what a job would do.")
    mapping: dict[str, str] = Field(
        default_factory=dict, description="The catalog's columns that were read under another name, and that name."
    )
    mapping_changes: dict[str, Change] = Field(
        default_factory=dict, description="Our columns that are filled from other guessed columns than before."
    )
    kind_changes: dict[str, Change] = Field(
        default_factory=dict, description="Fields that are of another kind from this run on."
    )
    fields_left_out: int = Field(
        0, description="Columns that are kept and returned, and cannot be filtered by: an index has so many fields."
    )
    lost_images: int = Field(
        0, description="Images that the index had, and that cannot be read or are not named by their rows any more."
    )
    embedded_images: int = Field(0, description="Images that went through the model; of equal ones the first.")
    embedded_texts: int = 0
    rejects: dict[str, int] = Field(default_factory=dict, description="Rejects by code.")
    rejects_file: str | None = None
    generation: str | None = None
    seconds: float = 0.0
    stages: dict[str, float] = Field(default_factory=dict, description="Seconds of each stage.")
    precision: Precision | None = Field(None, description="Arithmetic that vectors were made in, where some were.")
    precision_quality: PrecisionQuality | None = Field(
        None, description="What was measured where int8 was asked for; below its bar it is not `precision`."
    )
    same_pictures: dict[str, int] = Field(
        default_factory=dict, description="Pairs of images that are the same though they should not be, by kind."
    )
    same_file: str | None = None
    calibration: int | None = Field(
        None, description="Version of the calibration of searches that was made at the end; None where none was."
    )
    labelled: int = Field(0, description="Products that label sets have said something of in this run.")
    images_per_second: float | None = Field(
        None, description="Throughput: images a second from the end of the first batch on, less the time for words."
    )
    bottleneck: Literal["decode", "encode", "write"] | None = Field(
        None, description="What took most of the time: images, the model, or the index."
    )
