"""POST /v1/search and /v1/search/image."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile as Upload
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.auth import require_key
from api.clients import Gone, WatchedClient, watched
from api.metrics import Metrics
from api.photos import PhotoFetcher
from api.problems import validation_problem
from api.serving import Serving
from catalog import DecodePool
from schemas import NotAPicture, PictureTooLarge, RequestError, RequestTooLarge, SearchRequest, SearchResponse

router = APIRouter(prefix="/v1", tags=["search"], dependencies=[Depends(require_key)])

REQUEST_FIELD_BYTES = 2**20


@router.post("/search", response_model=SearchResponse)
def search(body: SearchRequest, request: Request, gone: WatchedClient) -> Response:
    """Search by words, by a photo (base64, or its URL), by a product, or by several of them; or browse by a filter."""
    return answer(request, body, None, gone)


@router.post(
    "/search/image",
    response_model=SearchResponse,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {
                            "file": {"type": "string", "format": "binary", "description": "The photo."},
                            "request": {"type": "string", "description": "A SearchRequest as JSON."},
                        },
                    }
                }
            },
        }
    },
)
async def search_image(request: Request) -> Response:
    """Search by an uploaded photo, with the rest of the request as JSON in the form field `request`."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, "send multipart/form-data with the photo as `file`")
    try:
        form = await request.form(max_files=2, max_fields=8, max_part_size=REQUEST_FIELD_BYTES)
    except HTTPException as error:  # Starlette's own, 400
        raise HTTPException(422, f"the form cannot be read: {error.detail}") from error
    try:
        body = await _request_of(form.getlist("request"))
        photo = await _photo_of(form.getlist("file"), request.app.state.settings.max_upload_bytes)
    except ValidationError as error:
        return validation_problem(error, within="request")
    finally:
        await form.close()
    async with watched(request) as gone:
        return await run_in_threadpool(answer, request, body, photo, gone)


async def _request_of(parts: list[Upload | str]) -> SearchRequest:
    """The JSON part, which a client may send as a field or, with a file name, as a file."""
    if len(parts) > 1:
        raise RequestError("the form has more than one `request`", field="request")
    if not parts:
        return SearchRequest()
    part = parts[0]
    written = part if isinstance(part, str) else await part.read(REQUEST_FIELD_BYTES + 1)
    if len(written) > REQUEST_FIELD_BYTES:
        raise RequestTooLarge("the form's `request` is larger than 1 MB", field="request")
    body = SearchRequest.model_validate_json(written or "{}")
    if body.image is not None:
        raise RequestError("the photo is given twice, as `file` and as request.image; send one", field="request.image")
    return body


async def _photo_of(parts: list[Upload | str], max_bytes: int) -> bytes:
    if len(parts) != 1 or isinstance(parts[0], str):
        raise RequestError("the form needs one photo, uploaded as `file`", field="file")
    photo = await parts[0].read(max_bytes + 1)
    if len(photo) > max_bytes:
        raise PictureTooLarge(f"the photo is larger than {max_bytes:,} bytes; send a smaller one", field="file")
    if not photo:
        raise NotAPicture("the photo is empty", field="file")
    return photo


def answer(request: Request, body: SearchRequest, photo: bytes | None, gone: Gone) -> Response:
    """Search in this thread, and say in Server-Timing where the time went."""
    decoders: DecodePool = request.app.state.decoders
    if photo is None and body.image is not None and body.image.url is not None:
        photos: PhotoFetcher = request.app.state.photos
        photo = photos.fetch(body.image.url)
    serving: Serving = request.app.state.serving
    metrics: Metrics = request.app.state.metrics
    with serving.searcher() as searcher:
        result = searcher.search(body, photo, partial(decoders.decode, gone=gone))
    metrics.encode_seconds.observe(result.encode_ms / 1e3)
    metrics.search_seconds.observe(result.search_ms / 1e3)
    return Response(
        result.response.model_dump_json(exclude_none=True),
        media_type="application/json",
        headers={"Server-Timing": f"encode;dur={result.encode_ms:.2f}, search;dur={result.search_ms:.2f}"},
    )
