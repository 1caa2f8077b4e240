"""What an index says of itself."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from schemas.embedding import EmbeddingSpec
from schemas.filters import FieldKind

RECORD_FORMAT = 2
"""2: payloads list their ``pictures``, and ``hashes`` has the ``row``; those of format 1 have neither."""


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
    views: int = Field(1, ge=1, description="Rows of the image vector that each picture has.")
    created: datetime
    updated: datetime

    def differences(self, other: IndexRecord) -> list[str]:
        """Names of what makes points of one useless beside points of the other; empty when they go together."""
        return self.embedding.differences(other.embedding) + (["views"] if self.views != other.views else [])
