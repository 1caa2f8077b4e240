"""The HTTP service, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from api import operations, problems, product_routes, search_routes
from api.decoding import decode_pool
from api.limits import BodyLimit
from api.metrics import Measure, Metrics
from api.paths import EncodedSegments
from api.photos import PhotoFetcher
from api.pictures import ProductPictures
from api.serving import Serving
from api.settings import ApiSettings
from catalog import DecodePool, PictureLimits
from index import open_store

PAGE = Path(__file__).parent / "page"
PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def create_app(settings: ApiSettings, decoders: DecodePool | None = None) -> FastAPI:
    """The whole service. The index is opened and its model loaded when the app starts, not before.

    Args:
        decoders: Left running; otherwise the service has its own.
    """
    limits = PictureLimits(max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels)
    pool = decoders or decode_pool(limits)
    photos, pictures = PhotoFetcher(settings, limits), ProductPictures(settings, limits, pool)
    serving = Serving(open_store(settings), settings.model, limits, settings.qdrant_seconds, pictures.look_for)

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
            photos.close()
            pictures.close()

    # The documentation pages load their scripts from a CDN, which this service does without.
    app = FastAPI(title="StoreLens", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.settings = settings
    app.state.serving = serving
    app.state.decoders = pool
    app.state.photos = photos
    app.state.pictures = pictures
    app.state.metrics = Metrics()
    problems.install(app)
    app.include_router(search_routes.router)
    app.include_router(product_routes.router)
    app.include_router(operations.router)
    _serve_page(app)
    app.add_middleware(Measure, metrics=app.state.metrics)
    # Base64 takes four bytes for three; the rest of a request is small.
    app.add_middleware(BodyLimit, max_bytes=settings.max_upload_bytes * 4 // 3 + 2**20)
    app.add_middleware(EncodedSegments)
    if not settings.api_keys:
        # Without a key only this machine may ask: a web page elsewhere that has its own name resolve
        # to this address (DNS rebinding) is not this machine.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "[::1]", settings.host])
    return app


def _serve_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": PAGE_POLICY})

    app.mount("/page", StaticFiles(directory=PAGE), name="page")
