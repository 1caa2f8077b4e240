"""Images given in a row itself: as bytes, or as a data: URI."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

from images.fingerprint import hash_bytes
from images.limits import ImageLimits, too_large
from schemas import ImageDamaged, ImageSourceUnsupported

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
    """The bytes in a ``data:`` URI, base64 or percent-encoded.

    Raises:
        ImageDamaged: it is cut, or holds what base64 does not.
        ImageTooLarge: told before it is decoded.
    """
    head, comma, body = uri.partition(",")
    if not comma or len(head) > 200:
        raise ImageDamaged(f"{column} is a data: URI without a comma before its data", field=column)
    if not head.lower().rstrip().endswith(";base64"):
        if len(body) > 3 * _MAX_BYTES:
            raise too_large(_MAX_BYTES)
        return check_bytes(unquote_to_bytes(body), column)
    if len(body) > 2 * _MAX_BYTES:
        raise too_large(_MAX_BYTES)
    try:
        if "%" in body:
            body = unquote_to_bytes(body).decode("ascii")
        text = "".join(body.split()).translate(_URL_SAFE).rstrip("=")
        return check_bytes(base64.b64decode(text + "=" * (-len(text) % 4), validate=True), column)
    except (binascii.Error, ValueError) as error:
        raise ImageDamaged(f"{column} is a data: URI whose base64 is broken: {error}", field=column) from error


_URL_SAFE = str.maketrans("-_", "+/")
