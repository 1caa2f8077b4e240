"""Is it alive, can it answer, how is it doing."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.auth import require_key
from api.metrics import Metrics
from api.pictures import ProductPictures
from api.serving import Serving

router = APIRouter(tags=["operations"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process is up."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> dict[str, str | list[str]]:
    """An index is open and its model is loaded; otherwise 503 says what is missing. `notices` say what is amiss."""
    serving: Serving = request.app.state.serving
    pictures: ProductPictures = request.app.state.pictures
    with serving.searcher() as searcher:
        ready: dict[str, str | list[str]] = {"status": "ready", "generation": searcher.index.generation}
    return ready | ({"notices": pictures.notices} if pictures.notices else {})


@router.get("/metrics", dependencies=[Depends(require_key)], response_class=Response)
def metrics(request: Request) -> Response:
    """Prometheus text format."""
    measured: Metrics = request.app.state.metrics
    serving: Serving = request.app.state.serving
    with serving.searcher() as searcher:
        measured.products.set(searcher.index.count())
    return Response(measured.render(), media_type="text/plain; version=0.0.4; charset=utf-8")
