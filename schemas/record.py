"""What an index says of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.embedding import EmbeddingSpec, Precision, PrecisionQuality
from schemas.filters import FieldKind

RECORD_FORMAT = 4
"""4: payloads have ``terms`` and ``subject_terms``.

3: they have ``codes`` and ``code_parts``, and numbers have one form, 42 for 42.0. 2: they list ``pictures``, and
``hashes`` has the ``row``, which those of format 1 lack.
"""


MAX_FIELDS = 300
"""Fields of an index to filter by. The embedded engine maps some 80 files for each where it has eight graphs, a service
has two generations open while it changes over, and Linux allows a process 65,530."""


class IndexRecord(BaseModel):
    """Stored with every generation: enough to open it, to query it, and to refuse what does not fit."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)

    format: int = RECORD_FORMAT
    collection: str
    embedding: EmbeddingSpec
    fields: dict[str, FieldKind] = Field(description="Filterable fields and the kind found over the catalog.")
    mapping: dict[str, str] = Field(
        default_factory=dict, description="Columns that were guessed to be ours, and what they were read as."
    )
    average_words: float = Field(
        gt=0, description="Mean words of a product, for BM25; fixed when the index is created."
    )
    precision_quality: PrecisionQuality | None = Field(
        None, description="What was measured before images were embedded in int8; None where none were."
    )
    crops_per_image: int = Field(
        1, ge=1, alias="views", description="Rows of the image vector that each image has; stored as `views`."
    )
    created: datetime
    updated: datetime

    def differences(self, other: IndexRecord) -> list[str]:
        """Names of what makes points of one useless beside points of the other; empty when they go together."""
        crops = ["crops per image"] if self.crops_per_image != other.crops_per_image else []
        return self.embedding.differences(other.embedding) + crops


class Generation(BaseModel):
    """One generation that an index keeps. What cannot be told of it, as of a damaged one, is None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    serving: bool
    products: int | None
    model: str | None
    precision: Precision | None
    created: datetime | None
    updated: datetime | None
    size: int | None = Field(description="Bytes on disk; a server does not tell.")

    @classmethod
    def of(cls, name: str, record: IndexRecord, *, serving: bool, products: int | None, size: int | None) -> Self:
        spec = record.embedding
        return cls(
            name=name,
            serving=serving,
            products=products,
            model=spec.model,
            precision=spec.precision,
            created=record.created,
            updated=record.updated,
            size=size,
        )

    @classmethod
    def unreadable(cls, name: str, *, serving: bool, size: int | None) -> Self:
        nothing = dict.fromkeys(("products", "model", "precision", "created", "updated"))
        return cls.model_validate({"name": name, "serving": serving, "size": size, **nothing})
