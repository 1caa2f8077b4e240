"""GET /v1/catalog, and /v1/products/{id} with its like and its images.

An id may have any characters, so it is one percent-encoded path segment: ``api.middleware.paths`` keeps such
segments as they were sent, and the routes here decode them.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel
from pydantic import Field as Described
from starlette.responses import Response

from api.asking import answer
from api.clients import Gone
from api.images import ProductImages
from api.inputs import known_parameters_alone
from api.middleware.auth import is_reviewer, reviewers_alone
from api.middleware.limits import Workers
from api.openapi import responses
from api.routes.search import work as search
from api.serving import Serving
from catalog import shown_product
from images import IN_BROWSERS
from index import PREDICTED
from labels import hidden_actions
from schemas import (
    MAX_ID,
    MAX_LIMIT,
    Action,
    FieldKind,
    ProductNotFound,
    SearchRequest,
    SearchResponse,
)
from search import Searcher, image_addresses

router = APIRouter(prefix="/v1", tags=["catalog"], dependencies=[Depends(known_parameters_alone)])

Id = Annotated[str, InPath(description="Percent-encoded, a slash in it as well.", examples=["B021"])]
Review = Annotated[bool, Query(description="For those who review: whatever is decided of it.")]
Number = Annotated[int, InPath(description="From 0.", json_schema_extra={"minimum": 0}, examples=[0])]
IMAGE = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in IN_BROWSERS}

# An image that a hostile catalog slipped in must not run as a page of this origin.
IMAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=300",
}


class Model(BaseModel):
    model: str
    label: str
    dimension: int


class Field(BaseModel):
    name: str
    kind: FieldKind


class CatalogDescription(BaseModel):
    """What is being served."""

    collection: str
    generation: str
    products: int
    model: Model
    fields: list[Field]
    attribution: str | None = None


class ProductView(BaseModel):
    id: str
    product: dict[str, Any]
    images: list[str]
    predicted: dict[str, dict[str, Any]] | None = Described(
        None, description="What label sets say of it, by their names: `label`, `probability`, `similarity`, `version`."
    )


@router.get("/catalog", responses=responses(503))
async def catalog(request: Request) -> CatalogDescription:
    """What is being served: how many products, by which model, and what can be filtered."""
    workers: Workers = request.app.state.workers
    return await workers.run(request, lambda _: _catalog(request))


@router.get("/products/{id}", response_model_exclude_none=True, responses=responses(403, 404, 503))
async def product(id: Id, request: Request, review: Review = False) -> ProductView:
    """One product as its catalog row. What a policy or a person has blocked is not there."""
    workers: Workers = request.app.state.workers
    return await workers.run(request, lambda _: _product(request, unquote(id), _hidden(request, review)))


@router.get("/products/{id}/similar", response_model=SearchResponse, responses=responses(404, 503))
async def similar(
    id: Id,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
    cursor: Annotated[str | None, Query(max_length=512, description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Products like this one, by its image and its words."""
    product_id = unquote(id)
    if len(product_id) > MAX_ID:  # no product has it, and no search takes it
        raise ProductNotFound(f"there is no product {product_id!r}")
    asked = SearchRequest(product_id=product_id, limit=limit, cursor=cursor)
    return await answer(request, asked, None, search)


@router.get("/products/{id}/images/{n}", response_class=Response, responses=responses(403, 404, 503, content=IMAGE))
async def image(id: Id, n: Number, request: Request, review: Review = False) -> Response:
    """The product's image of that number, as a browser can show it."""
    workers: Workers = request.app.state.workers
    return await workers.run(request, partial(_image, request, unquote(id), n, _hidden(request, review)))


def _hidden(request: Request, review: bool) -> tuple[Action, ...]:
    """Decisions whose products this request may not see."""
    if not review:
        return hidden_actions(reviewer=is_reviewer(request))
    reviewers_alone(request)
    return ()


def _catalog(request: Request) -> CatalogDescription:
    serving: Serving = request.app.state.serving
    with serving.searcher() as searcher:
        index, record = searcher.index, searcher.index.record
        builtin = record.embedding.model == "builtin"
        label = "builtin offline model, not CLIP" if builtin else Path(record.embedding.model).name
        return CatalogDescription(
            collection=record.collection,
            generation=index.generation,
            products=index.count(),
            model=Model(model=record.embedding.model, label=label, dimension=record.embedding.dimension),
            fields=[Field(name=name, kind=kind) for name, kind in sorted(record.fields.items())],
            attribution=_attribution(searcher),
        )


def _product(request: Request, product_id: str, hidden: tuple[Action, ...]) -> ProductView:
    serving: Serving = request.app.state.serving
    with serving.searcher() as searcher:
        payload = searcher.product(product_id, hidden=hidden).payload
    return ProductView(
        id=payload["id"],
        product=shown_product(payload),
        images=image_addresses(payload),
        predicted=payload.get(PREDICTED) or None,
    )


def _image(request: Request, product_id: str, number: int, hidden: tuple[Action, ...], gone: Gone) -> Response:
    serving: Serving = request.app.state.serving
    images: ProductImages = request.app.state.images
    with serving.searcher() as searcher:
        payload, generation = searcher.product(product_id, hidden=hidden).payload, searcher.index.generation
    data, media_type = images.show(payload, number, generation, gone)
    return Response(data, media_type=media_type, headers=IMAGE_HEADERS)


def _attribution(searcher: Searcher) -> str | None:
    """Whom to thank for the images: what a file ATTRIBUTION.txt beside the catalog says."""
    first = next(iter(searcher.index.fetch(searcher.index.scan(None, 1)).values()), None)
    if first is None:
        return None
    root = Path(first.payload["root"])
    try:
        return (root / "ATTRIBUTION.txt").read_text(encoding="utf-8")[:2000].strip() or None
    except (OSError, ValueError):  # an archive or a bucket is no folder
        return None
