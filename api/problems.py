"""Errors as HTTP: one map from the error tree to status codes, bodies after RFC 9457."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from schemas import (
    BodyTooLarge,
    ClientGone,
    DocumentChanged,
    DocumentDamaged,
    ImageDamaged,
    ImageError,
    ImageTooLarge,
    ImageUnreachable,
    IndexError_,
    IndexLocked,
    IndexMissing,
    IndexUnavailable,
    ModelError,
    NotAImage,
    NotFound,
    Overloaded,
    RequestError,
    ReviewKeyNeeded,
    StoreLensError,
    ingest_command,
    place_in,
)

T = TypeVar("T")

log = logging.getLogger("storelens.api")

MEDIA_TYPE = "application/problem+json"

MOST_ERRORS = 20
MOST_CHARACTERS = 10_000
MOST_OF_A_NAME = 200
"""An answer says what is wrong, and is not longer than that takes, whatever a request repeats."""

CLIENT_GONE = 499
"""As nginx has it; for the metrics alone."""

# The most specific class of an error's own line decides.
STATUS: dict[type[StoreLensError], int] = {
    StoreLensError: 500,
    RequestError: 422,
    BodyTooLarge: 413,
    ImageError: 422,
    ImageTooLarge: 413,
    ImageUnreachable: 502,
    NotAImage: 415,
    ImageDamaged: 415,
    NotFound: 404,
    DocumentChanged: 412,
    DocumentDamaged: 500,
    ReviewKeyNeeded: 403,
    IndexError_: 503,
    ModelError: 503,
    Overloaded: 503,
}


# What went wrong in here is for the log: it may speak of addresses, folders and settings.
PUBLIC: dict[type[StoreLensError], str] = {
    StoreLensError: "something is wrong with the settings of this server; its log says what",
    DocumentDamaged: "this document is damaged; the log of this server says how: write it anew, or delete it",
    IndexError_: "the index cannot be opened now; the log of this server says why",
    IndexMissing: "nothing has been ingested yet: run `{ingest} CATALOG`",
    IndexLocked: "another job writes into the index now, so nothing was written",
    IndexUnavailable: "the index does not answer now",
    ModelError: "the model of the index cannot be used now; the log of this server says why",
}
RETRY_SECONDS: dict[type[StoreLensError], int] = {IndexUnavailable: 5, IndexError_: 30, ModelError: 30}


def status_of(error: StoreLensError) -> int:
    return _nearest(STATUS, error)


def _nearest(table: Mapping[type[StoreLensError], T], error: StoreLensError) -> T:
    return next(table[cls] for cls in type(error).__mro__ if cls in table)


def answer(error: StoreLensError) -> Response:
    """An error of ours as a problem. Of what is not the caller's doing, the caller is told what failed and when to ask
    again, and nothing of what is behind it."""
    status = status_of(error)
    if isinstance(error, Overloaded) or status not in (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ):
        errors = [{"field": error.field, "message": error.message}] if error.field else None
        later = {"Retry-After": str(error.retry_after)} if isinstance(error, Overloaded) else None
        return problem(status, error.code, error.message, errors, later)
    detail, headers = _nearest(PUBLIC, error).format(ingest=ingest_command()), {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        seconds = _nearest(RETRY_SECONDS, error)
        detail, headers = f"{detail}; ask again in {seconds} seconds", {"Retry-After": str(seconds)}
    return problem(status, error.code, detail, headers=headers)


def problem(
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem response. ``errors`` names each wrong field: ``[{"field", "message"}]``."""
    body: dict[str, Any] = {
        "type": f"urn:storelens:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _cut(detail, MOST_CHARACTERS),
        "code": code,
    }
    if errors:
        body["errors"] = [
            {"field": _cut(error["field"], MOST_OF_A_NAME), "message": _cut(error["message"], MOST_CHARACTERS)}
            for error in errors
        ]
    # ASCII only: a detail may quote text that is not valid Unicode.
    return Response(json.dumps(body), status, headers, media_type=MEDIA_TYPE)


def validation_problem(error: ValidationError | RequestValidationError, within: str = "") -> Response:
    """The fields that are wrong, by their paths in the request; the values themselves are not repeated."""
    items = (
        error.errors(include_url=False, include_input=False) if isinstance(error, ValidationError) else error.errors()
    )
    errors = []
    for item in items[:MOST_ERRORS]:
        path = place_in([part for part in item["loc"] if part not in ("body", "query", "path")])
        field = _cut(".".join([within, *path] if within else path), MOST_OF_A_NAME)
        message = "there is no such field" if item["type"] == "extra_forbidden" else item["msg"]
        errors.append({"field": field, "message": message.removeprefix("Value error, ")})
    detail = "; ".join(f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in errors[:5])
    if len(items) > 5:
        detail += f"; and {len(items) - 5:,} more"
    return problem(422, "request-invalid", detail, errors)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def _methods(request: Request, of_first: str) -> set[str]:
    """What may be asked of an address: Starlette says it of the first of the routes that have it."""
    path = getattr(request.scope.get("route"), "path_format", "")
    described: Mapping[str, object] = request.app.openapi()["paths"].get(path, {})
    methods = {method.upper() for method in described} or set(of_first.split(", "))
    return methods | {"HEAD"} if "GET" in methods else methods


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""

    @app.exception_handler(StoreLensError)
    async def _known(_: Request, error: StoreLensError) -> Response:
        # Refusals of an overload are not logged: they would be by the thousand.
        if status_of(error) >= 500 and not isinstance(error, Overloaded):
            log.error("%s: %s", error.code, error.message)
        return answer(error)

    @app.exception_handler(ClientGone)
    @app.exception_handler(ClientDisconnect)
    async def _gone(_: Request, error: Exception) -> Response:
        return Response(status_code=CLIENT_GONE)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        return validation_problem(error)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(sorted(_methods(request, headers.get("Allow", ""))))
        return problem(error.status_code, code, str(error.detail), headers=headers)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem(500, "internal", "something went wrong on this server; its log says what")
