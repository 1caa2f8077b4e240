"""A request, perhaps with a photo in it: read whole, checked, and answered when it is its turn."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.clients import Gone
from api.inputs import JSON_BYTES, AnyRequest, json_of, media_type, request_of_form, request_of_json
from api.middleware.limits import Bodies, Workers
from api.problems import validation_problem
from api.query_images import QueryImageFetcher
from schemas import ImageQuery, Like, SearchRequest

PATIENCE_SECONDS = 5.0
"""For a job that holds the index, where somebody waits for what writes into it."""

Asked = TypeVar("Asked", bound=BaseModel)

Work = Callable[[Request, AnyRequest, bytes | None, Gone], Response]
"""What answers a request; its photo, if it was uploaded or fetched, as bytes."""


async def answer_json(request: Request, model: type[AnyRequest], work: Work[AnyRequest]) -> Response:
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


async def answer_form(request: Request, model: type[AnyRequest], work: Work[AnyRequest]) -> Response:
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


async def answer(request: Request, asked: AnyRequest, image: bytes | None, work: Work[AnyRequest]) -> Response:
    """Answer when it is the request's turn, with the photo fetched where it is a URL."""
    if image is None and asked.image is not None and asked.image.url is not None:
        image = await _fetched(request, asked.image.url)
        asked = asked.model_copy(update={"image": ImageQuery(crop=asked.image.crop) if asked.image.crop else None})
    like: list[Like] = (asked.like if isinstance(asked, SearchRequest) else None) or []
    if any(one.image is not None and one.image.url is not None for one in like):
        asked = asked.model_copy(update={"like": [await _with_image(request, one) for one in like]})
    workers: Workers = request.app.state.workers
    with_image = image is not None or asked.image is not None or any(one.image is not None for one in like)
    return await workers.run(request, partial(work, request, asked, image), query_image=with_image)


async def _with_image(request: Request, like: Like) -> Like:
    """With the bytes of a photo in place of its URL."""
    if like.image is None or like.image.url is None:
        return like
    data = await _fetched(request, like.image.url)
    image = ImageQuery(base64=base64.b64encode(data).decode(), crop=like.image.crop)
    return like.model_copy(update={"image": image})


async def _fetched(request: Request, url: str) -> bytes:
    query_images: QueryImageFetcher = request.app.state.query_images
    return await run_in_threadpool(query_images.fetch, url)


async def answer_body(
    request: Request, model: type[Asked], answer_of: Callable[[Request, Asked], BaseModel]
) -> Response:
    """What is answered to the body of a request, or what is wrong with it."""
    bodies: Bodies = request.app.state.bodies
    async with bodies.read(request) as body:
        media_type(request, "application/json")
        content = await run_in_threadpool(json_of, body, JSON_BYTES)
    try:
        asked = model.model_validate(content)
    except ValidationError as error:
        return await run_in_threadpool(validation_problem, error)
    workers: Workers = request.app.state.workers
    answer = await workers.run(request, lambda _: answer_of(request, asked))
    return Response(answer.model_dump_json(exclude_none=True), media_type="application/json")
