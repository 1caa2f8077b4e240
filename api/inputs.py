"""What a request brings besides its path: query parameters, JSON, a form.

JSON and forms are parsed here, in threads, and not by FastAPI, which does it on the event loop, accepts what is given
twice, and answers one fault with three statuses.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar

from fastapi import Request
from python_multipart import FormParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_options_header
from starlette.exceptions import HTTPException

from schemas import (
    BodyTooLarge,
    ClassifyRequest,
    ImageQuery,
    ImageTooLarge,
    ModerateRequest,
    NotAImage,
    RequestError,
    SearchRequest,
)

AnyRequest = TypeVar("AnyRequest", SearchRequest, ClassifyRequest, ModerateRequest)

JSON_BYTES = 2**20
"""Of a search request, the photo within it not counted."""

MEMBERS = 1_000
"""Of one JSON object."""

_LONG_VALUE = 2**12
"""Characters of base64 that are put aside where a request is large."""
_KEY = b'"base64"'
_BEFORE_VALUE = re.compile(rb'\s{0,100}:\s{0,100}"')
_CONTROL = bytes(range(32))

# What a client got wrong is told to the client; the library logs it as well.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


async def known_parameters_alone(request: Request) -> None:
    """For every route: a query parameter that it does not have, or one given twice, is refused.

    Raises:
        RequestError: the first of them.
    """
    given = Counter(name for name, _ in request.query_params.multi_items())
    known = {parameter.alias for parameter in request.scope["route"].dependant.query_params}
    for name, times in given.items():
        if name not in known:
            there_are = f"known are {', '.join(sorted(known))}" if known else "this address takes none"
            raise RequestError(f"there is no query parameter {_quoted(name)}; {there_are}", field=name)
        if times > 1:
            raise RequestError(f"the query parameter {name} is given {times} times", field=name)


def media_type(request: Request, wanted: str) -> str:
    """The Content-Type of a request, with its parameters, when it is the one that is wanted.

    Raises:
        HTTPException: 415, it is another one, or missing.
    """
    header = request.headers.get("content-type", "")
    given = header.partition(";")[0].strip().lower()
    if given != wanted:
        wrong = f"its Content-Type is {given[:100]}" if given else "it has no Content-Type"
        raise HTTPException(415, f"send the request as {wanted}; {wrong}")
    return header


def request_of_json(body: bytearray, model: type[AnyRequest]) -> AnyRequest:
    """A request in JSON, perhaps with a photo in base64.

    The photo is put aside first: the rest is small, whoever sent it.

    Raises:
        BodyTooLarge: more than ``JSON_BYTES`` without the photo.
        RequestError: no JSON, or something in it is given twice.
        ValidationError: it is no request of this kind.
    """
    if len(body) <= JSON_BYTES:
        return model.model_validate(_parsed(body))
    rest, aside = bytearray(), {}
    end = 0
    for start, until in _long_values(body):
        token = secrets.token_hex()
        aside[token] = start, until
        rest += body[end:start] + token.encode()
        end = until
    rest += body[end:]
    if len(rest) <= JSON_BYTES:
        request = model.model_validate(_parsed(rest))

        def whole(image: ImageQuery | None) -> ImageQuery | None:
            if image is None or image.base64 not in aside:
                return image
            start, until = aside.pop(image.base64)
            return ImageQuery.model_construct(base64=_text(body[start:until]), url=None, crop=image.crop)

        request = request.model_copy(update={"image": whole(request.image)})
        if isinstance(request, SearchRequest) and request.like:
            like = [one.model_copy(update={"image": whole(one.image)}) for one in request.like]
            request = request.model_copy(update={"like": like})
        if not aside:
            return request
    raise BodyTooLarge(f"the request is larger than {JSON_BYTES:,} bytes, the photo not counted")


def json_of(body: bytearray, most: int) -> Any:
    """What a body says in JSON.

    Raises:
        BodyTooLarge: it has more than ``most`` bytes.
        RequestError: no JSON, or something in it is given twice.
    """
    if len(body) > most:
        raise BodyTooLarge(f"the request is larger than {most:,} bytes")
    return _parsed(body)


def _long_values(body: bytearray) -> Iterator[tuple[int, int]]:
    """Where long values of keys `base64` begin and end.

    Found without a pattern for the value: Python lets no other thread run while it matches one, or parses JSON.
    """
    at, small = 0, 0
    while (found := body.find(_KEY, at, at + JSON_BYTES - small)) >= 0:  # what is beside the photos is small as well
        small += found - at
        at = found + len(_KEY)
        if before := _BEFORE_VALUE.match(body, at):
            end = body.find(b'"', before.end())
            if end - before.end() > _LONG_VALUE:
                yield before.end(), end
                at = end


def _text(written: bytearray) -> str:
    """What a JSON string says: mostly what is written."""
    if written.isascii() and b"\\" not in written and len(written.translate(None, _CONTROL)) == len(written):
        return written.decode()
    text: str = _parsed(b'"%b"' % bytes(written))
    return text


def request_of_form(
    body: bytearray, content_type: str, query_image_bytes: int, model: type[AnyRequest]
) -> tuple[AnyRequest, bytes]:
    """A request and its photo, from a form with a `file` and perhaps a `request`.

    Raises:
        RequestError: no form, or its parts are not these.
        BodyTooLarge, ImageTooLarge, NotAImage: a part is too large, or empty.
        ValidationError: `request` is no request of this kind; named as if it were the whole body.
    """
    parts = _parts(body, content_type)
    if not isinstance(query_image := parts.get("file"), File):
        raise RequestError("the form needs one photo, uploaded as `file`", field="file")
    if query_image.size > query_image_bytes:
        raise ImageTooLarge(f"the photo is larger than {query_image_bytes:,} bytes; send a smaller one", field="file")
    if not query_image.size:
        raise NotAImage("the photo is empty", field="file")
    written = _content(parts["request"]) if "request" in parts else b""
    if len(written) > JSON_BYTES:
        raise BodyTooLarge(f"the form's `request` is larger than {JSON_BYTES:,} bytes", field="request")
    request = model.model_validate(_parsed(written, "request") if written else {})
    if request.image is not None and request.image.given:
        raise RequestError("the photo is given twice, as `file` and as request.image; send one", field="request.image")
    return request, _content(query_image)


def _parts(body: bytearray, content_type: str) -> dict[str, Field | File]:
    parts: dict[str, Field | File] = {}

    def add(part: Field | File) -> None:
        name = (part.field_name or b"").decode(errors="replace")
        if name not in ("file", "request"):
            raise RequestError(f"the form has no part {_quoted(name)}; send `file`, and `request`", field=name)
        if name in parts:
            raise RequestError(f"the form has more than one `{name}`", field=name)
        parts[name] = part

    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise RequestError("the form cannot be read: its Content-Type names no boundary")
    try:
        parser = FormParser(
            "multipart/form-data", add, add, boundary=boundary, config={"MAX_MEMORY_FILE_SIZE": float("inf")}
        )
        parser.write(body)  # type: ignore[arg-type]
        parser.finalize()
    except FormParserError as error:
        raise RequestError(f"the form cannot be read: {error}") from error
    return parts


def _content(part: Field | File) -> bytes:
    """A client may send JSON as a field or, with a file name, as a file."""
    if isinstance(part, Field):
        return part.value or b""
    part.file_object.seek(0)
    return part.file_object.read()


def _parsed(written: bytearray | bytes, within: str = "") -> Any:
    where = within or "the body"
    if not written:
        raise RequestError(f"{where} is empty; send JSON", field=within or None)
    try:
        return json.loads(written.decode("utf-8-sig"), object_pairs_hook=_members, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise RequestError(f"{where} is not valid JSON: it is not UTF-8", field=within or None) from error
    except json.JSONDecodeError as error:
        said = f"{error.msg}, character {error.pos}"
        raise RequestError(f"{where} is not valid JSON: {said}", field=within or None) from error
    except RecursionError as error:
        raise RequestError(f"{where} is nested too deep", field=within or None) from error
    except ValueError as error:  # a number of thousands of digits, NaN
        raise RequestError(f"{where} has a number that is none, or too long", field=within or None) from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MEMBERS:
        raise RequestError(f"an object in the request has {len(pairs):,} members; {MEMBERS:,} are the most")
    members = dict(pairs)
    if len(members) < len(pairs):
        [(name, times)] = Counter(name for name, _ in pairs).most_common(1)
        raise RequestError(f"{_quoted(name)} is given {times} times", field=name)
    return members


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)


def _quoted(name: str) -> str:
    return repr(name if len(name) <= 100 else f"{name[:100]}...")
