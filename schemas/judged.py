"""What label sets and policies have in common: names, prompts, and what is judged by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.errors import EmptyRequest, RequestError
from schemas.product import ProductId
from schemas.search import MAX_TEXT, ImageQuery
from schemas.text import fold, one_line

MAX_PROMPTS = 100
"""Of one label, one rule, or one list of templates."""

MAX_JUDGED = 1_000
"""Products of one request."""

DOCUMENT_NAME = r"[a-z0-9][a-z0-9_-]{0,63}"
"""Names are parts of file names and of addresses: some file systems know no capitals."""


def distinct_names(named: Sequence[Any]) -> Sequence[Any]:
    """What is named, as it is. Raises ValueError where two have one name, whatever its case and accents."""
    seen: set[str] = set()
    for one in named:
        if fold(one.name) in seen:
            raise ValueError(f"{one.name!r} is in it twice")
        seen.add(fold(one.name))
    return named


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(one_line)]
DocumentName = Annotated[str, Field(pattern=f"^{DOCUMENT_NAME}$")]
Prompt = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(one_line)]
Threshold = Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)]


class JudgedRequest(BaseModel):
    """What is judged: one of the four."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    image: ImageQuery | None = None
    text: Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(one_line)] | None = Field(
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
