"""A request with perhaps a photo in it: read whole, checked, and answered when it is its turn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fastapi import Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.clients import Gone
from api.inputs import Asked, media_type, request_of_form, request_of_json
from api.middleware.limits import Bodies, Workers
from api.problems import validation_problem
from api.query_images import QueryImageFetcher

Work = Callable[[Request, Asked, bytes | None, Gone], Response]
"""What answers a request; its photo, if it was uploaded or fetched, as bytes."""


async def answer_json(request: Request, model: type[Asked], work: Work[Asked]) -> Response:
    """Answer a request whose body is JSON."""
    bodies: Bodies = request.app.state.bodies
    async with bodies.read(request) as body:
        media_type(request, "application/json")
        try:
            asked = await run_in_threadpool(request_of_json, body, model)
        except ValidationError as error:
            return await run_in_threadpool(validation_problem, error)
        body.clear()
        return await answer(request, asked, None, work)


async def answer_form(request: Request, model: type[Asked], work: Work[Asked]) -> Response:
    """Answer a request whose body is a form with a photo, and the rest as JSON in its field `request`."""
    bodies: Bodies = request.app.state.bodies
    most: int = request.app.state.settings.max_upload_bytes
    async with bodies.read(request) as body:
        form = media_type(request, "multipart/form-data")
        try:
            asked, image = await run_in_threadpool(request_of_form, body, form, most, model)
        except ValidationError as error:
            return await run_in_threadpool(validation_problem, error, "request")
        body.clear()
        return await answer(request, asked, image, work)


async def answer(request: Request, asked: Asked, image: bytes | None, work: Work[Asked]) -> Response:
    """Answer when it is the request's turn, with the photo fetched where it is a URL."""
    if image is None and asked.image is not None and asked.image.url is not None:
        query_images: QueryImageFetcher = request.app.state.query_images
        image = await run_in_threadpool(query_images.fetch, asked.image.url)
        asked = asked.model_copy(update={"image": None})
    workers: Workers = request.app.state.workers
    with_image = image is not None or asked.image is not None
    return await workers.run(request, partial(work, request, asked, image), query_image=with_image)
