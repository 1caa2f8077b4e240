"""Is it alive, can it answer, how is it doing."""

from __future__ import annotations

import math

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api import problems
from api.images import ProductImages
from api.inputs import known_parameters_alone
from api.middleware.metrics import Metrics
from api.openapi import responses
from api.serving import Serving
from schemas import StoreLensError

router = APIRouter(tags=["operations"], dependencies=[Depends(known_parameters_alone)])


@router.get("/healthz", responses=responses())
async def healthz() -> dict[str, str]:
    """The process is up; said without a thread, which all may be waiting for a server."""
    return {"status": "ok"}


@router.get("/readyz", response_model=None, responses=responses(503))
def readyz(request: Request) -> dict[str, str | list[str]] | Response:
    """An index is open, its model is loaded, and the index answers; otherwise 503 says what is missing.

    ``notices`` say what is amiss.
    """
    serving: Serving = request.app.state.serving
    images: ProductImages = request.app.state.images
    try:
        ready: dict[str, str | list[str]] = {"status": "ready", "generation": serving.ready()}
    except StoreLensError as error:
        return problems.answer(error)  # not logged each time: what serves, or does not, is logged when it changes
    return ready | ({"notices": images.notices} if images.notices else {})


@router.get(
    "/metrics",
    response_class=Response,
    responses=responses(503, content={"text/plain": {"schema": {"type": "string"}}}),
)
def metrics(request: Request) -> Response:
    """Prometheus text format."""
    measured: Metrics = request.app.state.metrics
    serving: Serving = request.app.state.serving
    try:
        with serving.searcher() as searcher:
            products = float(searcher.index.count())
    except StoreLensError:  # the rest can be told all the same
        products = math.nan
    measured.products.set(products)
    return Response(measured.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    return JSONResponse(request.app.openapi())
