"""POST /v1/search and /v1/search/image."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.asking import answer_form, answer_json
from api.clients import Gone
from api.inputs import known_parameters_alone
from api.middleware.auth import is_reviewer
from api.middleware.metrics import Metrics
from api.openapi import FORM_BODY, SEARCH_BODY, responses
from api.serving import Serving
from images import DecodePool
from schemas import SearchRequest, SearchResponse

SEARCHED = responses(404, 413, 415, 502, 503)

router = APIRouter(prefix="/v1", tags=["search"], dependencies=[Depends(known_parameters_alone)])


@router.post("/search", response_model=SearchResponse, responses=SEARCHED, openapi_extra={"requestBody": SEARCH_BODY})
async def search(request: Request) -> Response:
    """Search by words, by a photo (base64, or its URL), by a product, or by several of them; or browse by a filter."""
    return await answer_json(request, SearchRequest, work)


@router.post(
    "/search/image", response_model=SearchResponse, responses=SEARCHED, openapi_extra={"requestBody": FORM_BODY}
)
async def search_image(request: Request) -> Response:
    """Search by an uploaded photo, with the rest of the request as JSON in the form field `request`."""
    return await answer_form(request, SearchRequest, work)


def work(request: Request, asked: SearchRequest, query_image: bytes | None, gone: Gone) -> Response:
    """Search, and say in Server-Timing where the time went."""
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
