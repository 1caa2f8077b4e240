"""Images given in a row or a request itself: as bytes, in base64, or as a data: URI."""

from __future__ import annotations

import base64
from urllib.parse import unquote_to_bytes

from images.fingerprint import hash_bytes
from images.limits import ImageLimits, too_large
from schemas import ImageDamaged, ImageQuery, ImageSourceUnsupported, NotAImage, RequestError

INLINE = "picture:"
"""And the hash of an image that came inside its catalog; its bytes are in the store."""

_MAX_BYTES = ImageLimits().max_bytes


def source_of(data: bytes) -> str:
    """The source of an image that was given in a row: ``picture:`` and the hash of its bytes."""
    return f"{INLINE}{hash_bytes(data)}"


def check_bytes(data: bytes, column: str) -> bytes:
    """Raises ImageTooLarge, or ImageSourceUnsupported where there are none."""
    if not data:
        raise ImageSourceUnsupported(f"{column} is an image of no bytes", field=column)
    if len(data) > _MAX_BYTES:
        raise too_large(_MAX_BYTES)
    return data


def from_data_uri(uri: str, column: str) -> bytes:
    """The bytes in a ``data:`` URI of a row.

    Raises:
        ImageDamaged: it is cut, or holds what base64 does not.
        ImageTooLarge: told before it is decoded.
    """
    try:
        return check_bytes(decode_data_uri(uri, _MAX_BYTES), column)
    except ValueError as error:
        raise ImageDamaged(f"{column} is a data: URI {error}", field=column) from error


def decode_query_image(image: ImageQuery) -> bytes:
    """The bytes of a query image in a JSON body: base64, or a ``data:`` URI.

    Raises:
        NotAImage: it is neither.
        RequestError: it is a URL, and nothing is fetched here.
    """
    written = image.base64
    if not image.given:
        raise RequestError("there is a crop and no photo: give it as one of base64 and url", field="image")
    if written is None:
        raise RequestError("a photo's URL is fetched before the search, and its bytes passed on", field="image.url")
    try:
        return decode_data_uri(written) if written[:5].lower() == "data:" else decode_base64(written)
    except ValueError as error:
        raise NotAImage("image.base64 is not valid base64", field="image.base64") from error


def decode_data_uri(uri: str, max_bytes: int | None = None) -> bytes:
    """The bytes in a ``data:`` URI, base64 or percent-encoded.

    Raises:
        ValueError: what is wrong with it.
        ImageTooLarge: it is far longer than ``max_bytes`` are as text.
    """
    head, comma, body = uri.partition(",")
    if not comma or len(head) > 200:
        raise ValueError("without a comma before its data")
    in_base64 = head.lower().rstrip().endswith(";base64")
    if max_bytes is not None and len(body) > (2 if in_base64 else 3) * max_bytes:
        raise too_large(max_bytes)
    if not in_base64:
        return unquote_to_bytes(body)
    try:
        return decode_base64(unquote_to_bytes(body).decode("ascii") if "%" in body else body)
    except ValueError as error:
        raise ValueError(f"whose base64 is broken: {error}") from error


def decode_base64(text: str) -> bytes:
    """Bytes in base64, however it is written: broken into lines, in the alphabet for URLs, without padding.

    Raises:
        ValueError: it has other characters, or breaks off.
    """
    written = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
    return base64.b64decode(written + "=" * (-len(written) % 4), validate=True)


_URL_SAFE = str.maketrans("-_", "+/")
