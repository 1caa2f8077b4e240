"""The words of a search: request and response, as HTTP carries them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.errors import EmptyRequest
from schemas.product import FieldName, ProductId
from schemas.text import clean_line

LegName = Literal["text->image", "text->title", "text->text", "lexical", "image->image", "image->text"]
"""The paths a request can take: what was asked with -> the vector it is compared with."""

MatchLevel = Literal["good", "weak", "none", "uncalibrated"]

MAX_TEXT = 4_000
MAX_PAGED = 1_000
"""Hits that can be reached by the number of a page; further ones by cursors."""
MAX_LIMIT = 100
MAX_URL = 4_096
MAX_LIKE = 8
"""Things that a request may ask for together."""
MAX_WEIGHT = 100.0
_ROUNDING = 1e-6


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _one_of(a: str, b: str) -> dict[str, Any]:
    """JSON Schema for one of two fields that are text, the other one absent or null."""
    text, nothing = {"type": "string"}, {"type": "null"}
    return {
        "oneOf": [
            {"required": [given], "properties": {given: text, other: nothing}} for given, other in ((a, b), (b, a))
        ]
    }


class Crop(_Words):
    """A part of an image, in shares of its width and height from its top left corner, as browsers show it: turned
    upright, whatever the size it is shown in."""

    x: float = Field(ge=0, lt=1, description="Of its left edge.")
    y: float = Field(ge=0, lt=1, description="Of its upper edge.")
    width: float = Field(gt=0, le=1)
    height: float = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _inside(self) -> Crop:
        for start, length in (("x", "width"), ("y", "height")):
            if getattr(self, start) + getattr(self, length) > 1 + _ROUNDING:
                raise ValueError(f"it leads out of the image: {start} and {length} together are more than 1")
        return self


class ImageQuery(_Words):
    """A photo to search by: one of the two; or, in a form with the photo as `file`, its crop alone."""

    model_config = ConfigDict(json_schema_extra=_one_of("base64", "url"))

    base64: str | None = Field(
        None,
        min_length=1,
        description="The bytes of the photo, base64; a `data:` prefix is allowed.",
        json_schema_extra={"contentEncoding": "base64"},
    )
    url: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_URL,
        description="Where the photo is, http or https; only where the server is set to fetch photos.",
    )

    crop: Crop | None = Field(None, description="Search by this part of the photo; left out, by the whole.")

    @model_validator(mode="after")
    def _one(self) -> ImageQuery:
        # Whether a photo comes beside its crop is asked when the form is read.
        if (self.base64 is None) == (self.url is None) and (self.crop is None or self.base64 is not None):
            raise ValueError("give the photo as one of base64 and url")
        return self

    @property
    def given(self) -> bool:
        """Whether the photo is in it, or where it is."""
        return self.base64 is not None or self.url is not None


_AskedText = Annotated[
    str, Field(max_length=MAX_TEXT, json_schema_extra={"pattern": r"\S"}), AfterValidator(clean_line)
]


class Like(_Words):
    """One of several things that hits are to be like: one of the three."""

    text: _AskedText | None = None
    image: ImageQuery | None = None
    product_id: ProductId | None = None
    weight: float = Field(1.0, gt=0, le=MAX_WEIGHT, description="Beside the others, and 1 for the request's own.")

    @model_validator(mode="after")
    def _one(self) -> Like:
        if sum(given is not None for given in (self.text, self.image, self.product_id)) != 1:
            raise ValueError("give one of text, image and product_id")
        if self.text == "":
            raise ValueError("text is blank")
        if self.image is not None and not self.image.given:
            raise ValueError("give the photo as one of base64 and url")
        return self


class Negative(_Words):
    """What hits are not to be like: words, products, or both."""

    text: _AskedText | None = None
    product_ids: Annotated[list[ProductId], Field(min_length=1, max_length=MAX_LIKE)] | None = Field(
        None, description="They are not among the hits."
    )
    weight: float = Field(
        1.0,
        gt=0,
        le=MAX_WEIGHT,
        description="A hit loses so much of the best score where it is as close to one of them as the closest of the "
        "catalog, or has all its words, and in proportion where it is less close. What has nothing left, or from 1 on "
        "has all its words, does not fit; of the rest the order changes.",
    )

    @model_validator(mode="after")
    def _something(self) -> Negative:
        if self.text is None and self.product_ids is None:
            raise ValueError("give text, product_ids, or both")
        if self.text == "":
            raise ValueError("text is blank")
        return self


class Sort(_Words):
    """Order by a field, or by `title`, smallest first unless `desc`; products without it come last.

    A list of numbers counts as its least value, or with `desc` as its greatest; a list of texts as its first.
    """

    field: FieldName
    order: Literal["asc", "desc"] = "asc"


class SearchRequest(_Words):
    """A search by words, by photo, by a product already indexed, or by several of them together.

    With none of them and a filter or a sort it is a browse: everything that matches, in order.
    """

    text: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(clean_line)] | None = Field(
        None, description="Not blank.", examples=["red mug"], json_schema_extra={"pattern": r"\S"}
    )
    image: ImageQuery | None = None
    product_id: ProductId | None = Field(None, description="Find what is like this product; it is not among the hits.")
    like: Annotated[list[Like], Field(min_length=1, max_length=MAX_LIKE)] | None = Field(
        None,
        description="What hits are to be like, several things by their weights; `text`, `image` and `product_id` "
        "beside it count as one more.",
        examples=[[{"text": "linen shirt", "weight": 2}, {"product_id": "B021"}]],
    )
    negative: Negative | None = Field(None, description="What hits are not to be like.")
    filter: dict[str, Any] | None = Field(
        None,
        examples=[{"brand": ["A", "B"], "price": {"gte": 10, "lt": 50}, "in_stock": True, "not": {"color": "red"}}],
    )
    facets: Annotated[list[FieldName], Field(max_length=32)] | None = Field(
        None, description="Fields to count values of."
    )
    sort: Annotated[list[Sort], Field(max_length=4)] | None = None
    limit: int = Field(20, ge=0, le=MAX_LIMIT, description="0 for totals and facets alone.")
    cursor: str | None = Field(None, max_length=512, description="`next_cursor` of the page before.")
    page: int | None = Field(
        None, ge=1, le=MAX_PAGED, description=f"In place of a cursor, from 1; within the first {MAX_PAGED:,} hits."
    )
    tail: bool = Field(
        False, description="After the last hit that fits, go on with what is nearest; such hits carry `tail`."
    )
    group_by: FieldName | None = Field(
        None, description="Show the best of each value of this field, as `group_id`; of a list the first value counts."
    )
    max_per: Annotated[dict[FieldName, Annotated[int, Field(ge=1, le=MAX_LIMIT)]], Field(max_length=4)] | None = Field(
        None,
        description="At most so many hits with the same value of a field, on all pages and their `tail` together; of a "
        "list the first value counts, as in groups.",
        examples=[{"brand": 3}],
    )
    diversity: float | None = Field(
        None, ge=0, le=1, description="How much hits should differ from those before them: 0 not at all."
    )
    literal: bool = Field(False, description="Look for the words as they are written: no correction, no synonyms.")
    interpret: bool = Field(
        False,
        description="Take words that name values and ranges of fields for a filter, which `query` says: `black jacket "
        "under 50`. Nothing is guessed that the catalog lacks, or that would leave nothing.",
    )
    highlight: bool = Field(False, description="Mark the words of the request in the hits: see `highlights`.")
    explain: bool = False

    @model_validator(mode="after")
    def _not_blank(self) -> SearchRequest:
        if self.text == "":
            raise ValueError("text is blank; leave it out to search without words")
        if self.page is not None:
            if self.cursor is not None:
                raise ValueError("give one of cursor and page")
            if self.page * max(self.limit, 1) > MAX_PAGED:
                raise ValueError(f"pages by number end with hit {MAX_PAGED:,}; go on with next_cursor, or filter")
        return self

    @property
    def product_ids(self) -> list[str]:
        """Products that are asked with, or against."""
        liked = [one.product_id for one in self.like or ()]
        return [id for id in (self.product_id, *liked, *((self.negative and self.negative.product_ids) or ())) if id]

    def require_question(self, *, image: bool = False) -> None:
        """Raises EmptyRequest when nothing is asked; ``image``: a photo came beside the request."""
        asked = image or self.text or self.image or self.product_id or self.like
        if self.negative is not None and not asked:
            raise EmptyRequest(
                "negative needs something to look for beside it: text, image, product_id or like", field="negative"
            )
        if not (asked or self.filter is not None or self.sort):
            raise EmptyRequest(
                "ask with at least one of text, image, product_id, like, or browse with a filter or a sort; "
                '{"filter": {}} is everything'
            )


class ExpandedWord(_Words):
    """Words of the request that no product has, and what was looked for beside them."""

    word: str
    synonyms: list[str]


class UnderstoodQuery(_Words):
    """How the words of a request were taken; `literal` has them taken as they are written."""

    text: str = Field(description="As it was asked.")
    corrected: str | None = Field(None, description="What was looked for in its place, where words are misspelt.")
    expanded: list[ExpandedWord] | None = None
    phrases: list[str] | None = Field(
        None,
        description="What was in quotes, as it was written. Every hit has it, unless none fits.",
    )
    filter: dict[str, Any] | None = Field(
        None, description="With `interpret`, what words were taken for; it holds beside the request's own filter."
    )
    excluded: list[str] | None = Field(
        None, description="Words that were negated: what has them, and does not say that it is without, was left out."
    )


class LegExplanation(_Words):
    """What one leg thought of a hit."""

    leg: LegName
    asked: str | None = Field(
        None, description="Which of `like` it asks with, as `like.0`; absent for the request's own words and images."
    )
    score: float = Field(description="As the engine gave it: a cosine, or BM25 for `lexical`.")
    normalized: float = Field(description="The score on the common scale, 0 to 1.")
    weight: float = Field(description="How much the leg counted in this request.")
    rank: int = Field(description="Place in the leg, from 1.")


class Explanation(_Words):
    """Why a product is among the hits."""

    legs: list[LegExplanation]
    probability: float | None = Field(
        None, description="That the product fits, as calibrated on this catalog; absent where nothing is."
    )
    exact: Literal["id", "code", "title", "text", "part"] | None = Field(
        None,
        description="The words are its whole title, stand in this order in a `text` of it, or hold its id, another "
        "number of it (`code`), or a part of one.",
    )
    matched_terms: list[str] = Field(default_factory=list, description="Words of the request found in the product.")
    negative: float | None = Field(
        None, description="The share of the best score that `negative` takes from it; absent where there is none."
    )


class HighlightPiece(_Words):
    """A piece of a text, plain and not HTML; all of them in their order are the text."""

    text: str
    marked: bool = Field(False, description="It is a word of the request, as it was written, corrected, or a synonym.")


class Group(_Words):
    """The other members of a hit's group that also match."""

    value: str | int | float | bool | None = Field(
        None, description="Absent where a product has none: then it is a group of its own."
    )
    siblings: int = Field(description="How many other candidates share the value.")
    sibling_ids: list[str] = Field(description="Their ids, best first, at most 100.")


class Hit(_Words):
    """A product that was found."""

    id: str
    score: float = Field(description="0 to 1, comparable within this response only; 0 in a browse.")
    product: dict[str, Any] = Field(description="The catalog row.")
    images: list[str] = Field(description="Addresses of the product's images on this server.")
    picture: int | None = Field(
        None, description="Which of its images matched best, from 0; absent where none was compared."
    )
    same_picture: Literal["identical", "near-identical"] | None = Field(
        None, description="One of its images is the one asked with, byte by byte or a copy of it."
    )
    group: Group | None = None
    highlights: dict[str, list[HighlightPiece]] | None = Field(
        None,
        description="With `highlight`: its `title`, and of its `description` the part with most of the words; a text "
        "without any is left out, but for the title.",
    )
    tail: bool | None = Field(None, description="True for what does not fit, but is nearest; absent otherwise.")
    explain: Explanation | None = None


class Total(_Words):
    """How many products, or groups, fit."""

    value: int
    relation: Literal["eq", "gte"] = Field(description="`gte` where there may be more.")


class FacetValue(_Words):
    """A value and how many hits have it."""

    value: str | int | float | bool
    count: int


class Bucket(_Words):
    """Numbers from ``gte`` to below ``lt``; the last bucket has its upper end as well."""

    gte: float
    lt: float
    count: int


class Facet(_Words):
    """Counts of a field's values among what fits, under the filter without the field's own part of it; with
    ``group_by`` counts of groups. For a number also its range and how it is spread."""

    field: str
    values: list[FacetValue] = Field(description="Most frequent first, at most 100.")
    relation: Literal["eq", "gte"] = Field("eq", description="`gte` where there may be more.")
    min: float | None = None
    max: float | None = None
    histogram: list[Bucket] | None = Field(None, description="Of a number.")
    missing: int = Field(0, description="Hits without the field.")


class SearchResponse(_Words):
    """One page of hits, best first."""

    hits: list[Hit]
    total: Total
    match: MatchLevel | None = Field(
        None,
        description="Whether the catalog has what is asked for. `none`: no hit fits, and those here are the nearest. "
        "`uncalibrated`: nothing is known of that, and all that is found counts. Absent in a browse.",
    )
    facets: dict[str, Facet] | None = Field(None, description="Those that tell most first.")
    next_cursor: str | None = None
    query: UnderstoodQuery | None = Field(None, description="How the words were taken; absent where there were none.")
    notices: list[str] = Field(default_factory=list, description="What the asker should know about this answer.")
    took_ms: float
