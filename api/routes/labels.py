"""POST /v1/classify, /v1/classify/image and /v1/moderate."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from api.asking import answer_form, answer_json
from api.clients import Gone
from api.inputs import known_parameters_alone
from api.middleware.auth import is_reviewer
from api.openapi import form_body, json_body, responses
from api.problems import validation_problem
from api.serving import Serving
from images import DecodePool
from labels import Decode, hidden_actions, label_calibration, policy_calibration
from schemas import (
    Action,
    ClassifyRequest,
    ClassifyResponse,
    LabelSet,
    ModerateRequest,
    ModerateResponse,
    Policy,
)

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
    return await answer_json(request, ClassifyRequest, _classify)


@router.post(
    "/classify/image",
    response_model=ClassifyResponse,
    responses=JUDGED,
    openapi_extra={"requestBody": form_body(ClassifyRequest)},
)
async def classify_image(request: Request) -> Response:
    """Give labels to an uploaded photo, with the rest of the request as JSON in the form field `request`."""
    return await answer_form(request, ClassifyRequest, _classify)


@router.post("/moderate", response_model=ModerateResponse, responses=JUDGED, openapi_extra={"requestBody": MODERATE})
async def moderate(request: Request) -> Response:
    """Hold a photo, a text, or products to a policy of the collection."""
    return await answer_json(request, ModerateRequest, _moderate)


def _classify(request: Request, asked: ClassifyRequest, image: bytes | None, gone: Gone) -> Response:
    serving: Serving = request.app.state.serving
    calibration, notices = None, list[str]()
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
            spec = labeller.index.record.embedding
            calibration, notices = label_calibration(serving.documents, document.name, document.version, spec)
        decoder, hidden = _decoder(request, gone), _hidden(request)
        answer = labeller.classify(asked, label_set, version, image, decoder, calibration=calibration, hidden=hidden)
    return _answer(answer, notices)


def _moderate(request: Request, asked: ModerateRequest, image: bytes | None, gone: Gone) -> Response:
    serving: Serving = request.app.state.serving
    with serving.labeller() as labeller:
        calibration, notices = None, list[str]()
        if asked.policy is None:
            policy, version = Policy(rules=asked.rules or []), None
        else:
            document = serving.documents.read("policies", asked.policy)
            assert isinstance(document.body, Policy)
            policy, version = document.body, document.version
            spec = labeller.index.record.embedding
            calibration, notices = policy_calibration(serving.documents, document.name, document.version, spec)
        decoder, hidden = _decoder(request, gone), _hidden(request)
        answer = labeller.moderate(asked, policy, version, image, decoder, calibration=calibration, hidden=hidden)
    return _answer(answer, notices)


def _hidden(request: Request) -> tuple[Action, ...]:
    """Decisions whose products whoever asks may not see: those who review judge what is blocked as well."""
    return () if is_reviewer(request) else hidden_actions(reviewer=False)


def _decoder(request: Request, gone: Gone) -> Decode:
    decoders: DecodePool = request.app.state.decoders
    return partial(decoders.decode, gone=gone)


def _answer(answer: ClassifyResponse | ModerateResponse, notices: list[str]) -> Response:
    answer = answer.model_copy(update={"notices": [*notices, *answer.notices]})
    return Response(answer.model_dump_json(exclude_unset=True), media_type="application/json")
