"""Labels that images and texts are given, and policies that they are held to: text prompts as classifiers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.errors import EmptyRequest, RequestError
from schemas.product import ProductId
from schemas.search import MAX_TEXT, ImageQuery
from schemas.text import clean_code, clean_line, fold

UNKNOWN = "unknown"
"""What is answered where no label is near enough; no label is called so."""

MAX_LABELS = 1_000
MAX_PROMPTS = 100
"""Of one label, one rule, or one list of templates."""
LABEL_DEPTH = 4
"""Levels of labels within labels."""

MAX_JUDGED = 1_000
"""Products of one request."""
DOCUMENT_NAME = r"[a-z0-9][a-z0-9_-]{0,63}"
"""Names are parts of file names and of addresses: some file systems know no capitals."""

_BASE64 = re.compile(r"(?:data:[^,]*,)?[A-Za-z0-9+/_\s-]+={0,2}\s*", re.IGNORECASE)

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
DocumentName = Annotated[str, Field(pattern=f"^{DOCUMENT_NAME}$")]
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


Rules = Annotated[list[PolicyRule], Field(min_length=1, max_length=200), AfterValidator(_names_distinct)]


class Policy(_Part):
    """What images may not show, or not without somebody looking."""

    rules: Rules


class _Asked(_Part):
    """What is judged: one of the four."""

    image: ImageQuery | None = None
    text: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_line)] | None = Field(
        None, description="Not blank.", json_schema_extra={"pattern": r"\S"}
    )
    product_ids: Annotated[list[ProductId], Field(min_length=1, max_length=MAX_JUDGED)] | None = Field(
        None, description="Products of the index, by the vectors that it has of them."
    )
    filter: dict[str, Any] | None = Field(None, description="The products that match; `{}` is all.")
    limit: int = Field(100, ge=1, le=MAX_JUDGED, description="Of the products that match a filter.")
    cursor: str | None = Field(None, max_length=64, description="`next_cursor` of the answer before.")

    def require_one(self, *, image: bool = False) -> None:
        """Raises EmptyRequest, RequestError unless one thing is asked about; ``image``: one came beside the request."""
        asked = [name for name in ("image", "text", "product_ids", "filter") if getattr(self, name) is not None]
        if image and self.image is not None and not self.image.given:  # the crop of the one beside it
            asked.remove("image")
        asked += ["file"] if image else []
        if not asked:
            raise EmptyRequest("say what is to be judged: one of image, text, product_ids and filter")
        if len(asked) > 1:
            raise RequestError(f"only one thing is judged at a time, not {' and '.join(asked)}", field=asked[-1])


class ClassifyRequest(_Asked):
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


class ModerateRequest(_Asked):
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

    by: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)] = Field(description="Who decides.")
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
