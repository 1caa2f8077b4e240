"""Labels that images and texts are given: text prompts as classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.judged import (
    MAX_PROMPTS,
    DocumentName,
    JudgedRequest,
    Name,
    Prompt,
    Threshold,
    distinct_names,
)
from schemas.text import fold, one_line

UNKNOWN = "unknown"
"""What is answered where no label is near enough; no label is called so."""

MAX_LABELS = 1_000
LABEL_DEPTH = 4
"""Levels of labels within labels."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _template(text: str) -> str:
    cleaned = one_line(text.replace("{label}", "{}"))
    if cleaned.count("{}") != 1:
        raise ValueError("it needs one {label}, or {}, where the label is put")
    return cleaned


Template = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_template)]
Templates = Annotated[list[Template], Field(min_length=1, max_length=MAX_PROMPTS)]
Temperature = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class Label(_Part):
    """One label: a name, or several texts that say what it means, and perhaps the labels within it."""

    name: Name
    texts: list[Prompt] | None = Field(
        None,
        min_length=1,
        max_length=MAX_PROMPTS,
        description="Other names of it, each put into every template; left out, the name alone.",
    )
    labels: list[Label] | None = Field(
        None, min_length=1, max_length=MAX_LABELS, description="The labels within it: a department has categories."
    )

    @model_validator(mode="after")
    def _sound(self) -> Label:
        if fold(self.name) == UNKNOWN:
            raise ValueError(f"no label can be called {UNKNOWN!r}: it is the answer where none fits")
        distinct_names(self.labels or [])
        return self


class LabelSet(_Part):
    """Labels that images or texts may be given, and how sure one has to be."""

    labels: Annotated[list[Label], Field(min_length=1, max_length=MAX_LABELS), AfterValidator(distinct_names)]
    templates: Templates | None = Field(
        None, description='As `a photo of a {label}`; what they say is averaged. `["{}"]` takes texts as they are.'
    )
    multi: bool = Field(False, description="Whether several labels may be right at once.")
    temperature: Temperature | None = Field(
        None, description="What similarities are divided by before they become probabilities: less is surer."
    )
    threshold: Threshold | None = Field(
        None, description="Similarity of the best label below which the answer is `unknown`."
    )

    @model_validator(mode="after")
    def _of_a_size(self) -> LabelSet:
        if _count(self.labels) > MAX_LABELS:
            raise ValueError(f"there are more than {MAX_LABELS:,} labels in it")
        if _depth(self.labels) > LABEL_DEPTH:
            raise ValueError(f"labels are within labels for more than {LABEL_DEPTH} levels")
        return self


def _count(labels: Sequence[Label]) -> int:
    return sum(1 + _count(label.labels or []) for label in labels)


def _depth(labels: Sequence[Label]) -> int:
    return 1 + max((_depth(label.labels) for label in labels if label.labels), default=0)


class ClassifyRequest(JudgedRequest):
    """Labels to choose from, and what they are given to."""

    label_set: DocumentName | None = Field(None, description="A label set of the collection, by its name.")
    labels: list[str | Label] | None = Field(
        None, min_length=1, max_length=MAX_LABELS, examples=[["cat", "dog"]], description="Or labels given here."
    )
    templates: Templates | None = Field(None, description="Of labels given here.")
    multi: bool = Field(False, description="Of labels given here: whether several may be right at once.")
    top_k: int = Field(5, ge=1, le=MAX_LABELS, description="How many labels are told of each.")
    threshold: Threshold | None = Field(
        None, description="Similarity below which the answer is `unknown`, in place of the one that is known."
    )
    temperature: Temperature | None = Field(None, description="In place of the one that is known.")

    @model_validator(mode="after")
    def _labels(self) -> ClassifyRequest:
        if (self.label_set is None) == (self.labels is None):
            raise ValueError("give the labels as one of label_set and labels")
        if self.labels is None and (self.templates is not None or self.multi):
            raise ValueError("templates and multi are for labels that are given here; a label set has its own")
        return self

    def inline(self) -> LabelSet:
        """The labels that are given here. Raises ValidationError."""
        labels = [{"name": one} if isinstance(one, str) else one.model_dump() for one in self.labels or ()]
        return LabelSet.model_validate({"labels": labels, "templates": self.templates, "multi": self.multi})


class LabelScore(_Part):
    """One label, and how near it is."""

    label: str
    path: list[str] | None = Field(None, description="The labels that it is within, from the top down to itself.")
    similarity: float = Field(description="The cosine, less the label's bias where that is taken away.")
    probability: float


class Classified(_Part):
    """What one image, text or product is."""

    id: str | None = Field(None, description="Of a product.")
    label: str = Field(description="The likeliest label, or `unknown` where its similarity is below the threshold.")
    path: list[str] | None = None
    score: float = Field(description="The similarity of the likeliest label, whether or not it is `unknown`.")
    labels: list[LabelScore] = Field(description="The likeliest first.")
    all: list[str] | None = Field(None, description="Where several may be right: those that reach the threshold.")
    by: Literal["image", "text"] = Field(description="What it was judged by; a product without images by its title.")


Known = Literal["given", "measured", "background", "uncalibrated"]


class ClassifyResponse(_Part):
    """What was judged, one by one, and by which numbers."""

    results: list[Classified]
    threshold: float | None = Field(description="Null where none is known: then nothing is `unknown`.")
    temperature: float
    calibration: Known = Field(
        description="Where the threshold is from: the request or the label set (`given`), labelled images "
        "(`measured`), a sample of the catalog (`background`), or nowhere (`uncalibrated`)."
    )
    version: int | None = Field(None, description="Of the label set.")
    next_cursor: str | None = None
    notices: list[str]
    took_ms: float


class LabelCatalogRequest(_Part):
    """A label set that says what every product of the catalog is."""

    label_set: DocumentName
    field: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="What of the catalog the labels are compared with; left out, the field of the label set's name, "
        "or the category.",
    )


class DisputedProduct(_Part):
    """A product whose catalog says another thing than a label set, or than what it looks like."""

    id: str
    title: str | None = None
    given: str = Field(description="What the catalog says.")
    predicted: str = Field(description="What the label set says.")
    probability: float = Field(description="Of the predicted label.")
    looks_like: str | None = Field(None, description="The value whose products it is nearest to.")
    surer: float = Field(description="The log-odds of that against the given one; below 0 others look as it does.")


class Disagreements(_Part):
    """What labels say beside a field of the catalog."""

    field: str
    compared: int = Field(description="Products with an image, and a label as their own value.")
    count: int = Field(description="Those of them that disagree.")
    products: list[DisputedProduct] = Field(description="The first 1,000 of these, the surest first.")


class LabelCatalogResponse(_Part):
    """What products are by a label set now: `predicted.NAME`, beside what the catalog says."""

    label_set: str
    version: int
    calibration: Known = Field(description="Where the numbers are from that labels were given by.")
    products: int
    labels: dict[str, int] = Field(description="How many products have each label, or are `unknown`.")
    changed: int = Field(description="Products that were labelled by another version before, or by none.")
    generation: str | None = Field(None, description="The one that has it: a new one where anything changed.")
    disagreements: Disagreements | None = Field(None, description="Absent where nothing of the catalog is like it.")
    notices: list[str]
