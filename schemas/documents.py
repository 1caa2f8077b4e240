"""Documents of a collection beside its index: small, versioned, made by people and by measurements.

A document has a kind and a name. Every write makes a new version of it, from 1, and no version is used twice, not even
when a document is deleted and made again. Documents are of no generation: they stay through ingests, switches and
rollbacks, and changing one embeds nothing.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from schemas.calibration import calibration_of
from schemas.errors import DocumentInvalid
from schemas.labels import LabelSet
from schemas.moderation import Policy
from schemas.product import FieldName, ProductId
from schemas.text import fold, one_line

DocumentKind = Literal["synonyms", "rules", "label-sets", "policies", "calibrations"]
DOCUMENT_KINDS: tuple[DocumentKind, ...] = get_args(DocumentKind)
MAX_DOCUMENT_BYTES = 2**20
MAX_DOCUMENTS = 200
"""Of one kind."""

MAX_PHRASES = 100
"""Of one group of synonyms."""
MAX_GROUPS = 10_000
_PHRASE_WORDS = 8


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _phrase(text: str) -> str:
    cleaned = one_line(text)
    if len(cleaned.split()) > _PHRASE_WORDS:
        raise ValueError(f"{cleaned!r} has more than {_PHRASE_WORDS} words")
    if not any(character.isalnum() or unicodedata.category(character) == "So" for character in cleaned):  # So: emoji
        raise ValueError(f"{cleaned!r} has no word in it")
    return cleaned


def _distinct(phrases: Sequence[str]) -> Sequence[str]:
    seen: set[str] = set()
    for phrase in phrases:
        if fold(phrase) in seen:
            raise ValueError(f"{phrase!r} is in it twice")
        seen.add(fold(phrase))
    return phrases


Phrase = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_phrase)]
JsonObject = dict[str, JsonValue]


class OneWay(_Part):
    """Whoever asks for ``from`` finds ``to`` as well, and not the other way round."""

    model_config = ConfigDict(serialize_by_alias=True)

    from_: Phrase = Field(alias="from")
    to: Annotated[list[Phrase], Field(min_length=1, max_length=MAX_PHRASES), AfterValidator(_distinct)]

    @model_validator(mode="after")
    def _others(self) -> OneWay:
        if fold(self.from_) in map(fold, self.to):
            raise ValueError(f"{self.from_!r} cannot be a synonym of itself")
        return self


class Synonyms(_Part):
    """Words and phrases that mean the same, to those who shop here."""

    groups: Annotated[
        list[Annotated[list[Phrase], Field(min_length=2, max_length=MAX_PHRASES), AfterValidator(_distinct)]],
        Field(max_length=MAX_GROUPS),
    ] = Field([], description="Each of a group stands for each of the others.")
    one_way: Annotated[list[OneWay], Field(max_length=MAX_GROUPS)] = Field(
        [], description="Whoever asks for `from` finds `to` as well, and not the other way round."
    )
    language: str | None = Field(None, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", examples=["en"])

    @model_validator(mode="after")
    def _each_once(self) -> Synonyms:
        if not self.groups and not self.one_way:
            raise ValueError("there are no synonyms in it; delete the document instead")
        seen: dict[frozenset[str], int] = {}
        for number, group in enumerate(self.groups):
            first = seen.setdefault(frozenset(map(fold, group)), number)
            if first != number:
                raise ValueError(f"groups.{number} is the same as groups.{first}")
        asked: dict[str, int] = {}
        for number, pair in enumerate(self.one_way):
            first = asked.setdefault(fold(pair.from_), number)
            if first != number:
                raise ValueError(f"one_way.{number} is from {pair.from_!r} as one_way.{first} is; put them together")
        return self


class RuleQuery(_Part):
    """What is asked with: one of the three."""

    model_config = ConfigDict(serialize_by_alias=True)

    is_: Phrase | None = Field(None, alias="is")
    contains: Phrase | None = None
    starts: Phrase | None = None

    @model_validator(mode="after")
    def _one(self) -> RuleQuery:
        if sum(given is not None for given in (self.is_, self.contains, self.starts)) != 1:
            raise ValueError("give one of is, contains and starts")
        return self


class RuleWhen(_Part):
    """All that must be so."""

    model_config = ConfigDict(serialize_by_alias=True)

    query: RuleQuery | None = None
    filter: JsonObject | None = None
    from_: AwareDatetime | None = Field(None, alias="from")
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _in_order(self) -> RuleWhen:
        if self.from_ is not None and self.until is not None and self.from_ >= self.until:
            raise ValueError("it ends before it begins: from is not before until")
        return self


class Pin(_Part):
    """A product at a position, from 1."""

    id: ProductId
    position: int = Field(ge=1, le=1_000)


class Boost(_Part):
    """More, or less, of what a filter matches."""

    filter: JsonObject = Field(min_length=1)
    weight: float = Field(ge=-100, le=100)


class Signal(_Part):
    """A number of the products that counts."""

    field: FieldName
    weight: float = Field(ge=-100, le=100)
    decay: JsonValue = None


def _web_address(url: str) -> str:
    if not re.match(r"(https?://|/(?!/))[^\s\\]*$", url, re.IGNORECASE):
        raise ValueError("it is no address: https://.., or /.. on the same site")
    return url


class RuleThen(_Part):
    """What is done with the answer: one of these at least."""

    pin: list[Pin] | None = Field(None, min_length=1, max_length=100)
    hide: list[ProductId] | None = Field(None, min_length=1, max_length=1_000)
    boost: list[Boost] | None = Field(None, min_length=1, max_length=100)
    signal: Signal | None = None
    redirect: Annotated[str, Field(min_length=1, max_length=4_096), AfterValidator(_web_address)] | None = None
    banner: JsonObject | None = None

    @model_validator(mode="after")
    def _something(self) -> RuleThen:
        if all(value is None for value in (self.pin, self.hide, self.boost, self.signal, self.redirect, self.banner)):
            raise ValueError("say what is to be done: pin, hide, boost, signal, redirect or banner")
        pins = self.pin or []
        if len({pin.position for pin in pins}) < len(pins) or len({pin.id for pin in pins}) < len(pins):
            raise ValueError("two pins have one position, or one product")
        if both := {pin.id for pin in pins} & set(self.hide or []):
            raise ValueError(f"{min(both)!r} is both pinned and hidden")
        return self


class Rule(_Part):
    """When something is asked, then something is done with the answer."""

    when: RuleWhen
    then: RuleThen


class _Calibration(BaseModel):
    """What was measured of this catalog with this model.

    `search`, `label-set-NAME` and `policy-NAME` are written as `python -m evaluation calibrate` writes them; under
    another name it is any object.
    """

    model_config = ConfigDict(frozen=True, extra="allow")


Body = Synonyms | Rule | LabelSet | Policy | _Calibration
DOCUMENT_BODIES: dict[DocumentKind, type[Body]] = {
    "synonyms": Synonyms,
    "rules": Rule,
    "label-sets": LabelSet,
    "policies": Policy,
    "calibrations": _Calibration,
}


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """One version of a document, without what is in it."""

    kind: DocumentKind
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document; ``body`` is of the model that ``DOCUMENT_BODIES`` has for its kind."""

    kind: DocumentKind
    name: str
    version: int
    changed: datetime
    body: Body

    @property
    def content(self) -> Any:
        """The body as JSON has it."""
        return self.body.model_dump(mode="json", by_alias=True, exclude_unset=True)


def check_document(kind: DocumentKind, content: object, name: str | None = None) -> Body:
    """What is in a document, of JSON's types, as its kind's model.

    Args:
        name: Its name, where it is written: that of a calibration tells what has to be in it. What is kept is read
            without, as an older version may have written it; whoever uses it says that it cannot be read.

    Raises:
        DocumentInvalid: naming the first place that is wrong, as ``groups.2.0``, and saying what else is.
    """
    try:
        written = json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError) as error:  # NaN, a number of thousands of digits
        raise DocumentInvalid(f"it cannot be written as JSON: {error}") from error
    if len(written) > MAX_DOCUMENT_BYTES:
        raise DocumentInvalid(f"it is larger than {MAX_DOCUMENT_BYTES:,} bytes")
    named = calibration_of(name) if kind == "calibrations" and name is not None else None
    try:
        if named is not None:
            named.model_validate_json(written)
        return DOCUMENT_BODIES[kind].model_validate_json(written)
    except ValidationError as error:
        raise _invalid(error) from error


def place_in(loc: Sequence[int | str]) -> list[str]:
    """Where in a body something is wrong, without the checks that pydantic lists among the fields."""
    return [str(part) for part in loc if "function-" not in str(part)]


def _invalid(error: ValidationError) -> DocumentInvalid:
    wrong = []
    for item in error.errors(include_url=False, include_input=False):
        place = ".".join(place_in(item["loc"]))
        said = "there is no such field" if item["type"] == "extra_forbidden" else item["msg"]
        wrong.append((place, said.removeprefix("Value error, ")))
    told = "; ".join(f"{place}: {said}" if place else said for place, said in wrong[:5])
    more = f"; and {len(wrong) - 5:,} more" if len(wrong) > 5 else ""
    return DocumentInvalid(told + more, field=wrong[0][0] or None)
