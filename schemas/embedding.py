"""What an embedding is: the contract between the vectors in an index and the encoder of a query."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Precision = Literal["float32", "bfloat16", "int8"]


class PrecisionQuality(BaseModel):
    """How near the vectors of a faster precision are to those of float32, on images of the catalog itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cosine_mean: float = Field(description="Of an image's two vectors.")
    cosine_min: float = Field(description="Of the image whose vectors differ most.")
    overlap_at_10: float = Field(
        description="Share of the ten images nearest to each in float32 that are among its nearest in the other, too."
    )
    pictures: int = Field(description="Distinct images it was measured on.")
    fingerprint: str = Field(description="Of the model.")
    measured_with: str = Field(
        description="The runtime, the instructions of the processor, and how the network was made."
    )


class EmbeddingSpec(BaseModel):
    """Identity of an encoder, stored with every index that it filled.

    Two specs are compatible when vectors of one may be compared with vectors of the other:
    everything but ``precision`` must agree (an index built in bfloat16 serves anywhere).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="Name or directory the model was loaded by, or `builtin`.")
    fingerprint: str = Field(description="SHA-256 over the model's configuration and weights, hex.")
    dimension: int = Field(gt=0, description="Length of every vector; images and texts share it.")
    max_tokens: int = Field(gt=0, description="Tokens of one window; longer texts are split and averaged.")
    preprocessing: str = Field(description="How an image becomes a tensor, in words: size, crop, normalisation.")
    prompts: dict[str, str] = Field(default_factory=dict, description="Text put before queries and documents, by role.")
    precision: Precision = Field("float32", description="Arithmetic the vectors were computed in.")

    def differences(self, other: EmbeddingSpec) -> list[str]:
        """Names of the fields that make the two incompatible, empty when vectors may be compared."""
        mine, theirs = self._identity(), other._identity()
        return [name for name in mine if mine[name] != theirs[name]]

    def _identity(self) -> dict[str, object]:
        # The name is not compared: the same weights under another path are the same model.
        return self.model_dump(exclude={"precision", "model"})
