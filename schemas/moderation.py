"""Policies that images and texts are held to, what they decide, and what people decide after them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.judged import (
    MAX_JUDGED,
    MAX_PROMPTS,
    DocumentName,
    JudgedRequest,
    Name,
    Prompt,
    Threshold,
    distinct_names,
)
from schemas.product import ProductId
from schemas.text import clean_code, one_line

_BASE64 = re.compile(r"(?:data:[^,]*,)?[A-Za-z0-9+/_\s-]+={0,2}\s*", re.IGNORECASE)

Action = Literal["allow", "review", "block"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Exemplar(_Part):
    """An image that shows what a rule is about: a product's, or its bytes."""

    product_id: ProductId | None = None
    base64: str | None = Field(None, min_length=1, json_schema_extra={"contentEncoding": "base64"})

    @field_validator("base64")
    @classmethod
    def _base64(cls, written: str | None) -> str | None:
        if written is not None and not _BASE64.fullmatch(written):
            raise ValueError("it is no base64, nor a data: URI of an image")
        return written

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
        None, description="Score from which the rule fires; left out, the rule is uncalibrated."
    )
    at_most: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Without a threshold: the share of the catalog that the rule may fire for. Left out, it fires for "
        "what is nearer to what is meant than to what is not, or, with nothing to compare with, for a hundredth.",
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


Rules = Annotated[list[PolicyRule], Field(min_length=1, max_length=200), AfterValidator(distinct_names)]


class Policy(_Part):
    """What images may not show, or not without somebody looking."""

    rules: Rules


class ModerateRequest(JudgedRequest):
    """A policy, and what is held to it."""

    policy: DocumentName | None = Field(None, description="A policy of the collection, by its name.")
    rules: Rules | None = Field(None, description="Or rules given here: what they would do before they are stored.")

    @model_validator(mode="after")
    def _rules(self) -> ModerateRequest:
        if (self.policy is None) == (self.rules is None):
            raise ValueError("give what things are held to as one of policy and rules")
        return self


class RuleScore(_Part):
    """What one rule says."""

    rule: str
    score: float
    threshold: float | None
    fired: bool
    action: Action = Field(description="What the rule does when it fires.")
    calibrated: bool = Field(description="Whether the policy has a threshold for it, and it is for what was judged.")


class Appeal(_Part):
    """What a person decided about a product: it outlives every judgement by rules."""

    action: Action
    by: str = Field(min_length=1, max_length=200)
    note: str | None = Field(None, max_length=2_000)
    at: datetime


class Decision(_Part):
    """What is done with one image, text or product, and why."""

    id: str | None = None
    action: Action
    rules: list[RuleScore]
    by: Literal["image", "text"]
    appeal: Appeal | None = Field(None, description="Where a person decided, that is the action.")


class ModerateResponse(_Part):
    """What was decided, one by one, and by which version of the policy."""

    decisions: list[Decision]
    policy: str | None = Field(None, description="Absent for rules of the request, as `version` is.")
    version: int | None = None
    next_cursor: str | None = None
    notices: list[str]
    took_ms: float


class JudgeRequest(_Part):
    """A policy that the whole catalog is held to."""

    policy: DocumentName


class JudgeResponse(_Part):
    """What all policies together decide of the catalog now."""

    policy: str
    version: int
    products: int
    allow: int
    review: int
    block: int
    changed: int = Field(description="Products of which something else was decided before.")
    appeals: int = Field(description="Products that a person decided about, which counts.")
    generation: str | None = Field(None, description="The one that has it: a new one where anything changed.")
    notices: list[str]


class Appealed(_Part):
    """What a person decides about one product."""

    id: ProductId
    action: Action | None = Field(description="Null takes back what a person decided before.")
    note: str | None = Field(None, max_length=2_000)


class AppealRequest(_Part):
    """What a person decides about some products, all of it or none."""

    by: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(one_line)] = Field(
        description="Who decides."
    )
    appeals: Annotated[list[Appealed], Field(min_length=1, max_length=MAX_JUDGED)]

    @model_validator(mode="after")
    def _each_once(self) -> AppealRequest:
        if len({clean_code(one.id) for one in self.appeals}) < len(self.appeals):
            raise ValueError("one product is in it twice")
        return self


class AppealEntry(_Part):
    """A line of the log: a person's decision, and what was done with the product before."""

    id: str
    action: Action | None = Field(None, description="Absent where a decision was taken back.")
    by: str
    note: str | None = None
    at: datetime
    before: Action


class AppealResponse(_Part):
    """What was decided, and the generation from which on it counts."""

    appeals: list[AppealEntry]
    generation: str


class Waiting(_Part):
    """A product that a policy, or a person, did not simply allow."""

    id: str
    product: dict[str, Any]
    images: list[str] = Field(description="Where this server shows its images, to keys that may review.")
    action: Action
    judged: Action = Field(description="What the policy decided, whatever a person did.")
    policy: str | None = Field(None, description="Absent where only a person has decided, as `version` and `by` are.")
    version: int | None = None
    by: Literal["image", "text"] | None = None
    rules: list[RuleScore] = Field(description="Those that fired.")
    appeal: Appeal | None = None


class QueueResponse(_Part):
    """Products to be looked at, the surest first: those that a rule fired for by most."""

    products: list[Waiting]
    total: int = Field(description="How many there are of this action, and of this policy.")
    next_cursor: str | None = None
