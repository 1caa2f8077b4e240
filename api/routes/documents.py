"""/v1/documents: what people and measurements say of a collection, beside its index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Header, Request
from fastapi import Path as InPath
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from api.inputs import json_of, known_parameters_alone, media_type
from api.middleware.limits import Bodies, Workers
from api.openapi import DOCUMENT, DOCUMENT_BODY, responses
from api.serving import Serving
from index import Documents, deadline
from schemas import (
    DOCUMENT_NAME,
    MAX_DOCUMENT_BYTES,
    Document,
    DocumentChanged,
    DocumentKind,
    RequestError,
)

Result = TypeVar("Result")

router = APIRouter(prefix="/v1/documents", tags=["documents"], dependencies=[Depends(known_parameters_alone)])

KindInPath = Annotated[DocumentKind, InPath(description="What the document is.", examples=["synonyms"])]
NameInPath = Annotated[
    str, InPath(pattern=f"^{DOCUMENT_NAME}$", description="Its name among its kind.", examples=["house"])
]
IfMatch = Annotated[
    str | None, Header(description='The version that is meant, as `"3"`: another one is answered 412. `*` is any.')
]
IfNoneMatch = Annotated[str | None, Header(description="`*`: only where there is no such document yet.")]

ETAG = {"ETag": {"schema": {"type": "string"}, "description": 'The version, as `"3"`; every write makes a new one.'}}
DOCUMENT_ANSWER = {"content": {"application/json": {"schema": DOCUMENT}}, "headers": ETAG}


class DocumentEntry(BaseModel):
    name: str
    version: int
    changed: datetime | None = Field(None, description="Absent of a document that is damaged.")


class DocumentList(BaseModel):
    documents: list[DocumentEntry]


@router.get("/{kind}", response_model_exclude_none=True, responses=responses(503))
async def list_documents(kind: KindInPath, request: Request) -> DocumentList:
    """The documents of a kind, by name."""

    def listed(documents: Documents) -> DocumentList:
        read = {document.name: document.changed for document in documents.read_all() if document.kind == kind}
        names = documents.names(kind)
        return DocumentList(
            documents=[DocumentEntry(name=one.name, version=one.version, changed=read.get(one.name)) for one in names]
        )

    return await _ask(request, listed)


@router.get("/{kind}/{name}", response_class=Response, responses=responses(404, 503) | {200: DOCUMENT_ANSWER})
async def read_document(kind: KindInPath, name: NameInPath, request: Request) -> Response:
    """A document as it may be changed and written again."""
    document = await _ask(request, lambda documents: documents.read(kind, name))
    return JSONResponse(document.content, headers=_headers(document.version))


@router.put(
    "/{kind}/{name}",
    response_model=DocumentEntry,
    responses=responses(412, 413, 415, 503)
    | {200: {"headers": ETAG}, 201: {"model": DocumentEntry, "headers": ETAG, "description": "It is new."}},
    openapi_extra={"requestBody": DOCUMENT_BODY},
)
async def write_document(
    kind: KindInPath, name: NameInPath, request: Request, if_match: IfMatch = None, if_none_match: IfNoneMatch = None
) -> Response:
    """Write a document, or a new version of it. Every process searches by it within two seconds."""
    bodies: Bodies = request.app.state.bodies
    async with bodies.read(request) as body:
        media_type(request, "application/json")
        content = await run_in_threadpool(json_of, body, MAX_DOCUMENT_BYTES)

    def write(documents: Documents) -> tuple[Document, bool]:
        there = _version(documents, kind, name)
        expected = _expected(there, if_match, if_none_match)
        return documents.write(kind, name, content, expected), there is None

    document, new = await _ask(request, write, changes=True)
    entry = DocumentEntry(name=name, version=document.version, changed=document.changed)
    return Response(
        entry.model_dump_json(), 201 if new else 200, _headers(document.version), media_type="application/json"
    )


@router.delete("/{kind}/{name}", status_code=204, response_class=Response, responses=responses(404, 412, 503))
async def delete_document(kind: KindInPath, name: NameInPath, request: Request, if_match: IfMatch = None) -> Response:
    """Delete a document. Made again it goes on with the next version."""

    def delete(documents: Documents) -> None:
        expected = None if if_match is None else _expected(_version(documents, kind, name), if_match, None)
        documents.delete(kind, name, expected)

    await _ask(request, delete, changes=True)
    return Response(status_code=204)


async def _ask(request: Request, ask: Callable[[Documents], Result], *, changes: bool = False) -> Result:
    serving: Serving = request.app.state.serving
    workers: Workers = request.app.state.workers

    def answer() -> Result:
        with deadline(request.app.state.settings.qdrant_seconds):
            result = ask(serving.documents)
        if changes:
            serving.refresh_documents()
        return result

    return await workers.run(request, lambda _: answer())


def _version(documents: Documents, kind: DocumentKind, name: str) -> int | None:
    """The version of a document that is there, damaged or not."""
    return next((one.version for one in documents.names(kind) if one.name == name), None)


def _expected(there: int | None, if_match: str | None, if_none_match: str | None) -> int | None:
    """The version that a write is to replace, by its conditions (RFC 9110, 13.1); None without any, 0 for a new one.

    Raises:
        DocumentChanged: they are not met.
        RequestError: a condition that is none.
    """
    if if_none_match is not None and if_none_match.strip() != "*":
        raise RequestError("If-None-Match is * here, for a document that is to be new", field="If-None-Match")
    now = "is not there" if there is None else f"is of version {there}"
    if if_match is not None and (there is None or not _names(if_match, there)):
        raise DocumentChanged(f"the document {now}, and If-Match asks for {if_match[:100]}: read it again")
    if if_none_match is not None and there is not None:
        raise DocumentChanged(f"the document {now}, and If-None-Match asks for a new one")
    return there if if_match is not None else 0 if if_none_match is not None else None


def _names(tags: str, version: int) -> bool:
    """Whether the version is among the tags of a condition, of which proxies make weak ones."""
    named = [tag.strip().removeprefix("W/").strip('"') for tag in tags.split(",")]
    return "*" in named or str(version) in named


def _headers(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"', "Cache-Control": "no-cache"}
