"""Where a page ended. A cursor is bound to the request it came from, and names the generation that it saw and the
version of the documents that it was answered by.

Within one generation, by the same documents, the same request gives the same ranking, so an offset (or, in a browse,
the place in the order) neither repeats nor loses a hit.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas import InvalidCursor, SearchRequest


class Cursor(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    generation: str
    request: str
    documents: str | None = None
    """None of a browse, and in a cursor of an older version."""
    offset: int = 0
    place: list[str | float | bool | None] | None = None
    """In the order of fields: the sort values of the last hit, then its point id."""
    tail: bool = False
    """What fits has ended, and ``offset`` counts what comes after it."""

    def encode(self) -> str:
        return base64.urlsafe_b64encode(self.model_dump_json(exclude_defaults=True).encode()).rstrip(b"=").decode()


def decode_cursor(text: str, request: str) -> Cursor:
    """The cursor of a request whose ``fingerprint`` is ``request``.

    Raises:
        InvalidCursor: not one of ours, or another request's.
    """
    try:
        cursor = Cursor.model_validate_json(base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except (ValidationError, ValueError, binascii.Error) as error:
        raise InvalidCursor(
            "the cursor is not one this server gave out; leave it out to start over", field="cursor"
        ) from error
    if cursor.request != request or cursor.offset < 0:
        raise InvalidCursor(
            "the cursor belongs to another request; only `limit`, `tail`, `highlight` and `explain` may differ between "
            "pages",
            field="cursor",
        )
    return cursor


_OF_A_PAGE = {"cursor", "page", "limit", "tail", "explain", "highlight", "facets"}


def fingerprint(request: SearchRequest, query_image: bytes | None) -> str:
    """What makes two requests pages of the same ranking."""
    same = request.model_dump(mode="json", exclude={*_OF_A_PAGE, "image"})
    if request.image is not None:
        same["crop"] = request.image.crop and request.image.crop.model_dump()
    digest = hashlib.blake2b(json.dumps(same, sort_keys=True).encode(), digest_size=12)
    if query_image is not None:
        digest.update(query_image)
    return digest.hexdigest()
