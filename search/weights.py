"""How much each leg is trusted, by model and by what was asked with.

Within a modality the weights are relative. ``lexical`` is what the leg counts when one product has
every word of the request; it falls with the share that any has (``fusion.trust``).
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas import EmbeddingSpec, LegName


@dataclass(frozen=True, slots=True)
class LegWeights:
    """Weights of the legs of words, of the legs of images, and the share of words when both are given."""

    words: dict[LegName, float]
    image: dict[LegName, float]
    share_of_words: float = 0.5


# Chosen by grid over three development catalogs (garments, foods, electronics; 17 kinds of request)
# for the mean nDCG@10; it is flat around here, and no kind falls far below its best leg.
BUILTIN = LegWeights(
    words={"text->image": 0.15, "text->title": 0.7, "text->text": 0.4, "lexical": 1.25},
    image={"image->image": 1.0, "image->text": 0.02},
)

# Not measured: no CLIP weights could be had where this was written. CLIP is trained to bring words
# and images together, so its cross-modal legs count for more and its text-to-text legs for less.
CLIP = LegWeights(
    words={"text->image": 0.5, "text->title": 0.4, "text->text": 0.3, "lexical": 1.0},
    image={"image->image": 1.0, "image->text": 0.2},
)


def weights_for(spec: EmbeddingSpec) -> LegWeights:
    return BUILTIN if spec.model == "builtin" else CLIP
