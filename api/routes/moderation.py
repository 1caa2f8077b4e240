"""/v1/moderation: what waits for people who review, and what they decide."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.asking import PATIENCE_SECONDS, answer_body
from api.inputs import known_parameters_alone
from api.middleware.auth import reviewers_alone
from api.middleware.limits import Workers
from api.openapi import json_body, responses
from api.serving import Serving
from api.settings import ApiSettings
from catalog import shown_product
from index import DECISION, deadline, open_store
from labels import appeal, judge_index, queue
from schemas import (
    DOCUMENT_NAME,
    MAX_JUDGED,
    Action,
    AppealEntry,
    AppealRequest,
    AppealResponse,
    JudgeRequest,
    JudgeResponse,
    QueueResponse,
    Waiting,
)
from search import image_addresses

APPEAL = json_body(
    AppealRequest,
    two_products={"by": "anna", "appeals": [{"id": "B021", "action": "allow", "note": "a kitchen knife"}]},
)


JUDGE = json_body(JudgeRequest, the_whole_catalog={"policy": "retail"})

router = APIRouter(
    prefix="/v1/moderation",
    tags=["moderation"],
    dependencies=[Depends(known_parameters_alone), Depends(reviewers_alone)],
)


@router.get("/queue", response_model=QueueResponse, response_model_exclude_none=True, responses=responses(403, 503))
async def queued(
    request: Request,
    policy: Annotated[
        str | None, Query(pattern=f"^{DOCUMENT_NAME}$", description="What this policy decided alone.")
    ] = None,
    action: Annotated[Action, Query(description="What is decided of them; `allow` are those a person allowed.")] = (
        "review"
    ),
    limit: Annotated[int, Query(ge=1, le=MAX_JUDGED)] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before.")] = None,
) -> QueueResponse:
    """Products that wait for a review, or are blocked, the surest first: those that a rule fired for by most."""
    workers: Workers = request.app.state.workers
    return await workers.run(request, lambda _: _queued(request, policy, action, limit, cursor))


@router.post(
    "/appeals",
    response_model=AppealResponse,
    responses=responses(403, 404, 413, 415, 503),
    openapi_extra={"requestBody": APPEAL},
)
async def decide(request: Request) -> Response:
    """Decide about products as a person: it outlives every judgement by rules, and is logged. All of it or none; a
    new generation serves from then on, so decide about many at once where many are to be decided about."""
    return await answer_body(request, AppealRequest, _decided)


@router.post(
    "/judge",
    response_model=JudgeResponse,
    responses=responses(403, 404, 413, 415, 503),
    openapi_extra={"requestBody": JUDGE},
)
async def judge(request: Request) -> Response:
    """Hold the whole catalog to a policy, by the vectors that are stored: what `python -m ingest moderate` does. What
    other policies decided stays, and so does what people did; the strictest counts. 100,000 products take half a
    minute, and the answer waits for it."""
    return await answer_body(request, JudgeRequest, _judged)


def _judged(request: Request, asked: JudgeRequest) -> JudgeResponse:
    serving: Serving = request.app.state.serving
    settings: ApiSettings = request.app.state.settings
    judged = judge_index(open_store(settings), asked.policy, serving.prompts, PATIENCE_SECONDS)
    serving.refresh()
    return JudgeResponse(
        policy=asked.policy,
        version=judged.version,
        products=sum(judged.counts.values()),
        **judged.counts,
        changed=judged.changed,
        appeals=judged.appeals,
        generation=judged.generation,
        notices=judged.notices,
    )


def _queued(request: Request, policy: str | None, action: Action, limit: int, cursor: str | None) -> QueueResponse:
    serving: Serving = request.app.state.serving
    with serving.searcher() as searcher:
        found, total, further = queue(searcher.index, action, policy, limit, cursor)
        stored = searcher.index.fetch([point for point, _ in found])
    products = [_waiting(stored[point].payload) for point, _ in found if point in stored]
    return QueueResponse(products=products, total=total, next_cursor=further)


def _waiting(payload: dict[str, Any]) -> Waiting:
    decision = payload[DECISION]
    said = {name: decision[name] for name in ("action", "policy", "version", "by", "appeal") if name in decision}
    shown = {
        **said,
        "id": payload["id"],
        "product": shown_product(payload),
        "images": [f"{address}?review=true" for address in image_addresses(payload)],
        "judged": decision.get("judged", decision["action"]),
        "rules": [{**rule, "fired": True} for rule in decision.get("rules", ())],
    }
    return Waiting.model_validate(shown, strict=False)


def _decided(request: Request, asked: AppealRequest) -> AppealResponse:
    serving: Serving = request.app.state.serving
    settings: ApiSettings = request.app.state.settings
    # A store of its own: one that writes waits for a server that is away, as nobody else here should.
    with deadline(settings.qdrant_seconds):
        entries, generation = appeal(
            open_store(settings), settings.data_dir / settings.collection, asked.appeals, asked.by, PATIENCE_SECONDS
        )
    serving.refresh()
    return AppealResponse(
        appeals=[AppealEntry.model_validate(entry, strict=False) for entry in entries], generation=generation
    )
