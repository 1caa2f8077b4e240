"""Is it alive, can it answer, how is it doing."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.auth import require_key
from api.metrics import Metrics
from api.serving import Serving

router = APIRouter(tags=["operations"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process is up."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> dict[str, str]:
    """An index is open and its model is loaded; otherwise 503 says what is missing."""
    serving: Serving = request.app.state.serving
    with serving.searcher() as searcher:
        return {"status": "ready", "generation": searcher.index.generation}


@router.get("/metrics", dependencies=[Depends(require_key)], response_class=Response)
def metrics(request: Request) -> Response:
    """Prometheus text format."""
    measured: Metrics = request.app.state.metrics
    serving: Serving = request.app.state.serving
    with serving.searcher() as searcher:
        measured.products.set(searcher.index.count())
    return Response(measured.render(), media_type="text/plain; version=0.0.4; charset=utf-8")
