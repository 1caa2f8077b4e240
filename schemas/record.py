"""What an index says of itself."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from schemas.embedding import EmbeddingSpec, PrecisionQuality
from schemas.filters import FieldKind

RECORD_FORMAT = 1


class IndexRecord(BaseModel):
    """Stored with every generation: enough to open it, to query it, and to refuse what does not fit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = RECORD_FORMAT
    collection: str
    embedding: EmbeddingSpec
    fields: dict[str, FieldKind] = Field(description="Filterable fields and the kind found over the catalog.")
    average_words: float = Field(
        gt=0, description="Mean words of a product, for BM25; fixed when the index is created."
    )
    precision_quality: PrecisionQuality | None = Field(
        None, description="What was measured before pictures were embedded in int8; None where none were."
    )
    created: datetime
    updated: datetime
