"""The HTTP service, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from api import problems
from api.decoding import decode_pool
from api.images import ProductImages
from api.inputs import JSON_BYTES
from api.middleware.auth import LocalNames, RequireKey
from api.middleware.limits import Admission, Bodies, Workers
from api.middleware.metrics import Measure, Metrics
from api.middleware.paths import EncodedSegments, HeadAsGet
from api.openapi import describe
from api.query_images import QueryImageFetcher
from api.routes import documents as document_routes
from api.routes import labels as label_routes
from api.routes import moderation as moderation_routes
from api.routes import operations
from api.routes import products as product_routes
from api.routes import search as search_routes
from api.serving import Serving
from api.settings import ApiSettings
from embedding import Encoder, load_encoder
from images import DecodePool, ImageLimits
from index import open_store
from schemas import __version__

BODIES_BYTES = 256 * 2**20
"""Memory for the bodies of all requests at a time; it has room for four of the largest, if that is more."""

PAGE = Path(__file__).parent / "page"
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def create_app(
    settings: ApiSettings, decoders: DecodePool | None = None, encoder_of: Callable[[str], Encoder] = load_encoder
) -> FastAPI:
    """The whole service. The index is opened and its model loaded when the app starts, not before.

    Args:
        decoders: Left running; otherwise the service has its own.
        encoder_of: Loads a model by its name or directory.
    """
    limits = ImageLimits(max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels)
    pool = decoders or decode_pool(limits)
    query_images, images = QueryImageFetcher(settings, limits), ProductImages(settings, limits, pool)
    serving = Serving(
        open_store(settings), settings.model, limits, settings.qdrant_seconds, images.look_for, encoder_of
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if not decoders:
            pool.warm()
        await run_in_threadpool(serving.start)
        try:
            yield
        finally:
            if not decoders:
                await run_in_threadpool(pool.close)
            await run_in_threadpool(serving.stop)
            query_images.close()
            images.close()

    # The documentation pages load their scripts from a CDN, which this service does without.
    app = FastAPI(
        title="StoreLens", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.openapi = cache(partial(describe, app, settings))  # type: ignore[method-assign]
    app.state.settings = settings
    app.state.serving = serving
    app.state.decoders = pool
    app.state.query_images = query_images
    app.state.images = images
    app.state.metrics = Metrics()
    app.state.workers = Workers()
    # Base64 takes four bytes for three; the rest of a request is small.
    body = settings.max_upload_bytes * 4 // 3 + JSON_BYTES
    app.state.bodies = Bodies(body, max(4 * body, BODIES_BYTES))
    problems.install(app)
    app.include_router(search_routes.router)
    app.include_router(label_routes.router)
    app.include_router(moderation_routes.router)
    app.include_router(product_routes.router)
    app.include_router(document_routes.router)
    app.include_router(operations.router)
    _serve_page(app)
    # The last one is asked first: who may ask, whether there is room, and only then what is asked for.
    app.add_middleware(Admission, waiting=settings.max_waiting)
    if settings.api_keys or settings.review_keys:
        app.add_middleware(RequireKey, keys=settings.api_keys, reviewers=settings.review_keys)
    else:
        app.add_middleware(LocalNames, host=settings.host)
    app.add_middleware(Measure, metrics=app.state.metrics)
    app.add_middleware(EncodedSegments)
    app.add_middleware(HeadAsGet)
    return app


def _serve_page(app: FastAPI) -> None:
    def page(name: str) -> FileResponse:
        return FileResponse(PAGE / name, headers={"Content-Security-Policy": PAGE_POLICY})

    for address, name in (("/", "index.html"), ("/labels", "labels.html")):
        app.add_api_route(address, partial(page, name), include_in_schema=False, response_class=FileResponse)
    app.mount("/page", StaticFiles(directory=PAGE), name="page")
