"""POST /v1/classify, /v1/classify/image, /v1/classify/catalog and /v1/moderate."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from api.asking import PATIENCE_SECONDS, answer_body, answer_form, answer_json
from api.clients import Gone
from api.inputs import known_parameters_alone
from api.middleware.auth import is_reviewer, reviewers_alone
from api.openapi import form_body, json_body, responses
from api.problems import validation_problem
from api.serving import Serving
from api.settings import ApiSettings
from images import DecodePool
from index import open_store
from labels import Decode, hidden_actions, label_calibration, label_index, policy_calibration, text_fields
from schemas import (
    Action,
    ClassifyRequest,
    ClassifyResponse,
    Disagreements,
    LabelCatalogRequest,
    LabelCatalogResponse,
    LabelSet,
    ModerateRequest,
    ModerateResponse,
    Policy,
    RequestError,
    find_field,
    known,
)

JUDGED = responses(404, 413, 415, 502, 503)

CLASSIFY = json_body(
    ClassifyRequest,
    a_text={"labels": ["cat", "dog"], "text": "a small kitten"},
    products_by_a_filter={"labels": ["cat", "dog"], "templates": ["a photo of a {label}"], "filter": {}, "limit": 2},
)
CATALOG = json_body(LabelCatalogRequest, the_whole_catalog={"label_set": "departments"})
MODERATE = json_body(ModerateRequest)

MOST_DISPUTED = 1_000
"""Disagreements of an answer."""

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


@router.post(
    "/classify/catalog",
    response_model=LabelCatalogResponse,
    responses=responses(403, 404, 413, 415, 503),
    openapi_extra={"requestBody": CATALOG},
    dependencies=[Depends(reviewers_alone)],
)
async def label_catalog(request: Request) -> Response:
    """Say what every product is by a label set, from the vectors that are stored: what `python -m ingest label` does.
    Labels go beside what the catalog says, as `predicted.NAME` and its confidence; what disagrees is listed. The answer
    waits for it."""
    return await answer_body(request, LabelCatalogRequest, _label_catalog)


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


def _label_catalog(request: Request, asked: LabelCatalogRequest) -> LabelCatalogResponse:
    serving: Serving = request.app.state.serving
    settings: ApiSettings = request.app.state.settings
    with serving.labeller() as labeller:
        fields = text_fields(labeller.index.record.fields)
    if asked.field is not None and find_field(asked.field, fields) is None:
        raise RequestError(f"there is no text field {asked.field!r}; {known(fields)}", field="field")
    done = label_index(open_store(settings), asked.label_set, serving.prompts, asked.field, PATIENCE_SECONDS)
    serving.refresh()
    said = None
    if (found := done.comparison) is not None:
        first = found.disputed[:MOST_DISPUTED]
        said = Disagreements(field=found.field, compared=found.compared, count=len(found.disputed), products=first)
    return LabelCatalogResponse(
        label_set=asked.label_set,
        version=done.version,
        calibration=done.labelled.known,
        products=sum(done.labelled.counts.values()),
        labels=dict(done.labelled.counts.most_common()),
        changed=done.labelled.changed,
        generation=done.generation,
        disagreements=said,
        notices=done.labelled.notices,
    )


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
