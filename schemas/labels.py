"""Labels that images and texts are given, and policies that they are held to: text prompts as classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.product import ProductId
from schemas.text import clean_line, fold

UNKNOWN = "unknown"
"""What is answered where no label is near enough; no label is called so."""

MAX_LABELS = 1_000
MAX_PROMPTS = 100
"""Of one label, one rule, or one list of templates."""
LABEL_DEPTH = 4
"""Levels of labels within labels."""

Action = Literal["allow", "review", "block"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _line(text: str) -> str:
    if not (cleaned := clean_line(text)):
        raise ValueError("there is nothing in it")
    return cleaned


def _template(text: str) -> str:
    cleaned = _line(text.replace("{label}", "{}"))
    if cleaned.count("{}") != 1:
        raise ValueError("it needs one {label}, or {}, where the label is put")
    return cleaned


def _names_distinct(named: Sequence[Any]) -> Sequence[Any]:
    seen: set[str] = set()
    for one in named:
        if fold(one.name) in seen:
            raise ValueError(f"{one.name!r} is in it twice")
        seen.add(fold(one.name))
    return named


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_line)]
Prompt = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_line)]
Template = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_template)]
Templates = Annotated[list[Template], Field(min_length=1, max_length=MAX_PROMPTS)]
Temperature = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Threshold = Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)]


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
        _names_distinct(self.labels or [])
        return self


class LabelSet(_Part):
    """Labels that images or texts may be given, and how sure one has to be."""

    labels: Annotated[list[Label], Field(min_length=1, max_length=MAX_LABELS), AfterValidator(_names_distinct)]
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


class Exemplar(_Part):
    """An image that shows what a rule is about: a product's, or its bytes."""

    product_id: ProductId | None = None
    base64: str | None = Field(None, min_length=1, json_schema_extra={"contentEncoding": "base64"})

    @model_validator(mode="after")
    def _one(self) -> Exemplar:
        if (self.product_id is None) == (self.base64 is None):
            raise ValueError("give the image as one of product_id and base64")
        return self


class PolicyRule(_Part):
    """What one rule looks for. An image is as near to it as to the nearest prompt or image, less how near it is to the
    nearest of what is not meant."""

    name: Name
    prompts: list[Prompt] = Field([], max_length=MAX_PROMPTS, description="Texts of what is meant.")
    counter_prompts: list[Prompt] | None = Field(
        None, min_length=1, max_length=MAX_PROMPTS, description="Texts of what looks like it and is not meant."
    )
    images: list[Exemplar] | None = Field(
        None, min_length=1, max_length=MAX_PROMPTS, description="Images of what is meant."
    )
    counter_images: list[Exemplar] | None = Field(
        None, min_length=1, max_length=MAX_PROMPTS, description="Images of what is not meant."
    )
    threshold: Threshold | None = Field(
        None, description="Score from which the rule fires; left out, it is uncalibrated and fires for nothing."
    )
    action: Action

    @model_validator(mode="after")
    def _looks_for_something(self) -> PolicyRule:
        if not self.prompts and not self.images:
            raise ValueError("a rule needs prompts or images of what it is about")
        if self.counter_images and not self.images:
            raise ValueError("counter_images need images to be compared with")
        if self.counter_prompts and not self.prompts:
            raise ValueError("counter_prompts need prompts to be compared with")
        return self


class Policy(_Part):
    """What images may not show, or not without somebody looking."""

    rules: Annotated[list[PolicyRule], Field(min_length=1, max_length=200), AfterValidator(_names_distinct)]
