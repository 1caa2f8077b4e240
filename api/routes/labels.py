"""POST /v1/classify, /v1/classify/image and /v1/moderate."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.clients import Gone
from api.inputs import known_parameters_alone, media_type, request_of_form, request_of_json
from api.middleware.limits import Bodies, Workers
from api.openapi import form_body, json_body, responses
from api.problems import validation_problem
from api.query_images import QueryImageFetcher
from api.serving import Serving
from images import DecodePool
from labels import Decode
from schemas import (
    ClassifyRequest,
    ClassifyResponse,
    LabelSet,
    ModerateRequest,
    ModerateResponse,
    Policy,
)

Asked = TypeVar("Asked", ClassifyRequest, ModerateRequest)
Judge = Callable[[Request, Asked, bytes | None, Gone], Response]

JUDGED = responses(404, 413, 415, 502, 503)

CLASSIFY = json_body(
    ClassifyRequest,
    a_text={"labels": ["cat", "dog"], "text": "a small kitten"},
    products_by_a_filter={"labels": ["cat", "dog"], "templates": ["a photo of a {label}"], "filter": {}, "limit": 2},
)
MODERATE = json_body(ModerateRequest)

router = APIRouter(prefix="/v1", tags=["labels"], dependencies=[Depends(known_parameters_alone)])


@router.post("/classify", response_model=ClassifyResponse, responses=JUDGED, openapi_extra={"requestBody": CLASSIFY})
async def classify(request: Request) -> Response:
    """Give labels to a photo (base64, or its URL), a text, or products, by texts alone: nothing is trained."""
    return await _from_json(request, ClassifyRequest, _classify)


@router.post(
    "/classify/image",
    response_model=ClassifyResponse,
    responses=JUDGED,
    openapi_extra={"requestBody": form_body(ClassifyRequest)},
)
async def classify_image(request: Request) -> Response:
    """Give labels to an uploaded photo, with the rest of the request as JSON in the form field `request`."""
    bodies: Bodies = request.app.state.bodies
    most: int = request.app.state.settings.max_upload_bytes
    async with bodies.read(request) as body:
        form = media_type(request, "multipart/form-data")
        try:
            asked, image = await run_in_threadpool(request_of_form, body, form, most, ClassifyRequest)
        except ValidationError as error:
            return await run_in_threadpool(validation_problem, error, "request")
        body.clear()
        return await _judged(request, asked, image, _classify)


@router.post("/moderate", response_model=ModerateResponse, responses=JUDGED, openapi_extra={"requestBody": MODERATE})
async def moderate(request: Request) -> Response:
    """Hold a photo, a text, or products to a policy of the collection."""
    return await _from_json(request, ModerateRequest, _moderate)


async def _from_json(request: Request, model: type[Asked], judge: Judge[Asked]) -> Response:
    bodies: Bodies = request.app.state.bodies
    async with bodies.read(request) as body:
        media_type(request, "application/json")
        try:
            asked = await run_in_threadpool(request_of_json, body, model)
        except ValidationError as error:
            return await run_in_threadpool(validation_problem, error)
        body.clear()
        return await _judged(request, asked, None, judge)


async def _judged(request: Request, asked: Asked, image: bytes | None, judge: Judge[Asked]) -> Response:
    """Judge when it is the request's turn."""
    if image is None and asked.image is not None and asked.image.url is not None:
        query_images: QueryImageFetcher = request.app.state.query_images
        image = await run_in_threadpool(query_images.fetch, asked.image.url)
        asked = asked.model_copy(update={"image": None})
    workers: Workers = request.app.state.workers
    with_image = image is not None or asked.image is not None
    return await workers.run(request, partial(judge, request, asked, image), query_image=with_image)


def _classify(request: Request, asked: ClassifyRequest, image: bytes | None, gone: Gone) -> Response:
    serving: Serving = request.app.state.serving
    with serving.labeller() as labeller:
        if asked.label_set is None:
            try:
                label_set, version = asked.inline(), None
            except ValidationError as error:
                return validation_problem(error)
        else:
            document = serving.documents.read("label-sets", asked.label_set)
            assert isinstance(document.body, LabelSet)
            label_set, version = document.body, document.version
        answer = labeller.classify(asked, label_set, version, image, _decoder(request, gone))
    return _answer(answer)


def _moderate(request: Request, asked: ModerateRequest, image: bytes | None, gone: Gone) -> Response:
    serving: Serving = request.app.state.serving
    with serving.labeller() as labeller:
        document = serving.documents.read("policies", asked.policy)
        assert isinstance(document.body, Policy)
        answer = labeller.moderate(asked, document.body, document.version, image, _decoder(request, gone))
    return _answer(answer)


def _decoder(request: Request, gone: Gone) -> Decode:
    decoders: DecodePool = request.app.state.decoders
    return partial(decoders.decode, gone=gone)


def _answer(answer: ClassifyResponse | ModerateResponse) -> Response:
    return Response(answer.model_dump_json(exclude_unset=True), media_type="application/json")
