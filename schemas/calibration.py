"""What the scores of a search mean on one catalog.

Measured there by ``python -m evaluation calibrate``, and kept as the document ``calibrations/search``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

from schemas.search import LegName

SEARCH_CALIBRATION = "search"
"""The document of a collection that its searches go by."""

Asked = Literal["covered", "expanded", "uncovered", "long", "image", "product", "mixed"]
"""What a request is: words that say what some product is, others that stand for such, words that none has, a
description; a query image, a product, or several of them."""

Weighed = Literal["covered", "expanded", "uncovered", "long", "image"]
"""Requests that have weights of their own for what is fused."""

LEGS_OF_WORDS: frozenset[LegName] = frozenset(("text->title", "text->text", "text->image", "lexical"))
LEGS_OF_IMAGES: frozenset[LegName] = frozenset(("image->image", "image->text"))

Probability = Annotated[float, Field(ge=0, le=1)]


Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Logistic(_Part):
    """A probability: the logistic function of ``bias`` and the weighted sum of some features."""

    weights: dict[str, float]
    bias: float


class Verdict(_Part):
    """Whether a catalog has what is asked for: ``none`` below one probability, ``good`` from the other on."""

    probability: Logistic
    none_below: Probability
    good_from: Probability

    @model_validator(mode="after")
    def _in_order(self) -> Verdict:
        if self.none_below > self.good_from:
            raise ValueError("none_below is above good_from")
        return self


class Curve(_Part):
    """How probable it is that a product fits, by its share of the best score of the request.

    ``shares`` rise and ``probabilities`` do not fall; between them lies a line. What is below ``floor`` does not fit.
    """

    shares: list[float] = Field(min_length=2)
    probabilities: list[Probability] = Field(min_length=2)
    floor: Probability
    least_share: float = Field(ge=0, description="The smallest share that is not below the floor; above 1 for none.")
    least_of_category: float = Field(
        0.0, ge=0, le=1, description="Of a category of which no product has this share of the best score, none fits."
    )
    requests: int = Field(ge=0, description="How many it was fitted on.")

    @model_validator(mode="after")
    def _curve(self) -> Curve:
        if len(self.shares) != len(self.probabilities) or self.shares != sorted(self.shares):
            raise ValueError("shares and probabilities are the points of a curve, in order")
        if self.probabilities != sorted(self.probabilities):
            raise ValueError("probabilities fall where shares rise")
        return self


class Calibration(_Part):
    """Of the searches of one collection.

    ``fingerprint`` is of the model that made the vectors: with another, nothing of this holds.
    """

    model: str
    fingerprint: str
    products: int
    generation: str
    made: AwareDatetime
    requests: dict[str, int] = Field(description="By kind, those that it was fitted on.")
    words: Verdict | None = None
    image: Verdict | None = None
    fitting: dict[Asked, Curve]
    weights: dict[Weighed, dict[LegName, Weight]] | None = Field(
        None, description="Of legs, where others than those that are shipped do better; left out, all of those."
    )
    test: dict[str, JsonValue] = Field(description="What was measured on requests that were not fitted on.")

    @model_validator(mode="after")
    def _whole_tables(self) -> Calibration:
        for weighed, table in (self.weights or {}).items():
            legs = LEGS_OF_IMAGES if weighed == "image" else LEGS_OF_WORDS
            if table.keys() != legs or not any(table.values()):
                raise ValueError(f"weights.{weighed} is to have {', '.join(sorted(legs))}, one of them above 0")
        return self


class _OfLabels(_Part):
    """What was measured of a version of a document on labelled images, and the catalog that it was measured in.

    ``fingerprint`` is of the model: with another, nothing of this holds.
    """

    name: str
    version: int
    model: str
    fingerprint: str
    products: int
    generation: str
    made: AwareDatetime
    source: str = Field(description="Where the labelled images are from.")
    images: int
    test: dict[str, JsonValue] = Field(description="What was measured on images that were not fitted on.")


class LabelCalibration(_OfLabels):
    """Of a label set: what its similarities with images mean."""

    temperature: float = Field(gt=0)
    threshold: float
    bias: Probability = Field(description="The share of what a label scores with the average image that is taken off.")
    deciles: list[float] = Field(description="Of the nearest label's similarity, over the catalog.")


class PolicyCalibration(_OfLabels):
    """Of a policy: from which score its rules fire, for images."""

    thresholds: dict[str, float]
    deciles: dict[str, list[float]] = Field(description="Of each rule's score, over the catalog.")


def calibration_of(name: str) -> type[BaseModel] | None:
    """What a calibration of this name has to be, where the name tells."""
    if name == SEARCH_CALIBRATION:
        return Calibration
    if name.startswith("label-set-"):
        return LabelCalibration
    return PolicyCalibration if name.startswith("policy-") else None
