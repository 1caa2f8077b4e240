"""POST /v1/search and /v1/search/image."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.clients import Gone
from api.inputs import known_parameters_alone, media_type, search_of_form, search_of_json
from api.middleware.auth import is_reviewer
from api.middleware.limits import Bodies, Workers
from api.middleware.metrics import Metrics
from api.openapi import FORM_BODY, SEARCH_BODY, responses
from api.problems import validation_problem
from api.query_images import QueryImageFetcher
from api.serving import Serving
from images import DecodePool
from schemas import SearchRequest, SearchResponse

SEARCHED = responses(404, 413, 415, 502, 503)

router = APIRouter(prefix="/v1", tags=["search"], dependencies=[Depends(known_parameters_alone)])


@router.post("/search", response_model=SearchResponse, responses=SEARCHED, openapi_extra={"requestBody": SEARCH_BODY})
async def search(request: Request) -> Response:
    """Search by words, by a photo (base64, or its URL), by a product, or by several of them; or browse by a filter."""
    bodies: Bodies = request.app.state.bodies
    async with bodies.read(request) as body:
        media_type(request, "application/json")
        try:
            asked = await run_in_threadpool(search_of_json, body)
        except ValidationError as error:
            return await run_in_threadpool(validation_problem, error)
        body.clear()
        return await answer(request, asked, None)


@router.post(
    "/search/image", response_model=SearchResponse, responses=SEARCHED, openapi_extra={"requestBody": FORM_BODY}
)
async def search_image(request: Request) -> Response:
    """Search by an uploaded photo, with the rest of the request as JSON in the form field `request`."""
    bodies: Bodies = request.app.state.bodies
    most: int = request.app.state.settings.max_upload_bytes
    async with bodies.read(request) as body:
        form = media_type(request, "multipart/form-data")
        try:
            asked, query_image = await run_in_threadpool(search_of_form, body, form, most)
        except ValidationError as error:
            return await run_in_threadpool(validation_problem, error, "request")
        body.clear()
        return await answer(request, asked, query_image)


async def answer(request: Request, asked: SearchRequest, query_image: bytes | None) -> Response:
    """Search when it is the request's turn, and say in Server-Timing where the time went."""
    if query_image is None and asked.image is not None and asked.image.url is not None:
        query_images: QueryImageFetcher = request.app.state.query_images
        query_image = await run_in_threadpool(query_images.fetch, asked.image.url)
    workers: Workers = request.app.state.workers
    with_query_image = query_image is not None or asked.image is not None
    return await workers.run(request, partial(_answer, request, asked, query_image), query_image=with_query_image)


def _answer(request: Request, asked: SearchRequest, query_image: bytes | None, gone: Gone) -> Response:
    decoders: DecodePool = request.app.state.decoders
    serving: Serving = request.app.state.serving
    metrics: Metrics = request.app.state.metrics
    with serving.searcher() as searcher:
        decode = partial(decoders.decode, gone=gone)
        result = searcher.search(asked, query_image, decode, reviewer=is_reviewer(request))
    metrics.encode_seconds.observe(result.encode_ms / 1e3)
    metrics.search_seconds.observe(result.search_ms / 1e3)
    return Response(
        result.response.model_dump_json(exclude_none=True),
        media_type="application/json",
        headers={"Server-Timing": f"encode;dur={result.encode_ms:.2f}, search;dur={result.search_ms:.2f}"},
    )
